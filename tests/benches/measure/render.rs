//! Rendering, signing and publishing for a whole fleet, with the orchestrator's own functions.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use muster_reconciler::bundle::{
    Origin, SignedHead, SignedManifest, head_of, next_serial, pack_manifest, sign_head, sign_manifest,
};
use muster_reconciler::io::repository::list_revision;
use muster_reconciler::io::store::{Batch, PublishedTree};
use muster_reconciler::keys::{self, ServerKeys};
use muster_reconciler::model::{Model, ModelCache, load_model};
use muster_reconciler::render::{FactsOfFleet, render_host};
use muster_schema::manifest::{HostIdentity, Source};
use muster_schema::{CommitId, HostId, Sha256Digest, Timestamp};

use super::figures::Figures;
use super::large_fleet;

/// The orchestrator publishes so many hosts at once (reconciler/src/cycle/publish.rs).
const CHUNK: usize = 512;
const HEAD_LIFE: Duration = Duration::from_secs(3600);
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
    Ok(())
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
    ids.iter().map(|id| bundle(model, keys, commit, id)).collect()
}

fn bundle(model: &Model, keys: &ServerKeys, commit: &CommitId, id: &HostId) -> Result<Bundle> {
    let host = model.host(id).ok_or_else(|| anyhow!("there is no host {id}"))?;
    let key = host.key.ok_or_else(|| anyhow!("{id} has no key"))?;
    let rendered = render_host(model, id, &FactsOfFleet::default()).map_err(|held| anyhow!("{id}: {held:?}"))?;
    let root = keys.root().ok_or_else(|| anyhow!("no root"))?.root();
    let origin = Origin {
        fleet: root.fleet.clone(),
        epoch: root.epoch,
        source: Source { commit: commit.clone(), facts_commit: None, policy_version: 0 },
    };
    let identity = HostIdentity { id: id.clone(), key };
    let manifest = pack_manifest(&origin, identity, next_serial(0, NOW), rendered.resources);
    let manifest = sign_manifest(manifest, keys.render.as_ref())?;
    let head = sign_head(head_of(&root.fleet, &manifest, commit.clone(), NOW, HEAD_LIFE), keys.fresh.as_ref())?;
    Ok(Bundle { manifest, head, blobs: rendered.blobs })
}
