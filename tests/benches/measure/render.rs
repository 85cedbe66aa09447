//! Rendering, signing and publishing for a whole fleet, with the orchestrator's own functions.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use muster_agent::verify::{HeadContext, verify_head, verify_manifest};
use muster_reconciler::bundle::{
    Origin, SignedHead, SignedManifest, head_of, next_serial, pack_manifest, renew_head, sign_head, sign_manifest,
};
use muster_reconciler::io::repository::list_revision;
use muster_reconciler::io::store::{Batch, PublishedTree};
use muster_reconciler::keys::{self, ServerKeys};
use muster_reconciler::model::{Model, ModelCache, load_model};
use muster_reconciler::render::{FactsOfFleet, render_host};
use muster_schema::manifest::{HostIdentity, Source};
use muster_schema::resource::Resource;
use muster_schema::root::Root;
use muster_schema::{CommitId, HostId, Sha256Digest, Timestamp};

use super::figures::{Figures, millis, percentile};
use super::large_fleet;

/// The orchestrator publishes so many hosts at once (reconciler/src/cycle/publish.rs).
const CHUNK: usize = 512;
const HEAD_LIFE: Duration = Duration::from_secs(3600);
/// The size of a large manifest, in bytes.
const LARGE: usize = 100 << 10;
/// How often its verification is measured.
const ROUNDS: usize = 200;
/// No clock is read while rendering.
const NOW: Timestamp = Timestamp(1_780_000_000_000);

struct Bundle {
    manifest: SignedManifest,
    head: SignedHead,
    blobs: BTreeMap<Sha256Digest, Arc<[u8]>>,
}

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let fleet = large_fleet::make(folder.path())?;
    let keys = keys::load(&fleet.keys(), None)?;
    let commit: CommitId = fleet.repository.tip()?.parse()?;

    let begun = Instant::now();
    let files = list_revision(&fleet.repository.bare(), commit.as_str())?;
    let (model, found) = load_model(&files, &mut ModelCache::default());
    ensure!(
        found.is_empty(),
        "the repository is faulty: {}",
        found.first().map_or_else(String::new, ToString::to_string)
    );
    eprintln!("bench:   loading {} hosts: {:.3} s", large_fleet::HOSTS, begun.elapsed().as_secs_f64());

    let begun = Instant::now();
    let bundles = bundle_all(&model, &keys, &commit)?;
    let rendered = begun.elapsed();
    let bytes: usize = bundles.iter().map(|bundle| bundle.manifest.bytes().len()).sum();
    eprintln!("bench:   a manifest has {} bytes", bytes / bundles.len().max(1));
    figures.note("render_sign_10k_hosts_s", rendered.as_secs_f64(), 5.0);

    let tree = PublishedTree::open(folder.path().join("published"))?;
    let begun = Instant::now();
    for chunk in bundles.chunks(CHUNK) {
        let mut batch = Batch::default();
        for bundle in chunk {
            bundle.blobs.iter().for_each(|(digest, bytes)| batch.blob(*digest, bytes));
            batch.manifest(&bundle.manifest);
            batch.head(&bundle.head);
        }
        tree.publish(&batch)?;
    }
    figures.note("publish_10k_hosts_s", begun.elapsed().as_secs_f64(), 10.0);

    let begun = Instant::now();
    let renewed = bundles
        .iter()
        .map(|bundle| sign_head(renew_head(bundle.head.head(), commit.clone(), NOW, HEAD_LIFE), keys.fresh.as_ref()));
    let renewed: Vec<SignedHead> = renewed.collect::<Result<_, _>>()?;
    figures.note("resign_10k_heads_s", begun.elapsed().as_secs_f64(), 2.0);
    drop(renewed);

    let large = large_bundle(&model, &keys, &commit)?;
    figures.note("verify_manifest_100kib_ms", millis(verification(&large, root_of(&keys)?)?), 1.0);
    Ok(())
}

/// A manifest of at least [`LARGE`] bytes: that of the first host with its files many times over.
fn large_bundle(model: &Model, keys: &ServerKeys, commit: &CommitId) -> Result<Bundle> {
    let id = &model.hosts().next().context("there are hosts")?.id;
    let mut bundle = bundle(model, keys, commit, id, &|resources| resources)?;
    for copies in 1.. {
        if bundle.manifest.bytes().len() >= LARGE {
            break;
        }
        bundle = self::bundle(model, keys, commit, id, &|resources| repeated(&resources, copies))?;
    }
    Ok(bundle)
}

fn repeated(resources: &[Resource], copies: usize) -> Vec<Resource> {
    let copy = |number: usize| {
        resources.iter().filter_map(move |resource| {
            let address = format!("{}.{number}", resource.address).parse().ok()?;
            Some(Resource { address, ..resource.clone() })
        })
    };
    let mut repeated: Vec<Resource> = (0..copies).flat_map(copy).collect();
    // As they stand in every manifest.
    repeated.sort_by(|one, other| one.address.cmp(&other.address));
    repeated
}

/// What an agent does with a head and a manifest: sizes, signatures, digest, then what they say. The median.
fn verification(bundle: &Bundle, root: &Root) -> Result<Duration> {
    let Bundle { manifest, head, .. } = bundle;
    let context = HeadContext { root, host: manifest.host(), marks: None, now: NOW, nonce: None };
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let head = verify_head(head.bytes(), from_ref(head.signature()), context)
            .map_err(|reject| anyhow!("the head is refused: {reject}"))?;
        verify_manifest(manifest.bytes(), from_ref(manifest.signature()), root, &head)
            .map_err(|reject| anyhow!("the manifest is refused: {reject}"))?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(percentile(&times, 50))
}

fn root_of(keys: &ServerKeys) -> Result<&Root> {
    Ok(keys.root().context("no root")?.root())
}

/// Renders and signs for every host, on all processors.
fn bundle_all(model: &Model, keys: &ServerKeys, commit: &CommitId) -> Result<Vec<Bundle>> {
    let ids: Vec<HostId> = model.hosts().map(|host| host.id.clone()).collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = ids.len().div_ceil(threads).max(1);
    let parts: Vec<Result<Vec<Bundle>>> = std::thread::scope(|scope| {
        let part = |ids| move || bundle_some(model, keys, commit, ids);
        let running: Vec<_> = ids.chunks(share).map(|ids| scope.spawn(part(ids))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("rendering panicked")))).collect()
    });
    let mut bundles = Vec::with_capacity(ids.len());
    for part in parts {
        bundles.extend(part?);
    }
    Ok(bundles)
}

fn bundle_some(model: &Model, keys: &ServerKeys, commit: &CommitId, ids: &[HostId]) -> Result<Vec<Bundle>> {
    ids.iter().map(|id| bundle(model, keys, commit, id, &|resources| resources)).collect()
}

fn bundle(
    model: &Model,
    keys: &ServerKeys,
    commit: &CommitId,
    id: &HostId,
    change: &dyn Fn(Vec<Resource>) -> Vec<Resource>,
) -> Result<Bundle> {
    let host = model.host(id).ok_or_else(|| anyhow!("there is no host {id}"))?;
    let key = host.key.ok_or_else(|| anyhow!("{id} has no key"))?;
    let rendered = render_host(model, id, &FactsOfFleet::default()).map_err(|held| anyhow!("{id}: {held:?}"))?;
    let root = root_of(keys)?;
    let origin = Origin {
        fleet: root.fleet.clone(),
        epoch: root.epoch,
        source: Source { commit: commit.clone(), facts_commit: None, policy_version: 0 },
    };
    let identity = HostIdentity { id: id.clone(), key };
    let resources = change(rendered.resources);
    let manifest = pack_manifest(&origin, identity, next_serial(0, NOW), resources, rendered.verbatim);
    let manifest = sign_manifest(manifest, keys.render.as_ref())?;
    let head = sign_head(head_of(&root.fleet, &manifest, commit.clone(), NOW, HEAD_LIFE), keys.fresh.as_ref())?;
    Ok(Bundle { manifest, head, blobs: rendered.blobs })
}
