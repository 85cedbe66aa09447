//! What RabbitMQ is to know of a fleet: its users and what they may do, the limits of queues, the server's settings.
//! Pure: `muster broker setup` writes and applies it.

mod changes;
mod definitions;
mod fleet;
mod server_config;

pub use changes::{Changes, ForeignUser, plan_changes};
pub use definitions::Definitions;
pub use fleet::{HostLogin, host_logins, render_definitions};
pub use server_config::{ServerConfig, render_server_config};

#[cfg(test)]
mod tests;
