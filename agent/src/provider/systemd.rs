//! systemd, by D-Bus on its private socket: as `systemctl` does as root, so that no message bus need be installed or
//! running, and restarting the bus restarts nothing of ours.

mod client;
mod error;
mod job;
mod list;
mod private;
mod signals;
mod unit_name;
mod unit_state;

pub use client::Systemd;
pub use error::SystemdError;
pub use job::Verb;
pub use list::ServiceSummary;
pub use signals::watch_units;
pub use unit_name::{BadUnitName, UnitName};
pub use unit_state::{FileState, UnitState};
