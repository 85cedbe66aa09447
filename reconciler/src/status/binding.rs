//! Which machine became which host by an enrolment token.

use muster_schema::message::TokenClaim;
use muster_schema::{CommitId, HostId, PublicKey, Timestamp};

/// A used token: the machine that has `key` is `host`, as long as the binding counts and the host's file says nothing
/// else. It is kept after that too: a token is used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The stem of the token's document.
    pub name: String,
    /// The verified revision that the token was found in.
    pub revision: CommitId,
    /// When the token expires.
    pub expires: Timestamp,
    /// The host.
    pub host: HostId,
    /// The environment that the host was in.
    pub environment: String,
    /// The machine's key.
    pub key: PublicKey,
    /// The machine's age recipient.
    pub recipient: String,
    /// What the token signed.
    pub claim: TokenClaim,
    /// When it was claimed.
    pub at: Timestamp,
    /// The host's file has named the key since: from then on the file alone decides.
    pub confirmed: bool,
    /// It counts no more, since when.
    pub ended: Option<Timestamp>,
    /// How far it got.
    pub standing: Standing,
}

/// How far a binding got in this run. None but [`Standing::Counts`] makes a machine a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In memory only.
    New,
    /// A status commit with it is being made.
    Committing,
    /// It is in a status commit that the remote does not have yet.
    Committed,
    /// It was read from the status branch, and is yet to be checked against the repository.
    Unchecked,
    /// The repository does not bear it out.
    Refused,
    /// It is kept, and holds.
    Counts,
}

impl Binding {
    /// Whether the host is taken by it, or is about to be.
    pub fn is_open(&self) -> bool {
        self.ended.is_none() && self.standing != Standing::Refused
    }

    /// Whether it makes the machine the host.
    pub fn counts(&self) -> bool {
        self.ended.is_none() && self.standing == Standing::Counts
    }
}
