//! What the end-to-end tests stand on: processes by handle, a broker of their own, a lab of real hosts.
//!
//! Everything is started by the test that uses it and ends with it. Nothing of the system's is touched:
//! no running broker, no network interface, no user. Where this machine lacks what a test needs, the test
//! says `SKIPPED` and why (see [`need`]).
#![allow(clippy::disallowed_methods)]

pub mod attack;
pub mod broker;
pub mod certificates;
pub mod fleet;
pub mod lab;
pub mod need;
pub mod port;
pub mod process;
pub mod programs;
pub mod wait;
