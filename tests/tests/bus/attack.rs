//! Attacks on the way between agents and orchestrator.

#[path = "attack/broker.rs"]
mod broker;
#[path = "attack/broker_users.rs"]
mod broker_users;
#[path = "attack/clocks.rs"]
mod clocks;
#[path = "attack/copies.rs"]
mod copies;
#[path = "attack/heads.rs"]
mod heads;
#[path = "attack/hostile_server.rs"]
mod hostile_server;
#[path = "attack/messages.rs"]
mod messages;
