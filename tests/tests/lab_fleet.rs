//! Real hosts, driven by `git push` over RabbitMQ. Everything is asserted from inside the hosts.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "lab_fleet/refusals.rs"]
mod refusals;
