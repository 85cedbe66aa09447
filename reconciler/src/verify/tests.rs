#![allow(clippy::unwrap_used)]

mod access;
mod approvals;
mod attack;
mod damage;
mod evil_merges;
mod forges;
mod lockout;
mod merges;
mod objects;
mod policy_files;
mod security_keys;
mod signatures;
mod tree_diffs;

use git2::Oid;
use muster_schema::{FleetName, Timestamp};

use super::{NothingRendered, Rejection, Terms, VerifiedRevision, verify_commits};
use crate::test_repository::TestRepository;

/// What the test repository's muster.yaml names.
const FLEET: &str = "test";
/// The watched branch.
const REFERENCE: &str = "refs/heads/main";

/// A fixed moment of receipt.
pub(super) fn receipt() -> Timestamp {
    at("2026-06-01T12:00:00Z")
}

pub(super) fn at(time: &str) -> Timestamp {
    let time: jiff::Timestamp = time.parse().unwrap();
    Timestamp(time.as_millisecond().try_into().unwrap())
}

pub(super) fn verify(repo: &TestRepository, anchor: Oid, offered: Oid) -> Result<VerifiedRevision, Rejection> {
    verify_at(repo, anchor, offered, receipt())
}

fn terms(fleet: &FleetName) -> Terms<'_> {
    Terms { receipt: receipt(), fleet, reference: REFERENCE, effects: &NothingRendered }
}

pub(super) fn verify_at(
    repo: &TestRepository,
    anchor: Oid,
    offered: Oid,
    receipt: Timestamp,
) -> Result<VerifiedRevision, Rejection> {
    let fleet = FLEET.parse().unwrap();
    verify_commits(&repo.open(), anchor, offered, &Terms { receipt, ..terms(&fleet) })
}

/// Asserts that `offered` is refused for `code`, by the commit `culprit`.
pub(super) fn assert_refused(repo: &TestRepository, anchor: Oid, offered: Oid, culprit: Oid, code: &str) -> Rejection {
    let rejection = verify(repo, anchor, offered).expect_err("must be refused");
    assert_eq!(rejection.code(), code, "{rejection}");
    assert_eq!(rejection.commits[0].id, culprit);
    assert_eq!(rejection.anchor, anchor);
    assert!(rejection.to_string().contains(&culprit.to_string()));
    rejection
}
