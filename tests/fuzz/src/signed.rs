//! Documents and messages that carry a signature.

use muster_agent::message::{Sender, verify_reply};
use muster_agent::verify::check_resources;
use muster_reconciler::inbound::{ApprovedHost, ApprovedHosts, verify_frame};
use muster_schema::envelope::{Signature, join_frame, split_frame};
use muster_schema::facts::Facts;
use muster_schema::head::{Head, MAX_HEAD_BYTES};
use muster_schema::json::load_strict;
use muster_schema::manifest::{HostIdentity, MAX_MANIFEST_BYTES, Manifest};
use muster_schema::message::{Hint, MAX_MESSAGE_BYTES, Message};
use muster_schema::report::Report;
use muster_schema::root::VerifiedRoot;
use muster_schema::{PublicKey, Sha256Digest, Timestamp};
use serde_json::Value;

/// A key that signed none of the samples.
const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

fn key() -> PublicKey {
    KEY.parse().unwrap()
}

pub(crate) fn envelope(bytes: &[u8]) {
    if let Ok((signature, payload)) = split_frame(bytes) {
        assert_eq!(join_frame(&signature, payload), bytes, "a frame has one form");
        assert_eq!(Signature::load(signature.text().as_bytes()).unwrap(), signature);
        assert!(signature.verify(payload, &key()).is_err());
    }
    if let Ok(signature) = Signature::load(bytes) {
        assert_eq!(signature.text().as_bytes(), bytes, "a signature has one form");
    }
}

pub(crate) fn frame(bytes: &[u8]) {
    let now = Timestamp(1_790_000_000_000);
    let fleet = "example".parse().unwrap();
    let id: muster_schema::HostId = "web-1".parse().unwrap();
    let approved = ApprovedHost { id: id.clone(), key: key(), recipient: None, leaving: false };
    let approved: ApprovedHosts = [approved].into_iter().collect();
    if let Ok(verified) = verify_frame(bytes, &fleet, &approved, now, || true) {
        assert_eq!(Message::load(verified.payload()).unwrap(), *verified.message());
    }
    let sender = Sender { fleet, host: HostIdentity { id, key: key() } };
    let _ = verify_reply(bytes, &[key()], &sender, "0123456789abcdef0123456789abcdef");
    let _ = load_strict::<Hint>(bytes, MAX_MESSAGE_BYTES);
}

pub(crate) fn message(bytes: &[u8]) {
    if let Ok(message) = Message::load(bytes) {
        assert_eq!(Message::load(&message.to_bytes().unwrap()).unwrap(), message);
    }
}

pub(crate) fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = load_strict::<Manifest>(bytes, MAX_MANIFEST_BYTES) {
        let again = serde_json::to_vec(&manifest).unwrap();
        let again: Manifest = load_strict(&again, 2 * MAX_MANIFEST_BYTES).unwrap();
        assert_eq!(again, manifest);
        assert_eq!(again.content_digest().unwrap(), manifest.content_digest().unwrap());
        let _ = check_resources(&manifest.resources);
    }
}

pub(crate) fn head(bytes: &[u8]) {
    if let Ok(head) = load_strict::<Head>(bytes, MAX_HEAD_BYTES) {
        assert_eq!(load_strict::<Head>(&serde_json::to_vec(&head).unwrap(), 2 * MAX_HEAD_BYTES).unwrap(), head);
    }
}

pub(crate) fn root(bytes: &[u8]) {
    assert!(VerifiedRoot::pinned(bytes, &[], Sha256Digest::of(bytes)).is_err(), "nobody signed it");
}

pub(crate) fn json(bytes: &[u8]) {
    if let Ok(value) = load_strict::<Value>(bytes, MAX_MESSAGE_BYTES) {
        assert_eq!(load_strict::<Value>(value.to_string().as_bytes(), MAX_MESSAGE_BYTES).unwrap(), value);
    }
}

pub(crate) fn report(bytes: &[u8]) {
    if let Ok(report) = load_strict::<Report>(bytes, MAX_MESSAGE_BYTES) {
        assert_eq!(load_strict::<Report>(&serde_json::to_vec(&report).unwrap(), usize::MAX).unwrap(), report);
    }
}

pub(crate) fn facts(bytes: &[u8]) {
    if let Ok(facts) = load_strict::<Facts>(bytes, MAX_MESSAGE_BYTES) {
        assert_eq!(load_strict::<Facts>(&serde_json::to_vec(&facts).unwrap(), usize::MAX).unwrap(), facts);
    }
}
