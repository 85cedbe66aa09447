//! Reads the files back at start.

use std::collections::BTreeMap;

use muster_schema::envelope::{Signature, SignatureError};
use muster_schema::json::JsonError;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Message};
use muster_schema::{FleetName, HostId, PublicKey, Timestamp};

use super::binding_file::{self, BindingFile};
use super::fleet_file::FleetFile;
use super::host_file::HostFile;
use super::pending_file::PendingFile;
use super::{
    ASSIGNMENTS, FACTS_FOLDER, FLEET, TOKENS_FOLDER, enrolment_path, facts_path, host_of_path, host_path,
    is_pending_path, signature_path,
};
use crate::status::{Assignments, Binding, EnrolmentProof, FactsRecord, FleetStatus};

/// The status that was read, and what of it was refused.
#[derive(Debug)]
pub struct LoadedStatus {
    /// The status.
    pub fleet: FleetStatus,
    /// Files that do not count, and why. Facts of a host that are refused are
    /// as if it had reported none.
    pub refused: Vec<(String, StatusFileError)>,
}

impl LoadedStatus {
    /// Whether everything could be read but facts. Those of a host with another key are by the one of before until it
    /// reports anew.
    pub fn is_whole_but_facts(&self) -> bool {
        self.refused.iter().all(|(path, _)| path.starts_with(FACTS_FOLDER))
    }
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
    /// What a host signed, without a key or a signature.
    #[error("the host's key or its signature is missing")]
    Unsigned,
    /// The host's signature does not hold.
    #[error("the signature in it does not hold")]
    Signature(#[from] SignatureError),
    /// The signed bytes are no message.
    #[error("the signed bytes are no message")]
    Message(#[from] JsonError),
    /// The message is another host's or fleet's, or of another kind.
    #[error("the signed message does not belong here")]
    NotItsOwn,
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
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with(TOKENS_FOLDER)) {
        match load_binding(fleet, path, bytes) {
            Ok(binding) => drop(status.bindings.insert(binding.claim.token, binding)),
            Err(error) => refused.push((path.clone(), error)),
        }
    }
    load_hosts(&mut status, files, now, &mut refused);
    LoadedStatus { fleet: status, refused }
}

/// The fleet whose status the files are.
pub fn fleet_name(files: &BTreeMap<String, Vec<u8>>) -> Option<FleetName> {
    serde_yaml::from_slice::<FleetFile>(files.get(FLEET)?).ok().map(|file| file.fleet)
}

fn load_fleet_file(fleet: &FleetName, bytes: &[u8]) -> Result<FleetFile, StatusFileError> {
    let file: FleetFile = serde_yaml::from_slice(bytes)?;
    if file.fleet == *fleet { Ok(file) } else { Err(StatusFileError::Misplaced(file.fleet.to_string())) }
}

/// A used token, by what the token itself has signed; whether the repository named that token is for the caller.
fn load_binding(fleet: &FleetName, path: &str, bytes: &[u8]) -> Result<Binding, StatusFileError> {
    let binding = serde_yaml::from_slice::<BindingFile>(bytes)?.into_binding();
    if binding_file::path(&binding.claim.token) != path {
        return Err(StatusFileError::Misplaced(binding_file::path(&binding.claim.token)));
    }
    binding.claim.verify(fleet, &binding.key, &binding.recipient)?;
    match &binding.claim.host {
        Some(claimed) if *claimed != binding.host => Err(StatusFileError::NotItsOwn),
        _ => Ok(binding),
    }
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
    for (id, verdicts) in verify_signed_files(status, files) {
        let Some(host) = status.hosts.get_mut(&id) else { continue };
        match verdicts.facts {
            Ok(facts) => host.facts = facts,
            Err(error) => refused.push((facts_path(&id), error)),
        }
        match verdicts.enrolment {
            Ok(proof) => host.enrolment = proof,
            Err(error) => refused.push((enrolment_path(&id), error)),
        }
    }
}

fn load_host_file(id: &HostId, bytes: &[u8]) -> Result<HostFile, StatusFileError> {
    let file: HostFile = serde_yaml::from_slice(bytes)?;
    if file.host == *id { Ok(file) } else { Err(StatusFileError::Misplaced(host_path(&file.host))) }
}

/// What a host signed, or why it does not count.
struct Verdicts {
    facts: Result<Option<FactsRecord>, StatusFileError>,
    enrolment: Result<Option<EnrolmentProof>, StatusFileError>,
}

/// Verifies what all hosts signed on all processors: ten thousand take seconds.
fn verify_signed_files(status: &FleetStatus, files: &BTreeMap<String, Vec<u8>>) -> Vec<(HostId, Verdicts)> {
    let hosts: Vec<(&HostId, Option<PublicKey>)> = status.hosts.iter().map(|(id, host)| (id, host.key)).collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let verify = |(id, key): &(&HostId, Option<PublicKey>)| {
        let facts = load_signed(&status.fleet, *key, files, &facts_path(id));
        let enrolment = load_signed(&status.fleet, *key, files, &enrolment_path(id));
        let verdicts = Verdicts {
            facts: facts.and_then(|signed| signed.map(|signed| signed.into_facts(id)).transpose()),
            enrolment: enrolment.and_then(|signed| signed.map(Signed::into_enrolment).transpose()),
        };
        ((*id).clone(), verdicts)
    };
    std::thread::scope(|scope| {
        let share = hosts.len().div_ceil(workers).max(1);
        let chunks = hosts.chunks(share);
        let started: Vec<_> =
            chunks.map(|chunk| scope.spawn(move || chunk.iter().map(verify).collect::<Vec<_>>())).collect();
        started.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

/// A message of which the host's signature holds.
struct Signed {
    key: PublicKey,
    message: Message,
    bytes: Vec<u8>,
    signature: String,
}

/// The file at `path`: its signature first, then what it says. Nothing when
/// there is no such file.
fn load_signed(
    fleet: &FleetName,
    key: Option<PublicKey>,
    files: &BTreeMap<String, Vec<u8>>,
    path: &str,
) -> Result<Option<Signed>, StatusFileError> {
    let Some(bytes) = files.get(path) else {
        return Ok(None);
    };
    let (Some(key), Some(signature)) = (key, files.get(&signature_path(path))) else {
        return Err(StatusFileError::Unsigned);
    };
    let signature = Signature::load(signature)?;
    signature.verify(bytes, &key)?;
    let message = Message::load(bytes)?;
    if message.fleet != *fleet {
        return Err(StatusFileError::NotItsOwn);
    }
    Ok(Some(Signed { key, message, bytes: bytes.clone(), signature: signature.text().to_owned() }))
}

impl Signed {
    fn into_facts(self, id: &HostId) -> Result<FactsRecord, StatusFileError> {
        let sender = HostIdentity { id: id.clone(), key: self.key };
        match &self.message.body {
            Body::Facts(body) if self.message.sender() == Some(&sender) => {
                Ok(FactsRecord { body: (**body).clone(), bytes: self.bytes, signature: self.signature })
            }
            _ => Err(StatusFileError::NotItsOwn),
        }
    }

    /// The id in the message is the one that the host claimed then: only the
    /// key counts.
    fn into_enrolment(self) -> Result<EnrolmentProof, StatusFileError> {
        let by_key = self.message.sender().is_some_and(|sender| sender.key == self.key);
        match &self.message.body {
            Body::ChallengeAnswer(answer) if by_key => {
                Ok(EnrolmentProof { recipient: answer.recipient.clone(), bytes: self.bytes, signature: self.signature })
            }
            _ => Err(StatusFileError::NotItsOwn),
        }
    }
}
