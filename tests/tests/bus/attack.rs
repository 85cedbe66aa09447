//! Attacks on the way between agents and orchestrator.

#[path = "attack/broker.rs"]
mod broker;
#[path = "attack/clocks.rs"]
mod clocks;
#[path = "attack/hostile_server.rs"]
mod hostile_server;
