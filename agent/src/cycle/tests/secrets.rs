//! Secrets from the published tree to the file: it holds them, and nothing else does.

#![allow(clippy::disallowed_methods)]

use super::harness::Agent;
use super::live::ask;
use muster_schema::Sha256Digest;
use muster_schema::api::Method;
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file whose content is `password=` and the secret.
pub(super) fn file(agent: &Agent, ciphertext: &[u8], more: Value) -> Value {
    let orchestrator = &agent.orchestrator;
    let mut file = more;
    let secret = json!({"name": "db", "ciphertext": orchestrator.binary_blob(ciphertext)});
    file["content"] = json!({"segments": [{"literal": orchestrator.blob("password=")}, {"secret": secret}]});
    file
}

pub(super) fn encrypted(agent: &Agent, plaintext: &str) -> Vec<u8> {
    age::encrypt(&agent.recipient(), plaintext.as_bytes()).unwrap()
}

/// All files below `dir` that hold `needle`, as it is or in base64.
pub(super) fn holders(dir: &Path, needle: &str) -> Vec<PathBuf> {
    use base64::Engine as _;
    // Without the characters that depend on what stands beside it.
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(needle);
    let needles = [needle.as_bytes(), &base64.as_bytes()[..base64.len() - 2]];
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(holders(&entry, needle));
        } else if let Ok(bytes) = fs::read(&entry) {
            let holds = |needle: &&[u8]| bytes.windows(needle.len()).any(|window| window == *needle);
            found.extend(needles.iter().any(holds).then_some(entry));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_its_file_and_nowhere_else() {
    let mut agent = Agent::begin().await;
    let first = "correct-horse-battery-staple";
    let second = "wrong-donkey-charger-paperclip";
    let found = "found-before-by-somebody";
    fs::write(agent.path("etc/other"), format!("password={found}")).unwrap();
    let others = json!({"confirm": ["/bin/true"]});
    let resources = |agent: &Agent, plaintext: &str| {
        let ciphertext = encrypted(agent, plaintext);
        json!({
            "files/etc/app": file(agent, &ciphertext, json!({})),
            "files/etc/other": file(agent, &ciphertext, others.clone()),
            "files/etc/shared": file(agent, &ciphertext, json!({"mode": "0640"})),
        })
    };
    agent.orchestrator.publish(&resources(&agent, first));
    agent.wait_for("etc/app", Some(&format!("password={first}"))).await;
    agent.wait_for("etc/other", Some(&format!("password={first}"))).await;
    agent.wait_for("etc/shared", Some(&format!("password={first}"))).await;
    let mode = |agent: &Agent, path: &str| fs::metadata(agent.path(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(["etc/app", "etc/other", "etc/shared"].map(|path| mode(&agent, path)), [0o600, 0o600, 0o640]);
    agent.wait_for_transitions(3).await;

    // Another secret, with what was there kept where it is confirmed.
    agent.orchestrator.publish(&resources(&agent, second));
    agent.wait_for("etc/other", Some(&format!("password={second}"))).await;
    agent.wait_for("etc/shared", Some(&format!("password={second}"))).await;
    for (id, target) in (1..).zip(["/v1/files", "/v1/files/etc/app", "/v1/files/etc/other", "/v1/plan", "/v1"]) {
        let method = if target == "/v1/plan" { Method::Post } else { Method::Get };
        let (status, answer) = ask(&agent, id, method, target).await;
        let answer = answer.to_string();
        assert_eq!(status, 200, "{target}: {answer}");
        assert!(![first, second, found].iter().any(|secret| answer.contains(secret)), "{target}: {answer}");
        let digest = Sha256Digest::of(format!("password={second}").as_bytes()).to_string();
        assert!(!answer.contains(&digest), "{target} tells the digest: {answer}");
        let masked = target != "/v1/files/etc/app" || answer.contains("***");
        assert!(masked, "{answer}");
    }
    let reports = serde_json::to_string(&agent.orchestrator.reports()).unwrap();
    assert!(![first, second, found].iter().any(|secret| reports.contains(secret)), "{reports}");
    agent.stop().await;
    let holding = ["etc/app", "etc/other", "etc/shared"].map(|path| agent.path(path)).to_vec();
    let sorted = |mut paths: Vec<PathBuf>| {
        paths.sort();
        paths
    };
    assert_eq!(sorted(holders(agent.state(), second)), holding);
    assert_eq!(holders(agent.state(), first), Vec::<PathBuf>::new());
    assert_eq!(holders(agent.state(), found), Vec::<PathBuf>::new(), "the original is kept for this host alone");

    // What was there before comes back, and what was made goes.
    agent.start().await;
    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/other", Some(&format!("password={found}"))).await;
    agent.wait_for("etc/app", None).await;
    agent.end().await;
}

#[tokio::test]
async fn a_new_ciphertext_of_the_same_secret_changes_nothing() {
    let mut agent = Agent::begin().await;
    let resources =
        |agent: &Agent, plaintext: &str| json!({"files/etc/app": file(agent, &encrypted(agent, plaintext), json!({}))});
    agent.orchestrator.publish(&resources(&agent, "hunter2hunter2"));
    agent.wait_for("etc/app", Some("password=hunter2hunter2")).await;
    agent.wait_for_transitions(1).await;
    let inode = |agent: &Agent| {
        let meta = fs::metadata(agent.path("etc/app")).unwrap();
        (meta.ino(), meta.mtime_nsec(), meta.ctime_nsec())
    };
    let before = inode(&agent);
    for _ in 0..3 {
        let head = agent.orchestrator.publish(&resources(&agent, "hunter2hunter2"));
        agent.wait_for_report(|report| report.applied.as_ref().is_some_and(|it| it.serial == head.serial)).await;
    }
    agent.restart().await;
    // Drift is put right all the same, with the newest ciphertext.
    assert_eq!(inode(&agent), before, "the file was not touched");
    fs::write(agent.path("etc/app"), "drift").unwrap();
    agent.wait_for("etc/app", Some("password=hunter2hunter2")).await;
    agent.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_any_more_stays_as_it_is() {
    let mut agent = Agent::begin().await;
    agent.write("etc/app", "what was there\n");
    agent.write("etc/lines", "password none\n");
    let resources = |agent: &Agent| {
        let ciphertext = encrypted(agent, "hunter2hunter2");
        json!({
            "files/etc/app": file(agent, &ciphertext, json!({})),
            "lines/db": {"path": "/etc/lines", "match": "password *", "line": text(agent, &ciphertext, "password ", "")},
        })
    };
    agent.orchestrator.publish(&resources(&agent));
    agent.wait_for("etc/app", Some("password=hunter2hunter2")).await;
    agent.wait_for("etc/lines", Some("password hunter2hunter2\n")).await;
    agent.wait_for_transitions(2).await;
    let inodes = |agent: &Agent| ["etc/app", "etc/lines"].map(|path| fs::metadata(agent.path(path)).unwrap().ino());
    let before = inodes(&agent);
    agent.stop().await;
    agent.exchange_age_key();
    agent.start().await;
    agent.wait_for_transitions(4).await;
    assert_eq!(inodes(&agent), before, "the files were not touched");
    let unread = agent.transitions();
    assert!(unread[2..].iter().all(|one| one.to == Some(ResourceState::Blocked)), "{unread:?}");

    // As soon as it is encrypted to the new key, it is as it is to be; and what was found comes back one day.
    let head = agent.orchestrator.publish(&resources(&agent));
    agent.wait_for_report(|report| report.applied.as_ref().is_some_and(|it| it.serial == head.serial)).await;
    assert_eq!(inodes(&agent), before, "the files were not touched");
    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/app", Some("what was there\n")).await;
    agent.wait_for("etc/lines", Some("password none\n")).await;
    agent.end().await;
}

/// What an attribute that is a text has: `before`, the secret, `after`.
fn text(agent: &Agent, ciphertext: &[u8], before: &str, after: &str) -> Value {
    let orchestrator = &agent.orchestrator;
    let secret = json!({"name": "db", "ciphertext": orchestrator.binary_blob(ciphertext)});
    let literal = |text: &str| (!text.is_empty()).then(|| json!({"literal": orchestrator.blob(text)}));
    let segments = [literal(before), Some(json!({"secret": secret})), literal(after)];
    json!({"segments": segments.into_iter().flatten().collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_part_of_a_file_is_there_and_nowhere_else() {
    let mut agent = Agent::begin().await;
    let (first, second, found) =
        ("correct-horse-battery-staple", "wrong-donkey-charger-paperclip", "found-before-by-somebody");
    let lines = |secret: &str| format!("# ours\npassword {secret}\nuser app\n");
    let block = |secret: &str| format!("before\n# BEGIN muster db\nx={secret}\ny=1\n# END muster db\n");
    let yaml = |secret: &str| format!("# ours\ndb:\n  password: {secret}\n  user: app\n");
    let ini = |secret: &str| format!("[db]\npassword = {secret}\n");
    let files = |secret: &str| {
        [
            ("etc/lines", lines(secret)),
            ("etc/block", block(secret)),
            ("etc/a.yaml", yaml(secret)),
            ("etc/b.ini", ini(secret)),
        ]
    };
    for (path, content) in files(found) {
        agent.write(path, &content);
    }
    let resources = |agent: &Agent, plaintext: &str| {
        let ciphertext = encrypted(agent, plaintext);
        let whole = text(agent, &ciphertext, "", "");
        json!({
            "lines/db": {"path": "/etc/lines", "match": "password *", "line": text(agent, &ciphertext, "password ", "")},
            "lines/new": {"path": "/etc/new", "match": "token *", "line": text(agent, &ciphertext, "token ", "")},
            "blocks/db": {"path": "/etc/block", "content": text(agent, &ciphertext, "x=", "\ny=1\n")},
            "settings_files/a": {"path": "/etc/a.yaml", "key": "db.password", "value": whole},
            "settings_files/b": {"path": "/etc/b.ini", "key": "db.password", "value": whole},
        })
    };
    let nobody_tells = |what: &str, said: &str| {
        for secret in [first, second, found] {
            let digest = Sha256Digest::of(secret.as_bytes()).to_string();
            assert!(!said.contains(secret) && !said.contains(&digest), "{what}: {said}");
        }
    };
    agent.orchestrator.publish(&resources(&agent, first));
    for (path, content) in files(first) {
        agent.wait_for(path, Some(&content)).await;
    }
    agent.wait_for("etc/new", Some(&format!("token {first}\n"))).await;
    let mode = fs::metadata(agent.path("etc/new")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600, "a file that is made for a secret is root's alone");
    agent.wait_for_transitions(5).await;
    // Another ciphertext of the same secret is no change; drift is put right.
    let inode = |agent: &Agent| fs::metadata(agent.path("etc/lines")).unwrap().ino();
    let before = inode(&agent);
    let head = agent.orchestrator.publish(&resources(&agent, first));
    agent.wait_for_report(|report| report.applied.as_ref().is_some_and(|it| it.serial == head.serial)).await;
    assert_eq!(inode(&agent), before, "the file was not touched");
    agent.write("etc/a.yaml", &yaml("drift"));
    agent.wait_for("etc/a.yaml", Some(&yaml(first))).await;

    agent.orchestrator.publish(&resources(&agent, second));
    for (path, content) in files(second) {
        agent.wait_for(path, Some(&content)).await;
    }
    let targets = ["/v1/lines/db", "/v1/blocks/db", "/v1/settings_files/a", "/v1/settings_files/b", "/v1", "/v1/plan"];
    for (id, target) in (1..).zip(targets) {
        let method = if target == "/v1/plan" { Method::Post } else { Method::Get };
        let (status, answer) = ask(&agent, id, method, target).await;
        assert_eq!(status, 200, "{target}: {answer}");
        nobody_tells(target, &answer.to_string());
        assert!(id > 4 || answer.to_string().contains("***"), "{target}: {answer}");
    }
    agent.stop().await;
    let holding: Vec<PathBuf> =
        ["etc/a.yaml", "etc/b.ini", "etc/block", "etc/lines", "etc/new"].map(|path| agent.path(path)).into();
    let holding_of = |agent: &Agent, secret: &str| {
        let mut holding = holders(agent.state(), secret);
        holding.sort();
        holding
    };
    assert_eq!(holding_of(&agent, second), holding);
    assert_eq!((holding_of(&agent, first), holding_of(&agent, found)), (Vec::new(), Vec::new()));

    // It becomes a plain text: nobody tells what it was; the next time what was found comes back.
    agent.start().await;
    agent.orchestrator.publish(&json!({
        "lines/db": {"path": "/etc/lines", "match": "password *", "line": "password none"},
        "settings_files/a": {"path": "/etc/a.yaml", "key": "db.password", "value": "none"},
    }));
    agent.wait_for("etc/lines", Some(&lines("none"))).await;
    agent.wait_for("etc/a.yaml", Some(&yaml("none"))).await;
    agent.wait_for("etc/block", Some(&block(found))).await;
    agent.wait_for("etc/b.ini", Some(&ini(found))).await;
    agent.wait_for("etc/new", None).await;
    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/lines", Some(&lines(found))).await;
    agent.wait_for("etc/a.yaml", Some(&yaml(found))).await;
    agent.wait_for_transitions(12).await;
    nobody_tells("reports", &serde_json::to_string(&agent.orchestrator.reports()).unwrap());
    agent.stop().await;
    assert_eq!((holding_of(&agent, first), holding_of(&agent, second)), (Vec::new(), Vec::new()));
}
