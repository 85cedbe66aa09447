//! Root documents, head and manifest: what the host was told.

use muster_schema::envelope::{Signature, split_frame};
use muster_schema::head::{Head, MAX_HEAD_BYTES};
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::root::{RoleName, VerifiedRoot, check_signed};
use muster_schema::{HostId, PublicKey, Sha256Digest, Timestamp, json};

use super::bundle::check_signatures;
use super::hand_checks::key_files;
use super::reports::verify_reports;
use super::{AttestFault, Attestation, BundleReader, INDEX, MAX_INDEX_BYTES, Proof};

const HEAD: &str = "head.json";
const NEXT: &str = "next-head.json";
const MANIFEST: &str = "manifest.json";

/// What the signed documents of a bundle say.
#[derive(Debug)]
pub struct Documents {
    /// What is asked.
    pub index: Attestation,
    /// The head that was in force.
    pub head: Head,
    /// The manifest that it names.
    pub manifest: Manifest,
    /// What is shown so far.
    pub proof: Proof,
}

/// Verifies everything that is signed by keys of the root documents or by the host.
///
/// # Errors
/// Names the first file that does not hold.
pub fn verify_documents(reader: &mut BundleReader<'_>, pinned: Sha256Digest) -> Result<Documents, AttestFault> {
    let index = json::load_strict(reader.get(INDEX)?, MAX_INDEX_BYTES);
    let index: Attestation = index.map_err(|error| AttestFault::new(INDEX, error))?;
    let mut proof = Proof::default();
    let roots = verify_roots(reader, pinned, &mut proof)?;
    let head = verify_head(reader, HEAD, &index, &roots, &mut proof)?;
    if head.issued > index.at || head.expires <= index.at {
        let reason = format!("it was in force from {} until {}, not at {}", head.issued, head.expires, index.at);
        return Err(AttestFault::new(HEAD, reason));
    }
    for (file, text) in key_files(&roots, &head.host.key) {
        reader.expect(&file, text.as_bytes())?;
    }
    let told = match (&head.renamed, head.retired) {
        (Some(id), _) => format!("was told that it is '{id}' from then on"),
        (None, true) => "was told that it left the fleet".to_owned(),
        (None, false) => {
            format!("was told to be in the state of manifest {}, at revision {}", head.manifest, head.revision)
        }
    };
    let fresh = signers_of(reader, HEAD)?;
    proof.show(
        format!("{}: {} {told}; this was in force until {}", head.issued, index.host, head.expires),
        format!("the fresh key {fresh}"),
    );
    verify_next(reader, &index, &head, &roots, &mut proof)?;
    let manifest = verify_manifest(reader, &head, &roots, &mut proof)?;
    verify_reports(reader, &index, &head, &manifest, &mut proof)?;
    Ok(Documents { index, head, manifest, proof })
}

/// The chain from the first root document; the pinned one must be of it.
fn verify_roots(
    reader: &mut BundleReader<'_>,
    pinned: Sha256Digest,
    proof: &mut Proof,
) -> Result<Vec<VerifiedRoot>, AttestFault> {
    let mut roots: Vec<VerifiedRoot> = Vec::new();
    let mut versions: Vec<u64> =
        reader.names_in("").iter().filter_map(|name| name.strip_suffix(".root.json")?.parse().ok()).collect();
    versions.sort_unstable();
    for version in versions {
        let name = format!("{version}.root.json");
        let (bytes, signatures) = reader.signed(&name)?;
        let verified = match roots.last() {
            None => VerifiedRoot::pinned(bytes, &signatures, pinned),
            Some(last) => last.next(bytes, &signatures),
        };
        let root = verified.map_err(|error| AttestFault::new(&name, error))?;
        let mut keys = root.root().roles.root.keys.clone();
        keys.extend(roots.last().iter().flat_map(|last| &last.root().roles.root.keys));
        check_signatures(&name, bytes, &signatures, &keys)?;
        roots.push(root);
    }
    let (Some(first), Some(last)) = (roots.first(), roots.last()) else {
        return Err(AttestFault::new(format!("{pinned}.root.json"), "there is no root document"));
    };
    let (first, last) = (first.root().version, last.root().version);
    let what = if first == last {
        format!("root document {first} is the one that you trust")
    } else {
        format!("root document {first} is the one that you trust, and {last} follows from it")
    };
    proof.show(what, "the root keys");
    Ok(roots)
}

fn keys_of(roots: &[VerifiedRoot], role: RoleName) -> Vec<PublicKey> {
    roots.iter().flat_map(|root| root.root().roles.get(role).keys.clone()).collect()
}

/// Says which keys signed that no longer may.
fn note_withdrawn(roots: &[VerifiedRoot], role: RoleName, signed: &[PublicKey], proof: &mut Proof) {
    let Some(newest) = roots.last().map(VerifiedRoot::root) else { return };
    if !signed.iter().any(|key| newest.roles.get(role).keys.contains(key)) {
        let key = signed.first().map(|key| key.id().to_string()).unwrap_or_default();
        proof.lack(format!(
            "that nobody else held the {role} key {key} at that time: root document {} does not name it any more",
            newest.version
        ));
    }
}

fn verify_head(
    reader: &mut BundleReader<'_>,
    name: &str,
    index: &Attestation,
    roots: &[VerifiedRoot],
    proof: &mut Proof,
) -> Result<Head, AttestFault> {
    let (bytes, signatures) = reader.signed(name)?;
    let signed = check_signatures(name, bytes, &signatures, &keys_of(roots, RoleName::Fresh))?;
    let head: Head = json::load_strict(bytes, MAX_HEAD_BYTES).map_err(|error| AttestFault::new(name, error))?;
    let root = roots.first().map(|root| &root.root().fleet);
    if head.host.id != index.host || head.fleet != index.fleet || Some(&head.fleet) != root {
        return Err(AttestFault::new(name, format!("it is for host {} of fleet {}", head.host.id, head.fleet)));
    }
    note_withdrawn(roots, RoleName::Fresh, &signed, proof);
    Ok(head)
}

/// What the host was told next, which bounds what it could have been told between.
fn verify_next(
    reader: &mut BundleReader<'_>,
    index: &Attestation,
    head: &Head,
    roots: &[VerifiedRoot],
    proof: &mut Proof,
) -> Result<(), AttestFault> {
    let between = "that the host was told nothing else between this head and the time that is asked about";
    if reader.find(NEXT).is_none() {
        proof.lack(format!("{between}: there is no later head yet, so this is the word of who made the bundle"));
        return Ok(());
    }
    let next = verify_head(reader, NEXT, index, roots, &mut Proof::default())?;
    if next.issued <= index.at || order(&next) < order(head) {
        return Err(AttestFault::new(NEXT, format!("it is not later than {HEAD} and {}", index.at)));
    }
    if (next.epoch, next.serial) == (head.epoch, head.serial) {
        if next.manifest != head.manifest {
            return Err(AttestFault::new(NEXT, "it has the serial of the head before, and names another manifest"));
        }
        proof.show(
            format!("{}: {} was told the same again, so nothing else between", next.issued, index.host),
            format!("the fresh key {}", signers_of(reader, NEXT)?),
        );
    } else {
        proof.lack(format!("{between}: the next head that was kept, of {}, is of another state", next.issued));
    }
    Ok(())
}

fn verify_manifest(
    reader: &mut BundleReader<'_>,
    head: &Head,
    roots: &[VerifiedRoot],
    proof: &mut Proof,
) -> Result<Manifest, AttestFault> {
    let fault = |reason: &dyn std::fmt::Display| AttestFault::new(MANIFEST, reason);
    let (bytes, signatures) = reader.signed(MANIFEST)?;
    if Sha256Digest::of(bytes) != head.manifest {
        return Err(fault(&"it is not the manifest that the head names"));
    }
    let render = keys_of(roots, RoleName::Render);
    let witnesses = keys_of(roots, RoleName::Witness);
    let signed = check_signatures(MANIFEST, bytes, &signatures, &[render.clone(), witnesses.clone()].concat())?;
    let (signed, witnessed): (Vec<_>, Vec<_>) = signed.into_iter().partition(|key| render.contains(key));
    let enough = |root: &VerifiedRoot| check_signed("render", &root.root().roles.render, bytes, &signatures);
    if !roots.iter().any(|root| enough(root).is_ok()) {
        return Err(fault(&"too few render keys signed it"));
    }
    let manifest: Manifest = json::load_strict(bytes, MAX_MANIFEST_BYTES).map_err(|error| fault(&error))?;
    let is_of_head = manifest.host == head.host && manifest.fleet == head.fleet;
    let is_current =
        (manifest.epoch, manifest.serial) == (head.epoch, head.serial) || head.retired || head.renamed.is_some();
    if !is_of_head || !is_current {
        return Err(fault(&"host, fleet, epoch or serial are not those of the head"));
    }
    note_withdrawn(roots, RoleName::Render, &signed, proof);
    proof.show(
        format!(
            "that state is {} resources, rendered from commit {}",
            manifest.resources.len(),
            manifest.source.commit
        ),
        format!("the render key {}", ids(&signed)),
    );
    if !witnessed.is_empty() {
        proof.show(
            "the same was rendered on machines of others, and came to the same",
            format!("the witnesses {}", ids(&witnessed)),
        );
    }
    Ok(manifest)
}

fn signers_of(reader: &mut BundleReader<'_>, name: &str) -> Result<String, AttestFault> {
    let signers: Vec<String> = reader.signed(name)?.1.iter().map(|signature| signature.key().to_string()).collect();
    Ok(signers.join(" and "))
}

fn ids(keys: &[PublicKey]) -> String {
    keys.iter().map(|key| key.id().to_string()).collect::<Vec<_>>().join(" and ")
}

fn order(head: &Head) -> (u64, u64, Timestamp) {
    (head.epoch, head.serial, head.issued)
}

/// A head as it was kept.
pub(super) type KeptHead = (Head, Vec<u8>, Signature);

/// Of the kept frames of heads, the one that was in force for `host` at a time, if any was issued before it, and the
/// next one. Those that no key of role fresh signed do not count.
pub fn choose_heads(
    frames: &[Vec<u8>],
    host: &HostId,
    roots: &[VerifiedRoot],
    at: Timestamp,
) -> (Option<KeptHead>, Option<KeptHead>) {
    let keys = keys_of(roots, RoleName::Fresh);
    let load = |frame: &Vec<u8>| {
        let (signature, bytes) = split_frame(frame).ok()?;
        check_signatures(HEAD, bytes, std::slice::from_ref(&signature), &keys).ok()?;
        let head: Head = json::load_strict(bytes, MAX_HEAD_BYTES).ok()?;
        (head.host.id == *host).then(|| (head, bytes.to_vec(), signature))
    };
    let (before, after): (Vec<_>, Vec<_>) = frames.iter().filter_map(load).partition(|(head, ..)| head.issued <= at);
    let in_force = before.into_iter().max_by_key(|(head, ..)| order(head));
    (in_force, after.into_iter().min_by_key(|(head, ..)| order(head)))
}
