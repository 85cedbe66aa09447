//! Enrolment tokens that really sign, for tests.
#![allow(clippy::unwrap_used)]

use minisign::KeyPair;
use muster_schema::message::{TokenClaim, claim_statement};
use muster_schema::{HostId, PublicKey, Timestamp};

pub(crate) struct TestToken(KeyPair);

impl TestToken {
    pub(crate) fn new() -> TestToken {
        TestToken(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.0.pk.to_base64().parse().unwrap()
    }

    /// What it says of a machine of the fleet `fleet`.
    pub(crate) fn claim(&self, fleet: &str, key: &PublicKey, recipient: &str, host: Option<&str>) -> TokenClaim {
        let host: Option<HostId> = host.map(|id| id.parse().unwrap());
        let statement = claim_statement(&fleet.parse().unwrap(), &self.key(), key, recipient, host.as_ref());
        let signature = minisign::sign(None, &self.0.sk, &statement[..], Some("t"), Some("u")).unwrap().into_string();
        TokenClaim { token: self.key(), host, signature }
    }

    /// Its document: `whose` is `host: ID` or `hosts: SELECTOR`.
    pub(crate) fn document(&self, whose: &str, issued: Timestamp, expires: Timestamp) -> String {
        format!("key: \"{}\"\n{whose}\nissued: {issued}\nexpires: {expires}\n", self.key())
    }
}

/// The key of a machine.
pub(crate) fn machine_key() -> PublicKey {
    TestToken::new().key()
}
