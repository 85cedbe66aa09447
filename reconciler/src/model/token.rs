//! Enrolment tokens, as documents declare them.

use std::sync::Arc;
use std::time::Duration;

use muster_schema::document::{Selector, TokenDocument};
use muster_schema::{HostId, PublicKey, Timestamp};

use super::document::Document;
use super::exceptions::load_time;
use super::{Finding, Host, Node, Place};

/// The longest that a token may last.
pub const LONGEST_TOKEN_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The document of the token with this name.
pub fn token_path(name: &str) -> String {
    format!("enrolment/tokens/{name}.yaml")
}

/// An enrolment token: one machine can become one of its hosts with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentToken {
    /// The stem of its document.
    pub name: Arc<str>,
    /// Its public key.
    pub key: PublicKey,
    /// Which hosts.
    pub hosts: TokenHosts,
    /// From when on it counts.
    pub issued: Timestamp,
    /// From when on it counts no more.
    pub expires: Timestamp,
    /// Where it is declared.
    pub place: Place,
}

/// What a machine can become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenHosts {
    /// This host.
    One(HostId),
    /// One of those that it selects.
    Selected(Selector),
}

impl EnrolmentToken {
    /// Whether a machine can become this host by the token, if no machine is it yet.
    pub fn selects(&self, host: &Host) -> bool {
        match &self.hosts {
            TokenHosts::One(id) => *id == host.id,
            TokenHosts::Selected(selector) => selector.selects(&host.labels),
        }
    }

    /// What a document says; none where it does not say it all.
    pub(super) fn of_document(
        name: &Arc<str>,
        document: &Document,
        found: &mut Vec<Finding>,
    ) -> Option<EnrolmentToken> {
        // What does not fit the type is a finding of the document already.
        let declared: TokenDocument = serde_json::from_value(document.root.to_json()).ok()?;
        let place = document.root.place.clone();
        let hosts = match (declared.host, declared.hosts) {
            (Some(id), None) => TokenHosts::One(id),
            (None, Some(selector)) => TokenHosts::Selected(selector),
            _ => {
                let finding = Finding::new(place, "a token is for one host or for selected ones");
                found.push(finding.with_hint("write either 'host: ID' or 'hosts: SELECTOR'"));
                return None;
            }
        };
        let mut time = |field: &str, text: &str| {
            let time = load_time(text);
            if time.is_none() {
                let place = document.root.get(field).map_or(&document.root.place, |node: &Node| &node.place);
                let finding = Finding::new(place.clone(), format!("'{text}' is no time"));
                found.push(finding.with_hint("write a time with its zone, as in 2026-12-01T09:00:00Z"));
            }
            time
        };
        let (issued, expires) = (time("issued", &declared.issued), time("expires", &declared.expires));
        let (issued, expires) = (issued?, expires?);
        if expires <= issued || expires.since(issued) > LONGEST_TOKEN_LIFE {
            let place = document.root.get("expires").map_or(place, |node| node.place.clone());
            found.push(Finding::new(place, "a token lasts at most 30 days, and expires after it was issued"));
            return None;
        }
        Some(EnrolmentToken { name: name.clone(), key: declared.key, hosts, issued, expires, place })
    }
}
