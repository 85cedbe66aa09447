//! Real hosts, driven by `git push` over RabbitMQ. Everything is asserted from inside the hosts.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "lab_fleet/checks.rs"]
mod checks;
#[path = "lab_fleet/containers.rs"]
mod containers;
#[path = "lab_fleet/converge.rs"]
mod converge;
#[path = "lab_fleet/culprit.rs"]
mod culprit;
#[path = "lab_fleet/extensions.rs"]
mod extensions;
#[path = "lab_fleet/fetched.rs"]
mod fetched;
#[path = "lab_fleet/files.rs"]
mod files;
#[path = "lab_fleet/outages.rs"]
mod outages;
#[path = "lab_fleet/reboot.rs"]
mod reboot;
#[path = "lab_fleet/refusals.rs"]
mod refusals;
#[path = "lab_fleet/reversible.rs"]
mod reversible;
#[path = "lab_fleet/risky.rs"]
mod risky;
#[path = "lab_fleet/scripts.rs"]
mod scripts;
#[path = "lab_fleet/secrets.rs"]
mod secrets;
#[path = "lab_fleet/system.rs"]
mod system;
#[path = "lab_fleet/units.rs"]
mod units;
#[path = "lab_fleet/web.rs"]
mod web;
