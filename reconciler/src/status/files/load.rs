//! Reads the files back at start.

use std::collections::BTreeMap;

use muster_schema::envelope::{Signature, SignatureError};
use muster_schema::json::JsonError;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, MAX_MESSAGE_BYTES, Message};
use muster_schema::{FleetName, HostId, PublicKey, Timestamp};

use super::fleet_file::FleetFile;
use super::host_file::HostFile;
use super::pending_file::PendingFile;
use super::{ASSIGNMENTS, FLEET, facts_path, host_of_path, host_path, is_pending_path, signature_path};
use crate::status::{Assignments, FactsRecord, FleetStatus};

/// The status that was read, and what of it was refused.
#[derive(Debug)]
pub struct LoadedStatus {
    /// The status.
    pub fleet: FleetStatus,
    /// Files that do not count, and why. Facts of a host that are refused are
    /// as if it had reported none.
    pub refused: Vec<(String, StatusFileError)>,
}

/// Why a file of the status branch does not count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusFileError {
    /// It is not what the orchestrator writes.
    #[error("not what muster writes")]
    Malformed(#[from] serde_yaml::Error),
    /// It is of another host or fleet than its path says.
    #[error("it belongs elsewhere, to '{0}'")]
    Misplaced(String),
    /// Facts of a host that has no key, or without a signature.
    #[error("facts without a key or a signature")]
    Unsigned,
    /// The host's signature over its facts does not hold.
    #[error("the host's signature does not hold")]
    Signature(#[from] SignatureError),
    /// The signed bytes are no message.
    #[error("the signed bytes are no message")]
    Message(#[from] JsonError),
    /// The message is another host's, or holds no facts.
    #[error("the signed message is not this host's facts")]
    NotItsFacts,
}

/// Reads the status of `fleet` from the files of a status commit whose
/// signature was verified, at `now`. Host signatures are verified here, before
/// anything that a host wrote is parsed.
///
/// A file that is refused is skipped and told; serials then come from the
/// other places that know them.
pub fn load_status(fleet: &FleetName, files: &BTreeMap<String, Vec<u8>>, now: Timestamp) -> LoadedStatus {
    let mut status = FleetStatus::new(fleet.clone());
    let mut refused = Vec::new();
    if let Some(bytes) = files.get(FLEET) {
        match load_fleet_file(fleet, bytes) {
            Ok(file) => {
                status.attempted = file.attempted;
                status.conditions = file.conditions.into_iter().map(|line| line.into_condition()).collect();
            }
            Err(error) => refused.push((FLEET.to_owned(), error)),
        }
    }
    if let Some(bytes) = files.get(ASSIGNMENTS) {
        match serde_yaml::from_slice::<Assignments>(bytes) {
            Ok(assignments) => status.assignments = assignments,
            Err(error) => refused.push((ASSIGNMENTS.to_owned(), error.into())),
        }
    }
    for (path, bytes) in files.iter().filter(|(path, _)| is_pending_path(path)) {
        match serde_yaml::from_slice::<PendingFile>(bytes) {
            Ok(file) => drop(status.pending.insert(file.key, file.into_pending())),
            Err(error) => refused.push((path.clone(), error.into())),
        }
    }
    load_hosts(&mut status, files, now, &mut refused);
    LoadedStatus { fleet: status, refused }
}

fn load_fleet_file(fleet: &FleetName, bytes: &[u8]) -> Result<FleetFile, StatusFileError> {
    let file: FleetFile = serde_yaml::from_slice(bytes)?;
    if file.fleet == *fleet { Ok(file) } else { Err(StatusFileError::Misplaced(file.fleet.to_string())) }
}

fn load_hosts(
    status: &mut FleetStatus,
    files: &BTreeMap<String, Vec<u8>>,
    now: Timestamp,
    refused: &mut Vec<(String, StatusFileError)>,
) {
    for (path, bytes) in files {
        let Some(id) = host_of_path(path) else { continue };
        match load_host_file(&id, bytes) {
            Ok(file) => {
                let mut host = file.into_status(now);
                host.assigned =
                    host.environment.as_deref().and_then(|env| status.assignments.revision_of(&id, env)).cloned();
                status.hosts.insert(id, host);
            }
            Err(error) => refused.push((path.clone(), error)),
        }
    }
    for (id, facts) in verify_facts(status, files) {
        match (facts, status.hosts.get_mut(&id)) {
            (Ok(facts), Some(host)) => host.facts = Some(facts),
            (Ok(_), None) => {}
            (Err(error), _) => refused.push((facts_path(&id), error)),
        }
    }
}

fn load_host_file(id: &HostId, bytes: &[u8]) -> Result<HostFile, StatusFileError> {
    let file: HostFile = serde_yaml::from_slice(bytes)?;
    if file.host == *id { Ok(file) } else { Err(StatusFileError::Misplaced(host_path(&file.host))) }
}

/// Facts of one host, or why they do not count.
type FactsVerdict = (HostId, Result<FactsRecord, StatusFileError>);

/// Verifies all hosts' facts on all processors: ten thousand take seconds.
fn verify_facts(status: &FleetStatus, files: &BTreeMap<String, Vec<u8>>) -> Vec<FactsVerdict> {
    let with_facts: Vec<_> = status
        .hosts
        .iter()
        .filter_map(|(id, host)| Some((id, host.key, files.get(&facts_path(id))?, files.get(&signature_path(id)))))
        .collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = with_facts.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let started: Vec<_> = with_facts
            .chunks(share)
            .map(|chunk| {
                scope.spawn(|| {
                    let verify =
                        |(id, key, bytes, signature): &(&HostId, Option<PublicKey>, &Vec<u8>, Option<&Vec<u8>>)| {
                            let facts = match (key, signature) {
                                (Some(key), Some(signature)) => load_facts(&status.fleet, id, key, bytes, signature),
                                _ => Err(StatusFileError::Unsigned),
                            };
                            ((*id).clone(), facts)
                        };
                    chunk.iter().map(verify).collect::<Vec<_>>()
                })
            })
            .collect();
        started.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

/// Facts of one host: its signature first, then what they say.
fn load_facts(
    fleet: &FleetName,
    id: &HostId,
    key: &PublicKey,
    bytes: &[u8],
    signature: &[u8],
) -> Result<FactsRecord, StatusFileError> {
    let signature = Signature::load(signature)?;
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(StatusFileError::NotItsFacts);
    }
    signature.verify(bytes, key)?;
    let message = Message::load(bytes)?;
    let sender = HostIdentity { id: id.clone(), key: *key };
    match message.body {
        Body::Facts(ref body) if message.sender() == Some(&sender) && message.fleet == *fleet => {
            Ok(FactsRecord { body: (**body).clone(), bytes: bytes.to_vec(), signature: signature.text().to_owned() })
        }
        _ => Err(StatusFileError::NotItsFacts),
    }
}
