//! The status of a fleet as files of the status branch, and back.
//!
//! Written by the orchestrator alone, so serde_yaml reads them again; facts are
//! the hosts' own signed bytes. No file has a time in it that changes without a
//! transition.

mod binding_file;
mod fleet_file;
mod host_file;
mod load;
mod pending_file;
mod readme;
mod worst;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use muster_schema::{HostId, Sha256Digest, Timestamp};

use super::FleetStatus;

pub use load::{LoadedStatus, StatusFileError, fleet_name, load_status};

/// What the next status commit changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusFiles {
    /// Files to write (`Some`) or to remove (`None`), by path.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// Folders, with a slash at the end, of which every file is given: any
    /// other file in them goes.
    pub whole_folders: Vec<&'static str>,
}

type Files = BTreeMap<String, Option<Vec<u8>>>;

const README: &str = "README.md";
const FLEET: &str = "fleet.yaml";
const ASSIGNMENTS: &str = "assignments.yaml";
const ENROLMENT_FOLDER: &str = "enrolment/";
/// Where the facts of hosts are.
const FACTS_FOLDER: &str = "facts/";
const PENDING_FOLDER: &str = "enrolment/pending/";
const TOKENS_FOLDER: &str = "enrolment/tokens/";

/// Whose files to render. What concerns the whole fleet always is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedHosts {
    /// Every host's.
    All,
    /// These hosts'; a host that the status does not have any more loses its files.
    Some(BTreeSet<HostId>),
}

/// A status file could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("status file {path} cannot be rendered")]
pub struct RenderStatusError {
    path: String,
    source: serde_yaml::Error,
}

/// Renders the fleet's files and those of the `changed` hosts, at `now`.
///
/// # Errors
/// Never for a status that serialises; the error is serde's.
pub fn render_status(
    fleet: &FleetStatus,
    changed: &ChangedHosts,
    now: Timestamp,
) -> Result<StatusFiles, RenderStatusError> {
    let mut files = BTreeMap::new();
    let axes: BTreeMap<_, _> = fleet.hosts.iter().map(|(id, host)| (id, host.committed_axes(now))).collect();
    let worst = worst::choose_worst(fleet, &axes);

    files.insert(README.into(), Some(readme::render_readme(fleet, &axes, &worst).into_bytes()));
    put_yaml(&mut files, FLEET.into(), &fleet_file::FleetFile::of(fleet, &axes, &worst))?;
    put_yaml(&mut files, ASSIGNMENTS.into(), &fleet.assignments)?;
    for (key, pending) in &fleet.pending {
        put_yaml(&mut files, pending_file::path(key), &pending_file::PendingFile::of(key, pending))?;
    }
    let is_changed = |host: &HostId| match changed {
        ChangedHosts::All => true,
        ChangedHosts::Some(ids) => ids.contains(host),
    };
    for (token, binding) in fleet.bindings.iter().filter(|(_, binding)| is_changed(&binding.host)) {
        put_yaml(&mut files, binding_file::path(token), &binding_file::BindingFile::of(binding))?;
    }
    let ids: Vec<&HostId> = match changed {
        ChangedHosts::All => fleet.hosts.keys().collect(),
        ChangedHosts::Some(ids) => ids.iter().collect(),
    };
    for id in ids {
        render_host(&mut files, fleet, id, axes.get(id))?;
    }
    let whole_folders = match changed {
        ChangedHosts::All => vec![ENROLMENT_FOLDER, "hosts/", FACTS_FOLDER],
        ChangedHosts::Some(_) => vec![PENDING_FOLDER],
    };
    Ok(StatusFiles { files, whole_folders })
}

fn render_host(
    files: &mut Files,
    fleet: &FleetStatus,
    id: &HostId,
    axes: Option<&super::Axes>,
) -> Result<(), RenderStatusError> {
    let host = fleet.hosts.get(id);
    match (host, axes) {
        (Some(host), Some(axes)) => put_yaml(files, host_path(id), &host_file::HostFile::of(id, host, axes))?,
        _ => drop(files.insert(host_path(id), None)),
    }
    let facts = host.and_then(|host| host.facts.as_ref()).map(|facts| (&facts.bytes, &facts.signature));
    put_signed(files, facts_path(id), facts);
    let proof = host.and_then(|host| host.enrolment.as_ref()).map(|proof| (&proof.bytes, &proof.signature));
    put_signed(files, enrolment_path(id), proof);
    Ok(())
}

/// What a host signed stands there byte for byte, its signature beside it.
fn put_signed(files: &mut Files, path: String, signed: Option<(&Vec<u8>, &String)>) {
    files.insert(signature_path(&path), signed.map(|(_, signature)| signature.clone().into_bytes()));
    files.insert(path, signed.map(|(bytes, _)| bytes.clone()));
}

fn put_yaml(files: &mut Files, path: String, file: &impl serde::Serialize) -> Result<(), RenderStatusError> {
    match serde_yaml::to_string(file) {
        Ok(text) => {
            files.insert(path, Some(text.into_bytes()));
            Ok(())
        }
        Err(source) => Err(RenderStatusError { path, source }),
    }
}

fn is_pending_path(path: &str) -> bool {
    path.starts_with(PENDING_FOLDER)
}

/// The host whose file stands at `path`.
fn host_of_path(path: &str) -> Option<HostId> {
    let id: HostId = path.strip_prefix("hosts/")?.strip_suffix(".yaml")?.split_once('/')?.1.parse().ok()?;
    (host_path(&id) == path).then_some(id)
}

fn host_path(id: &HostId) -> String {
    format!("hosts/{}/{id}.yaml", shard(id))
}

fn facts_path(id: &HostId) -> String {
    format!("{FACTS_FOLDER}{}/{id}.json", shard(id))
}

fn enrolment_path(id: &HostId) -> String {
    format!("{ENROLMENT_FOLDER}{}/{id}.json", shard(id))
}

fn signature_path(signed: &str) -> String {
    format!("{signed}.minisig")
}

/// One of 256 folders, so that a change rewrites small trees only.
fn shard(id: &HostId) -> String {
    let mut digest = Sha256Digest::of(id.as_str().as_bytes()).to_string();
    digest.truncate(2);
    digest
}
