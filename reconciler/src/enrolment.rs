//! Enrolment: agents that nobody knows yet, and the proof of those that a
//! signed commit approved. Pure; the desk in `io::bus` gives it time, chance and files.
//!
//! Announce → pending list → a person compares the fingerprint and approves by a
//! commit → challenge, encrypted to the age recipient → answer, signed by the key
//! → enrolled. Names select nothing: everything goes by key.

mod binding_proof;
mod challenge;
mod claim;
mod host_file;
mod pending_list;
mod rate_limit;

#[cfg(test)]
pub(crate) mod test_announce;
#[cfg(test)]
pub(crate) mod test_token;

pub use binding_proof::{NotBorneOut, verify_binding};
pub use challenge::{CHALLENGE_BYTES, OpenChallenges};
pub use claim::{ClaimRefused, Claimant, Claimed, judge_claim};
pub use host_file::{HostFileError, approve_host_file, revoke_host_file};
pub use pending_list::{
    BadAnnouncement, Listed, MAX_ANNOUNCE_BYTES, MAX_PENDING, PENDING_LIFE, PendingHost, PendingList,
    check_announcement,
};
pub use rate_limit::RateLimit;
