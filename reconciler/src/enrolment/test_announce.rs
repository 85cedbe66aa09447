//! What an honest agent announces, for tests.
#![allow(clippy::unwrap_used)]

use muster_schema::facts::{Facts, OsFacts};
use muster_schema::message::Announce;

/// A machine of this name, with a recipient of its own.
pub(crate) fn announce(name: &str) -> Announce {
    announce_with(name, age::x25519::Identity::generate().to_public().to_string())
}

/// A machine of this name and recipient.
pub(crate) fn announce_with(name: &str, recipient: String) -> Announce {
    let os = OsFacts { family: "debian".into(), id: "debian".into(), version: None, codename: None };
    let facts = Facts {
        os,
        arch: "x86_64".into(),
        cpus: 1,
        memory_mib: 1024,
        hostname: name.into(),
        address: None,
        addresses: Vec::new(),
        virtualisation: None,
    };
    Announce {
        name: name.parse().unwrap(),
        recipient,
        agent: "0.1.0".into(),
        schema: 1,
        facts,
        replaces: None,
        token: None,
    }
}
