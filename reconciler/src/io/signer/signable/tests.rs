#![allow(clippy::unwrap_used)]
use std::time::Duration;

use minisign::KeyPair;
use muster_schema::head::Head;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, HintRequest, Message, Party};
use muster_schema::root::{Role, Roles, Root, RootType};
use muster_schema::{PublicKey, Timestamp};
use serde_json::json;

use super::*;

fn fleet() -> FleetName {
    "shop".parse().unwrap()
}

fn key() -> PublicKey {
    KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64().parse().unwrap()
}

fn host() -> HostIdentity {
    HostIdentity { id: "web-1".parse().unwrap(), key: key() }
}

fn manifest(fleet: &str) -> Vec<u8> {
    let manifest = json!({
        "type": "manifest", "schema": 1, "fleet": fleet, "host": host(), "epoch": 1, "serial": 1,
        "source": {"commit": "0".repeat(40), "policy_version": 0}, "renderer": {"version": "0"},
        "resources": [], "min_agent": 1,
    });
    serde_json::to_vec(&manifest).unwrap()
}

fn head(life: Duration) -> Vec<u8> {
    let head: Head = serde_json::from_value(json!({
        "type": "head", "fleet": "shop", "host": host(), "epoch": 1, "serial": 1, "manifest": "0".repeat(64),
        "revision": "1".repeat(40), "issued": 0, "expires": Timestamp(0).plus(life),
    }))
    .unwrap();
    serde_json::to_vec(&head).unwrap()
}

fn message(from: Party) -> Vec<u8> {
    let (issued, expires) = (Timestamp(0), Timestamp(1));
    let body = Body::HintRequest(HintRequest { after: 0 });
    let (to, id, fleet) = (Party::Host(host()), "0".repeat(32), fleet());
    Message { fleet, from, to, id, seq: 1, issued, expires, in_reply_to: None, body }.to_bytes().unwrap()
}

fn root() -> Vec<u8> {
    let role = || Role { threshold: 1, keys: vec![key()] };
    let roles = Roles { root: role(), render: role(), fresh: role(), witness: Role::none(), breakglass: Role::none() };
    let (fleet, expires) = (fleet(), Timestamp(1));
    serde_json::to_vec(&Root { r#type: RootType::Is, fleet, version: 1, epoch: 1, expires, roles }).unwrap()
}

#[test]
fn each_role_signs_its_own_documents_and_no_other() {
    let documents = [manifest("shop"), head(MAX_HEAD_LIFE), message(Party::Orchestrator), root(), b"{}".to_vec()];
    let wanted = [
        (RoleName::Render, [true, false, false, false, false]),
        (RoleName::Fresh, [false, true, true, false, false]),
        (RoleName::Root, [false; 5]),
    ];
    for (role, signs) in wanted {
        let found = documents.each_ref().map(|bytes| check_signable(role, &fleet(), bytes).is_ok());
        assert_eq!(found, signs, "{role}");
    }
}

#[test]
fn what_agents_would_refuse_is_not_signed() {
    let other = check_signable(RoleName::Render, &fleet(), &manifest("other"));
    assert_eq!(other, Err(Unsignable::OtherFleet("other".parse().unwrap())));
    let long = check_signable(RoleName::Fresh, &fleet(), &head(MAX_HEAD_LIFE + Duration::from_millis(1)));
    assert_eq!(long, Err(Unsignable::HeadLife));
    let forged = check_signable(RoleName::Fresh, &fleet(), &message(Party::Host(host())));
    assert_eq!(forged, Err(Unsignable::Sender));
    let twice = [b"{\"serial\":9,", &head(MAX_HEAD_LIFE)[1..]].concat();
    assert!(check_signable(RoleName::Fresh, &fleet(), &twice).is_err());
}
