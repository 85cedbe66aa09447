//! Both ends of the bus, over real HTTP and a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "bus/attack.rs"]
mod attack;
#[path = "bus/broker_lost.rs"]
mod broker_lost;
#[path = "bus/clocks.rs"]
mod clocks;
#[path = "bus/parties.rs"]
mod parties;
#[path = "bus/tls.rs"]
mod tls;
#[path = "bus/transports.rs"]
mod transports;
