//! The users of the broker, and how it keeps their passwords.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::fleet_name::FleetName;
use crate::host_id::HostId;

#[cfg(test)]
mod tests;

/// Stands between the parts of a name. Names of fleets and hosts have none.
const MARK: char = '~';
const ENROLMENT: &str = "enrol";
const SALT_BYTES: usize = 4;

/// A user that `muster broker setup` makes: `shop~orchestrator`, `shop~enrol`, `shop~host~web-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BrokerUser {
    /// `muster serve`.
    Orchestrator,
    /// What hosts share until they are enrolled.
    Enrolment,
    /// One host.
    Host(HostId),
}

impl BrokerUser {
    /// Its name at the broker, where fleets may stand side by side.
    pub fn name(&self, fleet: &FleetName) -> String {
        match self {
            BrokerUser::Orchestrator => format!("{fleet}{MARK}orchestrator"),
            BrokerUser::Enrolment => format!("{fleet}{MARK}{ENROLMENT}"),
            BrokerUser::Host(host) => host_user(fleet.as_str(), host),
        }
    }

    /// The tag of all users of `fleet`: what has it is ours to change and to remove. To RabbitMQ it means nothing.
    pub fn tag(fleet: &FleetName) -> String {
        format!("muster{MARK}{fleet}")
    }

    /// The name of the user of `host`, where `name` is the user that its fleet's hosts share until they are enrolled.
    pub fn host_beside(name: &str, host: &HostId) -> Option<String> {
        let fleet = name.strip_suffix(ENROLMENT)?.strip_suffix(MARK)?;
        Some(host_user(fleet, host))
    }
}

fn host_user(fleet: &str, host: &HostId) -> String {
    format!("{fleet}{MARK}host{MARK}{host}")
}

/// What RabbitMQ keeps of a password (`rabbit_password_hashing_sha256`): base64 of a salt and of SHA-256 over salt and
/// password. Passwords are 256 random bits, so the salt may follow from the password: one password has one hash.
pub fn hash_password(password: &str) -> String {
    let salt = &Sha256::digest(["salt of ", password].concat())[..SALT_BYTES];
    let hash = Sha256::new().chain_update(salt).chain_update(password).finalize();
    STANDARD.encode([salt, &hash].concat())
}
