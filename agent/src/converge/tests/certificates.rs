//! Certificates: openssl reads what is made, and no key is replaced, removed or kept anywhere else.

use super::*;
use crate::host::fake::{FakeHost, Node, Tree, What};
use crate::test_crash::crash_at;
use std::process::Command;

fn web() -> Value {
    json!({"certificates/web": {
        "key": "/etc/web.key", "certificate": "/etc/web.pem", "days": 90, "names": ["web.example.org", "192.0.2.7"],
    }})
}

fn requested() -> Value {
    json!({"certificates/web": {
        "key": "/etc/web.key", "certificate": "/etc/web.pem", "request": "/etc/web.csr", "names": ["web.example.org"],
    }})
}

/// What openssl says; the words hold paths below the root.
fn openssl(sandbox: &Sandbox, words: &[&str]) -> String {
    let program = Command::new("openssl").args(words).current_dir(sandbox.path("etc")).output().unwrap();
    let said = String::from_utf8_lossy(&[program.stdout, program.stderr].concat()).into_owned();
    assert!(program.status.success(), "openssl {words:?}: {said}");
    said
}

fn state(converged: &Converged) -> (Option<ResourceState>, String) {
    converged.outcomes.last().map(|outcome| (outcome.state, outcome.message.clone())).unwrap()
}

/// No file beside the key holds any line of it.
fn assert_kept_nowhere_else(sandbox: &Sandbox) {
    let key = fs::read_to_string(sandbox.path("etc/web.key")).unwrap();
    let line = key.lines().nth(1).unwrap();
    let found = Command::new("grep").args(["-rlaF", line]).arg(sandbox.dir.path()).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.lines().count(), 1, "the key is in {found}");
}

#[test]
fn makes_a_key_and_a_certificate_that_openssl_reads() {
    let sandbox = Sandbox::new();
    sandbox.converge(&web());
    let (key, mode) = sandbox.file("etc/web.key");
    assert_eq!(mode, 0o600);
    assert_eq!(sandbox.file("etc/web.pem").1, 0o644);
    let text = openssl(&sandbox, &["x509", "-in", "web.pem", "-noout", "-text"]);
    assert!(
        text.contains("DNS:web.example.org, IP Address:192.0.2.7") && text.contains("CN = web.example.org"),
        "{text}"
    );
    openssl(&sandbox, &["verify", "-CAfile", "web.pem", "-verify_hostname", "web.example.org", "web.pem"]);
    let of_key = openssl(&sandbox, &["pkey", "-in", "web.key", "-pubout"]);
    assert_eq!(openssl(&sandbox, &["x509", "-in", "web.pem", "-noout", "-pubkey"]), of_key);
    assert_kept_nowhere_else(&sandbox);

    // Drift: gone, another's, the key gone.
    let first = sandbox.file("etc/web.pem").0;
    fs::remove_file(sandbox.path("etc/web.pem")).unwrap();
    sandbox.converge_for(&web(), Cause::Corrective);
    assert_ne!(sandbox.file("etc/web.pem").0, first);
    openssl(
        &sandbox,
        &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "x", "-out", "web.pem", "-subj", "/CN=x"],
    );
    let said = sandbox.converge_for(&web(), Cause::Corrective).outcomes.first().unwrap().message.clone();
    assert!(said.contains("another key"), "{said}");
    assert_eq!(openssl(&sandbox, &["x509", "-in", "web.pem", "-noout", "-pubkey"]), of_key);
    assert_eq!(sandbox.file("etc/web.key").0, key, "the key is the same through all of it");
    fs::remove_file(sandbox.path("etc/web.key")).unwrap();
    let said = sandbox.converge_for(&web(), Cause::Corrective).outcomes.first().unwrap().message.clone();
    assert!(said.contains("new ecdsa_p256") && said.contains("its key is not there"), "{said}");
    assert_ne!(sandbox.file("etc/web.key").0, key);

    let said = state(&sandbox.converge(&json!({})));
    assert!(said.0 == Some(ResourceState::Retained) && said.1.contains("/etc/web.key stays"), "{said:?}");
    assert!(sandbox.path("etc/web.key").exists() && !sandbox.path("etc/web.pem").exists());
}

#[test]
fn a_key_that_was_there_is_used_and_what_was_found_comes_back() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "web.key", "-out", "web.pem", "-subj", "/CN=x"],
    );
    fs::set_permissions(sandbox.path("etc/web.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let found = (sandbox.file("etc/web.key"), sandbox.file("etc/web.pem"));
    let mut wanted = web();
    wanted["certificates/web"]["meta"] = json!({"mode": "audit"});
    sandbox.converge(&wanted);
    assert_eq!((sandbox.file("etc/web.key"), sandbox.file("etc/web.pem")), found, "an audit writes nothing");
    wanted = web();
    wanted["certificates/web"]["mode"] = "0640".into();
    sandbox.converge(&wanted);
    assert_eq!(sandbox.file("etc/web.key"), (found.0.0.clone(), 0o640));
    openssl(&sandbox, &["verify", "-CAfile", "web.pem", "-verify_hostname", "web.example.org", "web.pem"]);
    assert_kept_nowhere_else(&sandbox);
    wanted["certificates/web"]["key_type"] = "ed25519".into();
    let said = state(&sandbox.converge(&wanted));
    assert!(said.0 == Some(ResourceState::Blocked) && said.1.contains("no key is replaced"), "{said:?}");
    sandbox.converge(&json!({}));
    assert_eq!((sandbox.file("etc/web.key"), sandbox.file("etc/web.pem")), found);
}

#[test]
fn a_request_waits_for_an_authority() {
    let sandbox = Sandbox::new();
    let said = state(&sandbox.converge(&requested()));
    assert!(said.0 == Some(ResourceState::Pending) && said.1.contains("/etc/web.csr"), "{said:?}");
    let text = openssl(&sandbox, &["req", "-in", "web.csr", "-verify", "-noout", "-text"]);
    assert!(text.contains("DNS:web.example.org"), "{text}");
    openssl(
        &sandbox,
        &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"],
    );
    let sign = |days: &str, extensions: &[&str]| {
        let words =
            ["x509", "-req", "-in", "web.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days];
        openssl(&sandbox, &[words.as_slice(), &["-out", "web.pem"], extensions].concat());
    };
    sign("90", &[]);
    let said = state(&sandbox.converge(&requested()));
    assert!(said.0 == Some(ResourceState::Blocked) && said.1.contains("names []"), "{said:?}");
    sign("90", &["-copy_extensions", "copy"]);
    let signed = sandbox.file("etc/web.pem").0;
    let said = state(&sandbox.converge(&requested()));
    assert_eq!(said.0, Some(ResourceState::Compliant), "{said:?}");
    sandbox.converge(&json!({}));
    assert!(!sandbox.path("etc/web.csr").exists() && sandbox.path("etc/web.key").exists());
    assert_eq!(sandbox.file("etc/web.pem").0, signed, "what an authority gave is not ours");
}

#[test]
fn wherever_the_process_ends_there_is_one_key_and_its_certificate_then() {
    let folders = ["/", "/etc"].map(|folder| (folder.to_owned(), Node::new(What::Directory, 0o755)));
    let found: Tree = folders.into();
    let mut wanted = web();
    wanted["commands/react"] = json!({"meta": {"run_on": ["certificates/web"]}, "argv": ["react"]});
    let text = |host: &FakeHost, path: &str| match host.tree().get(path).map(|node| node.what.clone()) {
        Some(What::File(text)) => Some(String::from_utf8(text).unwrap()),
        _ => None,
    };
    let mut gaps = 0;
    for at in 0.. {
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(found.clone()));
        let follow = |wanted: &Value| {
            let managed = properties::open(dir.path(), &host);
            let resources = load(&managed.blobs, wanted);
            let mut converger = Converger::begin(managed, resources, Enforcement::Enforce, now()).unwrap();
            converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap()
        };
        follow(&json!({}));
        let crashed = crash_at(at, || drop(follow(&wanted))).is_none();
        let (key, certificate) = (text(&host, "/etc/web.key"), text(&host, "/etc/web.pem"));
        gaps += usize::from(key.is_some() && certificate.is_none());

        follow(&wanted);
        let context = format!("crash at {at}");
        let pair = (text(&host, "/etc/web.key").unwrap(), text(&host, "/etc/web.pem").unwrap());
        assert!(key.is_none_or(|key| key == pair.0), "{context}: a key is never replaced");
        assert_eq!(host.tree()["/etc/web.key"].mode, 0o600, "{context}");
        let public = |pem: &str| {
            x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.parse_x509().unwrap().public_key().raw.to_vec()
        };
        let key = rcgen::KeyPair::from_pem(&pair.0).unwrap();
        assert_eq!(public(&pair.1), rcgen::PublicKeyData::subject_public_key_info(&key), "{context}");
        assert!(!host.ran().is_empty(), "{context}: the reaction is owed");
        let left = follow(&wanted);
        assert_eq!(left.changes(), 0, "{context}");

        follow(&json!({}));
        let left: Vec<String> = host.tree().into_keys().collect();
        assert_eq!(left, ["/", "/etc", "/etc/web.key"], "{context}");
        if !crashed {
            assert!(gaps > 0, "no crash between key and certificate");
            return;
        }
    }
}
