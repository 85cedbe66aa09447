//! Verification of the state repository: which commits count.
//!
//! [`verify_commits`] judges every commit between the anchor (the last
//! verified commit) and a new tip. It reads objects through git2, and only
//! objects: no checkout, no clock, no network. What renders is handed in. The one value that lets a
//! revision into the rest of the program is [`VerifiedRevision`], and nothing
//! outside this module can make one.
//!
//! Laws, as in the protocol's chapter on Git:
//! - the new tip descends from the anchor;
//! - each commit carries exactly one signature of a signer whom the *mainline
//!   parent* lists, with an SSH key in `policy/allowed_signers` or an OpenPGP
//!   certificate in `policy/openpgp/`, so that no branch grants itself anything;
//! - the key is valid at our receipt time, whatever date the commit claims;
//! - it changes only what `policy/access.yaml` of the mainline parent lets its
//!   signer change, and only who may merge it puts it on the mainline;
//! - what it brings about on hosts, as rendering tells, is within the bounds of the rules by
//!   which it was changed and merged;
//! - a key of a `forge` counts on the automatic merge of two parents alone, by the
//!   right to merge of people who signed for all that it brings;
//! - where the policy asks for it, enough other people have approved the commit
//!   that was merged;
//! - a missing or malformed policy file refuses the commit that brings it, and
//!   so does a policy that nobody could change again;
//! - trees hold plain files, executables, folders and links that stay inside.

mod access;
mod allowed_signers;
mod approval;
mod commit_object;
mod commits;
mod display;
mod effects;
mod fault;
mod forge;
mod history;
mod limits;
mod lockout;
mod merge;
mod openpgp;
mod people;
mod policy;
mod rejection;
mod revision;
mod revoked_signers;
mod signature;
mod single_signer;
mod terms;
mod threshold;
mod tree;
mod tree_diff;
mod tree_object;

pub use allowed_signers::{AllowedSigner, parse_allowed_signers};
pub use approval::{
    APPROVAL_REFERENCES, ApprovalFault, ApprovalStatement, approval_reference, approved_commit, verify_approval,
};
pub use commit_object::{CommitObject, parse_commit};
pub use commits::{verify_commits, verify_commits_after};
pub use effects::{Effect, Effects, EffectsUnknown, NothingRendered, Part, RenderEffects};
pub use fault::CommitFault;
pub use lockout::check_somebody_left;
pub use merge::{MergeChanges, changed_paths, conflicting_paths, merge_automatically};
pub use openpgp::{OpenPgpCertificate, parse_certificate, verify_openpgp_signature};
pub use policy::{APPROVAL_NAMESPACE, PolicyFault, SigningPolicy, load_signing_policy};
pub use rejection::{RefusedCommit, Rejection};
pub use revision::{Signer, VerifiedCommit, VerifiedRevision, commit_id};
pub use revoked_signers::parse_revoked_signers;
pub use signature::verify_ssh_signature;
pub use single_signer::verify_commit_by_key;
pub use terms::Terms;
pub use tree_object::{TreeEntry, is_in_order, parse_tree};

#[cfg(test)]
mod tests;
