//! What Git holds: commits, trees, policy files, the status branch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::Oid;
use muster_reconciler::policy::{ACCESS_POLICY, AccessPolicy, Decision, load_access_policy};
use muster_reconciler::status::load_status;
use muster_reconciler::verify::{
    NothingRendered, SigningPolicy, Terms, is_in_order, parse_allowed_signers, parse_certificate, parse_commit,
    parse_revoked_signers, parse_tree, verify_approval, verify_openpgp_signature, verify_ssh_signature,
};
use muster_schema::Timestamp;
use muster_schema::document::Verb;

use crate::memory_repository::split_files;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const SIGNERS: &str = include_str!("../corpus/signers/demo");
const CERTIFICATE: &str = include_str!("../corpus/openpgp/certificate");

fn policy() -> SigningPolicy {
    let (allowed, _) = parse_allowed_signers(SIGNERS);
    SigningPolicy {
        commit: Oid::ZERO_SHA1,
        allowed,
        revoked: Vec::new(),
        openpgp: Vec::new(),
        access: AccessPolicy::default(),
    }
}

pub(crate) fn commit(raw: &[u8]) {
    let Ok(commit) = parse_commit(raw) else { return };
    assert!(commit.payload.len() <= raw.len());
    if let Some(signature) = &commit.signature {
        let _ = verify_ssh_signature(&commit.payload, signature, &policy(), NOW);
    }
}

/// Packets, or text with an armour of its own: as a certificate, as a signature, and as the signature of a
/// certificate that is known to be good.
pub(crate) fn openpgp(bytes: &[u8]) {
    let armoured = |kind: &str| match std::str::from_utf8(bytes) {
        Ok(text) if text.starts_with("-----BEGIN") => text.to_owned(),
        _ => format!("-----BEGIN PGP {kind}-----\n\n{}\n-----END PGP {kind}-----\n", STANDARD.encode(bytes)),
    };
    let good = parse_certificate("good", CERTIFICATE.as_bytes(), NOW).unwrap();
    let read = parse_certificate("read", armoured("PUBLIC KEY BLOCK").as_bytes(), NOW);
    let openpgp = [Ok(good), read].into_iter().flatten().collect();
    let policy = SigningPolicy { openpgp, ..policy() };
    let signed = verify_openpgp_signature(b"signed\n", armoured("SIGNATURE").as_bytes(), &policy, NOW);
    assert!(signed.is_err() || policy.openpgp.iter().any(|certificate| certificate.may_sign()));
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

pub(crate) fn approval(bytes: &[u8]) {
    let fleet = "example".parse().unwrap();
    let terms = Terms { receipt: NOW, fleet: &fleet, reference: "refs/heads/main", effects: &NothingRendered };
    assert!(verify_approval(bytes, Oid::ZERO_SHA1, &policy(), &terms).is_err(), "nobody has signed an approval");
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
