//! A fleet with reports and facts that hosts really signed, for tests.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use muster_schema::facts::{Facts, OsFacts};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, ChallengeAnswer, FactsBody, Message, Party};
use muster_schema::report::{Applied, Report, ResourceReport, Transition};
use muster_schema::state::{Cause, Health, ResourceState};
use muster_schema::{CommitId, Culprit, FleetName, HostId, Sha256Digest, Timestamp};

use super::{Desired, EnrolmentProof, FactsRecord, FleetStatus, HostStatus, fold_conditions, fold_facts, fold_report};
use crate::io::signer::{FileSigner, Signer};

pub(crate) const NOW: Timestamp = Timestamp(1_780_000_000_000);

pub(crate) fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

/// Signs for every host: one key, because making keys is slow.
pub(crate) fn host_signer() -> FileSigner {
    let dir = tempfile::tempdir().unwrap();
    FileSigner::generate(&dir.path().join("host"), "host", None).unwrap()
}

/// A fleet of `hosts` healthy hosts, `host-0` and so on, in two environments.
pub(crate) fn fleet_of(hosts: usize, signer: &FileSigner) -> FleetStatus {
    let mut fleet = FleetStatus::new("shop".parse::<FleetName>().unwrap());
    fleet.assignments.anchor = Some(commit('a'));
    for environment in ["production", "staging"] {
        fleet.assignments.environments.insert(environment.into(), commit('a'));
    }
    for n in 0..hosts {
        let id: HostId = format!("host-{n}").parse().unwrap();
        let identity = HostIdentity { id: id.clone(), key: signer.public_key() };
        let content = Sha256Digest::of(id.as_str().as_bytes());
        let desired = Desired {
            host: identity.clone(),
            manifest: content,
            content,
            epoch: 1,
            serial: 1_780_000_000_000 + n as u64,
            changed_at: commit('a'),
            resources: 40,
        };
        let mut host = HostStatus {
            environment: Some(if n % 2 == 0 { "production" } else { "staging" }.into()),
            labels: [("role".to_owned(), "web".to_owned())].into(),
            key: Some(signer.public_key()),
            enrolled: true,
            assigned: Some(commit('a')),
            desired: Some(desired),
            ..HostStatus::default()
        };
        let _ = fold_report(&mut host, 1, report_of(content, 1..4), NOW);
        let _ = fold_facts(&mut host, 2, facts_of(&fleet.fleet, identity, signer, "plain"), NOW);
        if n % 2 == 0 {
            host.enrolment = Some(proof_of(&fleet.fleet, signer));
        }
        fleet.hosts.insert(id, host);
    }
    fold_conditions(&mut fleet, NOW);
    fleet
}

/// A healthy host's report with these transitions.
pub(crate) fn report_of(content: Sha256Digest, transitions: std::ops::Range<u64>) -> Report {
    let transition = |seq| Transition {
        seq,
        address: format!("files/etc/app-{}/config.yaml", seq % 7).parse().unwrap(),
        from: Some(ResourceState::Compliant),
        to: Some(ResourceState::Repaired),
        cause: Cause::Corrective,
        message: "content, mode".into(),
        at: NOW,
        by: Some(Culprit { pid: Some(4711), name: Some("vim".into()), uid: Some(1000), ..Culprit::default() }),
    };
    Report {
        applied: Some(Applied { manifest: content, content, epoch: 1, serial: 1, revision: commit('a') }),
        health: Health::Healthy,
        reason: String::new(),
        message: String::new(),
        counts: [(ResourceState::Compliant, 40)].into(),
        deviations: Vec::new(),
        exceptions: Vec::new(),
        transitions: transitions.map(transition).collect(),
        rejections: Vec::new(),
        retired: false,
        break_glass: None,
    }
}

/// A deviating resource.
pub(crate) fn deviation(message: &str) -> ResourceReport {
    ResourceReport { address: "packages/nginx".parse().unwrap(), state: ResourceState::Error, message: message.into() }
}

pub(crate) fn plain_facts(hostname: &str) -> Facts {
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    Facts {
        os: OsFacts {
            family: "debian".into(),
            id: "debian".into(),
            version: Some("12".into()),
            codename: Some("bookworm".into()),
        },
        arch: "x86_64".into(),
        cpus: 2,
        memory_mib: 2048,
        hostname: hostname.into(),
        address: Some(address),
        addresses: vec![address],
        virtualisation: None,
    }
}

/// Facts as the host sends them.
pub(crate) fn facts_of(fleet: &FleetName, host: HostIdentity, signer: &FileSigner, hostname: &str) -> FactsRecord {
    let body = FactsBody { agent: "0.1.0".into(), schema: 1, facts: plain_facts(hostname) };
    let (bytes, signature) = sign_message(fleet, host, Body::Facts(Box::new(body.clone())), signer);
    FactsRecord { body, bytes, signature }
}

/// An answer to the challenge, under the name that the host had claimed.
pub(crate) fn proof_of(fleet: &FleetName, signer: &FileSigner) -> EnrolmentProof {
    let host = HostIdentity { id: "claimed".parse().unwrap(), key: signer.public_key() };
    let answer = ChallengeAnswer { answer: "00".into(), recipient: "age1abc".into(), broker_hash: None };
    let (bytes, signature) = sign_message(fleet, host, Body::ChallengeAnswer(answer), signer);
    EnrolmentProof { recipient: "age1abc".into(), bytes, signature }
}

fn sign_message(fleet: &FleetName, host: HostIdentity, body: Body, signer: &FileSigner) -> (Vec<u8>, String) {
    let message = Message {
        fleet: fleet.clone(),
        from: Party::Host(host),
        to: Party::Orchestrator,
        id: "0".repeat(32),
        seq: 2,
        issued: NOW,
        expires: NOW,
        in_reply_to: None,
        body,
    };
    let bytes = message.to_bytes().unwrap();
    let signature = signer.sign(&bytes, "muster").unwrap().text().to_owned();
    (bytes, signature)
}
