//! What Git holds: commits, trees, policy files, the status branch.

use git2::Oid;
use muster_reconciler::policy::{ACCESS_POLICY, AccessPolicy, Decision, load_access_policy};
use muster_reconciler::status::load_status;
use muster_reconciler::verify::{
    SigningPolicy, is_in_order, parse_allowed_signers, parse_commit, parse_revoked_signers, parse_tree,
    verify_ssh_signature,
};
use muster_schema::Timestamp;
use muster_schema::document::Verb;

use crate::memory_repository::split_files;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const SIGNERS: &str = include_str!("../corpus/signers/demo");

fn policy() -> SigningPolicy {
    let (allowed, _) = parse_allowed_signers(SIGNERS);
    SigningPolicy { commit: Oid::ZERO_SHA1, allowed, revoked: Vec::new(), access: AccessPolicy::default() }
}

pub(crate) fn commit(raw: &[u8]) {
    let Ok(commit) = parse_commit(raw) else { return };
    assert!(commit.payload.len() <= raw.len());
    if let Some(signature) = &commit.signature {
        let _ = verify_ssh_signature(&commit.payload, signature, &policy(), NOW);
    }
}

pub(crate) fn tree(raw: &[u8]) {
    let Some(entries) = parse_tree(raw) else { return };
    assert_eq!(entries.iter().map(|entry| entry.raw.len()).sum::<usize>(), raw.len(), "every byte is of an entry");
    let _ = is_in_order(&entries);
}

pub(crate) fn signers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (signers, faults) = parse_allowed_signers(&text);
    assert!(signers.len() + faults.len() <= text.lines().count());
    for signer in signers {
        let _ = (signer.covers_namespace("git"), signer.is_valid_at(NOW));
    }
    let _ = parse_revoked_signers(bytes);
}

pub(crate) fn access_policy(bytes: &[u8]) {
    let Ok(policy) = load_access_policy(&ACCESS_POLICY.into(), bytes) else { return };
    for principal in ["ana@example.org", "ben@example.org"] {
        for verb in Verb::EACH {
            let decision = policy.allows(&[principal.to_owned()], verb, "applications/web/application.yaml");
            let granted = policy.rules.iter().any(|rule| rule.grants(verb));
            assert!(granted || matches!(decision, Decision::Denied(_)), "nothing grants {verb}");
        }
    }
}

pub(crate) fn status_branch(bytes: &[u8]) {
    let files = split_files(bytes);
    let loaded = load_status(&"example".parse().unwrap(), &files, NOW);
    assert!(loaded.refused.iter().all(|(path, _)| !path.is_empty()));
}
