//! Secrets from `muster secret set` to the file on the host, by real programs: it is in the file and nowhere else.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::wait::wait_until;
use serde_json::Value;

const FIRST: &str = "correct horse/battery";
const SECOND: &str = "wrong donkey/charger";
const HOST: &str = "labels: {role: db}\nresources:\n  files:\n    /etc/app:\n      \
                    content: \"first={{ secret('db', encode='url') }}\\nsecond={{ secret('db') }}\\n\"\n";

/// Runs `muster` in the operator's clone, with `input` as standard input.
fn run(fleet: &Fleet, arguments: &[&str], input: &str) -> Output {
    let mut command = fleet.muster(arguments).unwrap();
    command.current_dir(fleet.repository.work());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn muster(fleet: &Fleet, arguments: &[&str], input: &str) -> String {
    let output = run(fleet, arguments, input);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "muster {arguments:?}: {told}");
    let said = String::from_utf8(output.stdout).unwrap();
    let shown = arguments[1] == "get";
    assert!(shown || ![FIRST, SECOND].iter().any(|secret| said.contains(secret) || told.contains(secret)), "{said}");
    said
}

/// A running fleet, and an admin: the file of the key, and the key that is public.
fn begin(folder: &Path) -> (Fleet, String, String) {
    let mut fleet = Fleet::make(folder, IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
    fleet.start().unwrap();
    let identity = folder.join("admin.key").to_str().unwrap().to_owned();
    let admin = muster(&fleet, &["secret", "keygen", &identity], "").trim().to_owned();
    (fleet, identity, admin)
}

/// All files below `dir` that hold one of these.
fn holders(dir: &Path, needles: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(holders(&path, needles));
        } else if let Ok(bytes) = fs::read(&path) {
            let holds = |needle: &&str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            found.extend(needles.iter().any(holds).then_some(path));
        }
    }
    found
}

fn content(secret: &str) -> String {
    let url = secret.replace(' ', "%20").replace('/', "%2F");
    format!("first={url}\nsecond={secret}\n")
}

fn wait_content(agent: &SandboxAgent, secret: &str) {
    let file = agent.root().join("etc/app");
    let wanted = content(secret);
    wait_until("the file with the secret", SOON, || fs::read_to_string(&file).is_ok_and(|text| text == wanted))
        .unwrap();
}

/// The commit that a command made and pushed.
fn tip(fleet: &Fleet) -> String {
    fleet.repository.tip().unwrap()
}

#[test]
fn a_secret_reaches_its_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut fleet, identity, admin) = begin(folder);
    let identity = identity.as_str();
    assert_eq!(fs::metadata(identity).unwrap().permissions().mode() & 0o777, 0o600);
    fleet.repository.write("environments/production/hosts/db-1.yaml", HOST).unwrap();
    fleet.repository.write("environments/production/hosts/web-1.yaml", "labels: {role: web}\n").unwrap();
    fleet.repository.publish("hosts: Declare").unwrap();
    muster(&fleet, &["secret", "set", "db", "--hosts", "role=db", "--admin", &admin], FIRST);
    assert_eq!(muster(&fleet, &["secret", "get", "db", "--identity", identity], ""), FIRST);

    // Approved without an admin's key: it waits, and says for what.
    let mut agent = SandboxAgent::make(&fleet, folder, "db-1").unwrap();
    agent.start().unwrap();
    fleet.wait_pending("db-1").unwrap();
    let said = muster(&fleet, &["host", "approve", "db-1", "--yes"], "");
    assert!(said.contains("muster secret rekey db"), "{said}");
    // Until the approval is taken in it waits for that, with the same reason.
    let waits = |host: &Value| {
        let said = host.to_string().contains("muster secret rekey db");
        host["reason"] == "WaitingForRecipient" && host["health"] == "Pending" && said
    };
    fleet.wait_host("db-1", "to wait for the secret, and to say what helps", waits).unwrap();
    assert!(!agent.root().join("etc/app").exists());
    let listed: Value = serde_json::from_str(&muster(&fleet, &["secret", "ls", "-o", "json"], "")).unwrap();
    assert_eq!(listed[0]["missing"], serde_json::json!(["db-1"]), "{listed}");
    assert_eq!(listed[0]["used_in"], serde_json::json!(["environments/production/hosts/db-1.yaml"]), "{listed}");

    muster(&fleet, &["secret", "rekey", "--all", "--identity", identity], "");
    wait_content(&agent, FIRST);
    fleet.wait_synced("db-1", &tip(&fleet)).unwrap();
    let file = agent.root().join("etc/app");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);

    // Another ciphertext of the same secret: the host takes it, and the file stays as it is.
    let before = fs::metadata(&file).unwrap();
    muster(&fleet, &["secret", "set", "db"], FIRST);
    fleet.wait_synced("db-1", &tip(&fleet)).unwrap();
    let after = fs::metadata(&file).unwrap();
    assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()), "the file was touched");

    // Another secret; then nothing anywhere tells of the first.
    muster(&fleet, &["secret", "set", "db"], SECOND);
    wait_content(&agent, SECOND);
    fleet.wait_synced("db-1", &tip(&fleet)).unwrap();
    let needles = [FIRST, SECOND, "correct%20horse", "wrong%20donkey"];
    for path in ["hosts", "hosts/db-1", "fleet", "findings", "revisions", "hosts/db-1/v1/files/etc/app"] {
        let answer = fleet.fetch(path).unwrap().to_string();
        assert!(!needles.iter().any(|needle| answer.contains(needle)), "{path}: {answer}");
    }
    let answer = fleet.fetch("hosts/db-1/v1/files/etc/app").unwrap().to_string();
    assert!(answer.contains("***"), "{answer}");
    // Every object of Git, unpacked: status branch, facts, commits.
    let mut git = Command::new("git");
    fleet.repository.as_operator(&mut git);
    git.arg("-C").arg(fleet.repository.bare());
    let objects = git.args(["cat-file", "--batch-all-objects", "--batch"]).output().unwrap();
    assert!(objects.status.success() && objects.stdout.len() > 1000);
    let objects = String::from_utf8_lossy(&objects.stdout);
    assert!(objects.contains("secret('db'"), "objects are read");
    assert!(!needles.iter().any(|needle| objects.contains(needle)), "Git holds the secret");
    agent.stop().unwrap();
    fleet.stop().unwrap();
    assert_eq!(holders(folder, &needles), [file]);
}

#[test]
fn approving_with_an_admins_key_encrypts_in_the_same_commit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (fleet, identity, admin) = begin(folder);
    let identity = identity.as_str();
    fleet.repository.write("environments/production/hosts/db-1.yaml", HOST).unwrap();
    fleet.repository.publish("hosts: Declare").unwrap();
    muster(&fleet, &["secret", "set", "db", "--hosts", "role=db", "--admin", &admin], FIRST);
    let before = tip(&fleet);
    let mut agent = SandboxAgent::make(&fleet, folder, "db-1").unwrap();
    agent.start().unwrap();
    fleet.wait_pending("db-1").unwrap();
    let said = muster(&fleet, &["host", "approve", "db-1", "--yes", "--identity", identity], "");
    assert!(said.contains("It can read: db"), "{said}");
    let count = fleet.repository.git(&["rev-list", "--count", &format!("{before}..main")]).unwrap();
    assert_eq!(count.trim(), "1");
    wait_content(&agent, FIRST);

    // Nobody else's key opens it, and a key that opens nothing changes nothing.
    let other = folder.join("other.key");
    let other = other.to_str().unwrap();
    muster(&fleet, &["secret", "keygen", other], "");
    let refused = run(&fleet, &["secret", "get", "db", "--identity", other], "");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    let refused = run(&fleet, &["secret", "set", "db", "--hosts", "role=web"], SECOND);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("role=db"));
    let again = muster(&fleet, &["secret", "rekey", "db", "--identity", identity], "");
    assert!(again.contains("nothing was changed"), "{again}");
}

#[test]
fn a_ciphertext_under_another_name_is_opened_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, identity, admin) = begin(folder.path());
    muster(&fleet, &["secret", "set", "db", "--hosts", "role=db", "--admin", &admin], FIRST);
    // Who may write ciphertexts and the rule of a secret of his own takes that of another.
    let work = fleet.repository.work();
    let rules = fs::read_to_string(work.join("secrets/recipients.yaml")).unwrap();
    fleet.repository.write("secrets/recipients.yaml", rules + "\n  copy: {hosts: \"role=web\"}\n").unwrap();
    for ending in ["age", "recipients"] {
        fs::copy(work.join(format!("secrets/db.{ending}")), work.join(format!("secrets/copy.{ending}"))).unwrap();
    }
    let key = "key: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";
    for (name, key) in [("web-1", key), ("web-2", "")] {
        let path = folder.path().join(format!("{name}.key"));
        let recipient = muster(&fleet, &["secret", "keygen", path.to_str().unwrap()], "").trim().to_owned();
        let file = format!("environments/production/hosts/{name}.yaml");
        fleet.repository.write(&file, format!("labels: {{role: web}}\n{key}recipient: {recipient}\n")).unwrap();
    }
    fleet.repository.publish("secrets: Copy one").unwrap();
    let before = tip(&fleet);
    for names in [&["copy"][..], &["--all"]] {
        let output = run(&fleet, &[&["secret", "rekey", "--identity", &identity], names].concat(), "");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("the ciphertext of copy is or was that of db"), "{told}");
    }
    assert_eq!(tip(&fleet), before);
    // Its host goes all the same.
    let output = run(&fleet, &["host", "revoke", "web-1", "--yes", "--identity", &identity], "");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("the ciphertext of copy"), "{told}");
    assert_ne!(tip(&fleet), before);
    // By the value set anew it is a secret of its own.
    muster(&fleet, &["secret", "set", "copy", "--hosts", "role=web"], FIRST);
    muster(&fleet, &["secret", "rekey", "--all", "--identity", &identity], "");
}

#[test]
fn a_file_of_sops_becomes_secrets_or_nothing_does() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fleet = Fleet::make(folder, IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
    // Made by sops itself.
    let sops = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reconciler/src/sops/tests");
    let [file, identity] = ["values.yaml", "identity.txt"].map(|name| sops.join(name).to_str().unwrap().to_owned());
    let admin = "age107k9xd9g70esrd94dffn7thk93v3an70p8hvz008u7r28gppjpuqfcw3t5";
    let import = ["secret", "import", &file, "--prefix", "shop-", "--hosts", "role=db", "--admin", admin];
    let before = tip(&fleet);
    let refused = |arguments: &[&str]| {
        let output = run(&fleet, arguments, "");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        told
    };
    // What is wrong with one value or with who asks changes nothing.
    let damaged = folder.join("values.yaml");
    fs::write(&damaged, fs::read_to_string(&file).unwrap().replace("user_unencrypted: app", "user_unencrypted: root"))
        .unwrap();
    let mut of_damaged = import;
    of_damaged[2] = damaged.to_str().unwrap();
    assert!(refused(&[&of_damaged[..], &["--identity", &identity]].concat()).contains("MAC"));
    let other = folder.join("other.key").to_str().unwrap().to_owned();
    muster(&fleet, &["secret", "keygen", &other], "");
    assert!(refused(&[&import[..], &["--identity", &other]].concat()).contains(admin));
    assert!(refused(&[&import[..5], &["--identity", &identity]].concat()).contains("--hosts"));
    assert!(refused(&["secret", "import", &file, "--key", "nothing", "--identity", &identity]).contains("'nothing'"));
    assert_eq!(
        (tip(&fleet), fleet.repository.git(&["status", "--porcelain"]).unwrap()),
        (before.clone(), String::new())
    );

    let said = muster(&fleet, &[&import[..], &["--identity", &identity]].concat(), "");
    assert!(said.contains("shop-zoo-1-tail.length") && said.contains("database.user_unencrypted"), "{said}");
    let count = fleet.repository.git(&["rev-list", "--count", &format!("{before}..main")]).unwrap();
    assert_eq!(count.trim(), "1");
    let get = |name: &str| muster(&fleet, &["secret", "get", name, "--identity", &identity], "");
    assert_eq!(get("shop-database-password"), "correct horse/battery");
    assert_eq!(get("shop-database-tls"), "true");
    assert_eq!(get("shop-zoo-0"), "bear");
    let listed: Value = serde_json::from_str(&muster(&fleet, &["secret", "ls", "-o", "json"], "")).unwrap();
    let of_shop = listed.as_array().unwrap().iter().filter(|one| one["hosts"] == "role=db");
    assert_eq!(of_shop.count(), 15, "{listed}");

    // Nothing is set anew by accident; one value has the name that it is given.
    assert!(refused(&[&import[..], &["--identity", &identity]].concat()).contains("--replace"));
    let one = ["--key", "zoo.0", "--name", "bear", "--hosts", "role=web", "--identity", &identity];
    muster(&fleet, &[&["secret", "import", &file][..], &one].concat(), "");
    assert_eq!(get("bear"), "bear");
    assert_eq!(holders(folder, &["correct horse", "second line", "ant: eater"]), Vec::<PathBuf>::new());
}
