//! The list of agents that nobody has approved.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use muster_schema::manifest::HostIdentity;
use muster_schema::message::Announce;
use muster_schema::{PublicKey, Timestamp};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The largest announcement, in bytes.
pub const MAX_ANNOUNCE_BYTES: usize = 16 * 1024;

/// An agent shows itself at least four times a minute; one that was silent for
/// so long is dropped, so that a flood does not hold the list for ever.
pub const PENDING_LIFE: Duration = Duration::from_secs(10 * 60);

/// All entries together: 16 MiB at most.
pub const MAX_PENDING: usize = 1024;
/// One network cannot fill the list alone.
const MAX_PER_SOURCE: usize = 256;
const MAX_TEXT: usize = 256;
const MAX_ADDRESSES: usize = 64;

/// An agent that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingHost {
    /// What proved itself by its signature; all else is a claim.
    pub key: PublicKey,
    /// What it said. The name is a wish, and may be another's too.
    pub announce: Announce,
    /// The host that it is, by a key of before that has signed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaces: Option<HostIdentity>,
    /// Where it came from: an address, or the broker.
    pub source: String,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When it was last heard of.
    pub last_seen: Timestamp,
}

/// An announcement that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnnouncement {
    /// A text is longer than any honest one, or would upset a terminal.
    #[error("{0} is too long, or has control characters")]
    Text(&'static str),
    /// The recipient is none of age's.
    #[error("the recipient is no X25519 recipient of age")]
    Recipient,
    /// More addresses than are shown.
    #[error("more than {MAX_ADDRESSES} addresses")]
    Addresses,
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Listed {
    /// It is new, or says something new: to be kept.
    New,
    /// It was there already.
    Known,
    /// There is no room.
    Full,
}

/// The list, by key: two keys that claim one name are two entries.
#[derive(Debug, Default)]
pub struct PendingList {
    hosts: BTreeMap<PublicKey, PendingHost>,
}

/// Checks what an unknown agent says, for it is shown to people.
///
/// # Errors
/// With the first thing that no honest agent says.
pub fn check_announcement(announce: &Announce) -> Result<(), BadAnnouncement> {
    let Announce { name: _, recipient, agent, schema: _, facts, replaces: _, token: _ } = announce;
    age::x25519::Recipient::from_str(recipient).map_err(|_| BadAnnouncement::Recipient)?;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let texts = [
        ("agent", agent.clone()),
        ("os.family", facts.os.family.clone()),
        ("os.id", facts.os.id.clone()),
        ("os.version", optional(&facts.os.version)),
        ("os.codename", optional(&facts.os.codename)),
        ("arch", facts.arch.clone()),
        ("hostname", facts.hostname.clone()),
        ("virtualisation", optional(&facts.virtualisation)),
    ];
    let bad = |text: &String| text.len() > MAX_TEXT || text.chars().any(|c| c.is_control() || is_bidi(c));
    if let Some((name, _)) = texts.iter().find(|(_, text)| bad(text)) {
        return Err(BadAnnouncement::Text(name));
    }
    if facts.addresses.len() > MAX_ADDRESSES {
        return Err(BadAnnouncement::Addresses);
    }
    Ok(())
}

/// Characters that turn the writing direction: they make a text look like another.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

impl PendingList {
    /// The list as it was kept.
    pub fn load(hosts: impl IntoIterator<Item = PendingHost>) -> Self {
        PendingList { hosts: hosts.into_iter().take(MAX_PENDING).map(|host| (host.key, host)).collect() }
    }

    /// Puts `key` on the list, as the successor of `replaces` if of any; gives what became of it, and who was dropped
    /// for having been silent.
    pub fn announce(
        &mut self,
        key: PublicKey,
        announce: Announce,
        replaces: Option<HostIdentity>,
        source: &str,
        now: Timestamp,
    ) -> (Listed, Vec<PublicKey>) {
        if let Some(host) = self.hosts.get_mut(&key) {
            host.last_seen = now;
            if host.announce == announce && host.replaces == replaces {
                return (Listed::Known, Vec::new());
            }
            (host.announce, host.replaces) = (announce, replaces);
            return (Listed::New, Vec::new());
        }
        let dropped = self.drop_silent(now);
        let same_source = self.hosts.values().filter(|host| host.source == source).count();
        if self.hosts.len() >= MAX_PENDING || same_source >= MAX_PER_SOURCE {
            return (Listed::Full, dropped);
        }
        let host = PendingHost { key, announce, replaces, source: source.to_owned(), first_seen: now, last_seen: now };
        self.hosts.insert(key, host);
        (Listed::New, dropped)
    }

    /// Takes `key` off the list; whether it was on it.
    pub fn remove(&mut self, key: &PublicKey) -> bool {
        self.hosts.remove(key).is_some()
    }

    /// Drops who has been silent for [`PENDING_LIFE`].
    pub fn drop_silent(&mut self, now: Timestamp) -> Vec<PublicKey> {
        let silent = |host: &&PendingHost| now.since(host.last_seen) > PENDING_LIFE;
        let dropped: Vec<PublicKey> = self.hosts.values().filter(silent).map(|host| host.key).collect();
        self.hosts.retain(|key, _| !dropped.contains(key));
        dropped
    }

    /// Who waits, by key.
    pub fn get(&self, key: &PublicKey) -> Option<&PendingHost> {
        self.hosts.get(key)
    }

    /// Everyone who waits.
    pub fn iter(&self) -> impl Iterator<Item = &PendingHost> {
        self.hosts.values()
    }
}
