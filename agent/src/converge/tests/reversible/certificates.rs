//! Certificates, for keys that are there. What is made is another one each time.

use super::{Dice, Family, file, folders, put, revision, text};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use rcgen::{CertificateParams, Issuer, KeyPair};
use serde_json::{Value, json};
use std::sync::LazyLock;

pub(super) const FAMILY: Family = Family {
    name: "certificates",
    collections: &[Collection::Certificates],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain,
};

const NAMES: [&str; 1] = ["web.example.org"];

/// A key, and what an authority made of a request for it.
static SIGNED: LazyLock<(String, String)> = LazyLock::new(|| {
    let (authority, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(vec!["ca".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "ca");
    let issuer = Issuer::new(params, authority);
    let params = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).unwrap();
    (key.serialize_pem(), params.signed_by(&key, &issuer).unwrap().pem())
});

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc"]);
    let (key, signed) = &*SIGNED;
    for name in ["self", "signed"] {
        let mode = if dice.roll(2) == 0 { 0o600 } else { 0o640 };
        put(&mut tree, &format!("/etc/{name}.key"), Node { mode, uid: 7, ..file(key.as_str()) });
        for end in ["pem", "csr"] {
            if dice.roll(2) == 0 {
                put(&mut tree, &format!("/etc/{name}.{end}"), Node { mode: 0o640, ..file("found\n") });
            }
        }
    }
    put(&mut tree, "/etc/signed.pem", file(signed.as_str()));
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for name in ["self", "signed"] {
        let path = |end: &str| format!("/etc/{name}.{end}");
        let mut certificate = json!({"key": path("key"), "certificate": path("pem"), "names": NAMES});
        if name == "signed" {
            certificate["request"] = path("csr").into();
        } else if dice.roll(2) == 0 {
            certificate["days"] = dice.one(&["30", "60"]).parse::<u32>().unwrap().into();
        }
        match dice.roll(5) {
            0 => continue,
            1 => certificate["meta"] = json!({"state": "absent"}),
            2 => certificate["mode"] = "0400".into(),
            3 => certificate["owner"] = "8".into(),
            _ => {}
        }
        resources.push((format!("certificates/{name}"), certificate));
    }
    revision(resources)
}

/// One that was made says as much as another.
fn plain(mut tree: Tree) -> Tree {
    for node in tree.values_mut() {
        if let What::File(content) = &mut node.what
            && content.starts_with(b"-----BEGIN CERTIFICATE")
            && *content != SIGNED.1.as_bytes()
        {
            *content = content.split(|byte| *byte == b'\n').next().unwrap().to_vec();
        }
    }
    tree
}

#[test]
fn a_key_that_was_made_stays_and_the_plan_says_so() {
    use super::world::{World, nothing};
    use muster_schema::state::ResourceState;
    let mut tree = folders(&["/", "/etc"]);
    let world = World::new(&FAMILY, &tree);
    let wanted = json!({"certificates/web": {"key": "/etc/web.key", "certificate": "/etc/web.pem", "names": NAMES}});
    world.follow(&nothing(), &wanted);
    assert!(text(&world.host.tree(), "/etc/web.pem").starts_with("-----BEGIN CERTIFICATE"));
    let key = world.host.tree()["/etc/web.key"].clone();
    let followed = world.follow(&wanted, &nothing());
    let said: Vec<&String> = followed.said.iter().map(|(_, what)| what).collect();
    assert_eq!(said, ["stays: the key /etc/web.key stays: nothing else has it"]);
    assert_eq!(followed.outcomes.last().unwrap().state, Some(ResourceState::Retained), "{:?}", followed.outcomes);
    put(&mut tree, "/etc/web.key", key);
    assert_eq!(world.host.tree(), tree);
}
