//! Secrets in each place where one may stand, on a real host: there, and nowhere else.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use muster_schema::Sha256Digest;
use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::need;
use muster_tests::wait::wait_until;

const FIRST: &str = "correct-horse-battery-staple";
const SECOND: &str = "wrong-donkey-charger-paperclip";
const HASHES: [&str; 2] =
    ["$6$first$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iw", "$6$second$IxDD3jeSOb5eB1CX5LBsqZFVk"];

/// What is told of the command is a digest of what it was given, and what everybody sees of it while it runs.
const RESOURCES: &str = r#"
resources:
  directories: {/etc/app: {}}
  files:
    /etc/app/file: {content: "a={{ secret('it') }}\n"}
    /etc/app/refused:
      content: "a={{ secret('it') }}\n"
      validate: [sh, -c, "cat \"$0\"; cat \"$0\" >&2; exit 1", "{path}"]
  lines:
    db: {path: /etc/app/lines, match: "a=*", line: "a={{ secret('it') }}"}
  blocks:
    db: {path: /etc/app/block, content: "a={{ secret('it') }}\n"}
  settings_files:
    db: {path: /etc/app/settings.yaml, key: a, value: "{{ secret('it') }}"}
  users:
    anna: {password: "{{ secret('hash') }}"}
  commands:
    tells:
      argv: [sh, -c, "(printf %s \"$TOKEN\" | sha256sum; sha256sum; stat -c %a /proc/$$/environ; cat /proc/[0-9]*/cmdline | tr '\\0' ' ') >/var/tmp/tells"]
      env: {TOKEN: "{{ secret('it') }}"}
      stdin: "{{ secret('it') }}"
    fails:
      argv: [sh, -c, "echo $TOKEN; cat >&2; echo $TOKEN >&2; exit 3"]
      env: {TOKEN: "{{ secret('it') }}"}
      stdin: "{{ secret('it') }}"
"#;

fn muster(real: &RealFleet<1>, arguments: &[&str], input: &str) -> String {
    let mut command = real.fleet.muster(arguments).unwrap();
    command.current_dir(real.fleet.repository.work());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn lab_a_secret_is_where_it_is_for_and_nobody_tells_it() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["db-1"]).unwrap();
    let [host] = &real.hosts;
    let fleet = &real.fleet;
    let identity = real.lab.folder().join("admin.key").to_str().unwrap().to_owned();
    let admin = muster(&real, &["secret", "keygen", &identity], "").lines().next().unwrap().trim().to_owned();
    let path = "environments/production/hosts/db-1.yaml";
    fleet.repository.write(path, "labels: {role: db}\n").unwrap();
    fleet.repository.publish("hosts: Declare").unwrap();
    fleet.wait_pending("db-1").unwrap();
    muster(&real, &["host", "approve", "db-1", "--yes"], "");
    let set = |it: &str, hash: &str| {
        muster(&real, &["secret", "set", "it", "--hosts", "role=db", "--admin", &admin], it);
        muster(&real, &["secret", "set", "hash", "--hosts", "role=db"], hash);
    };
    set(FIRST, HASHES[0]);
    let text = std::fs::read_to_string(fleet.repository.work().join(path)).unwrap();
    fleet.repository.write(path, text + RESOURCES.trim_start()).unwrap();
    fleet.repository.publish("db-1: Use the secret").unwrap();

    for (it, hash) in [(FIRST, HASHES[0]), (SECOND, HASHES[1])] {
        set(it, hash);
        let digest = format!("{}  -", Sha256Digest::of(it.as_bytes()));
        wait_until("the secret in its places", SOON, || {
            host.read_file("/var/tmp/tells").is_ok_and(|text| text.matches(&digest).count() == 2)
                && host.read_file("/etc/shadow").is_ok_and(|text| text.contains(&format!("anna:{hash}:")))
                && ["file", "lines", "block", "settings.yaml"]
                    .iter()
                    .all(|name| host.read_file(&format!("/etc/app/{name}")).is_ok_and(|text| text.contains(it)))
        })
        .unwrap();
    }
    let tells = host.read_file("/var/tmp/tells").unwrap();
    assert!(tells.contains("\n400\n") && tells.contains("muster-agent run"), "{tells}");
    let refused = |host: &serde_json::Value| host["health"] == "Degraded";
    fleet.wait_host("db-1", "to tell of what fails", refused).unwrap();

    // What people can ask.
    let needles = [FIRST, SECOND, HASHES[0], HASHES[1]];
    let digests = needles.map(|needle| Sha256Digest::of(needle.as_bytes()).to_string());
    let silent = |what: &str, said: &str| {
        let found = needles.iter().copied().chain(digests.iter().map(String::as_str)).find(|it| said.contains(it));
        assert!(found.is_none(), "{what} tells {}: {said}", found.unwrap_or_default());
    };
    for path in ["hosts", "hosts/db-1", "fleet", "findings", "revisions"] {
        silent(path, &fleet.fetch(path).unwrap().to_string());
    }
    let addresses = [
        "files/etc/app/file",
        "files/etc/app/refused",
        "lines/db",
        "blocks/db",
        "settings_files/db",
        "users/anna",
        "commands/tells",
        "commands/fails",
    ];
    let mut told = String::new();
    for address in addresses {
        let answer = fleet.fetch(&format!("hosts/db-1/v1/{address}")).unwrap().to_string();
        silent(address, &answer);
        for command in ["query", "why"] {
            let said = muster(&real, &[command, "db-1", address], "");
            silent(&format!("muster {command} {address}"), &said);
            told += &said;
        }
    }
    assert!(told.contains("ended with code 3: what it says is not told"), "{told}");
    assert!(told.contains("ended with code 1: what it says is not told"), "{told}");
    for arguments in
        [&["plan"][..], &["render", "db-1"], &["get", "hosts"], &["secret", "ls"], &["query", "db-1", "users"]]
    {
        silent(&format!("muster {arguments:?}"), &muster(&real, arguments, ""));
    }
    for line in
        ["muster-agent plan", "muster-agent status", "muster-agent facts", "journalctl --no-pager --output=verbose"]
    {
        let output = host.run(&["sh", "-c", line]).unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.is_empty(), "{line}");
        silent(line, &String::from_utf8_lossy(&said));
    }

    // What is on the host: store, originals, journal, all else.
    let search =
        "grep -rlaF -e \"$0\" -e \"$1\" -e \"$2\" -e \"$3\" / --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev";
    let output = host.run(&["sh", "-c", search, needles[0], needles[1], needles[2], needles[3]]).unwrap();
    let mut holding: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    holding.sort();
    let places = ["/etc/app/block", "/etc/app/file", "/etc/app/lines", "/etc/app/settings.yaml", "/etc/shadow"];
    assert_eq!(holding.iter().filter(|path| *path != "/etc/shadow-").collect::<Vec<_>>(), places);

    // Git with the status branch, unpacked; the folders of orchestrator and broker.
    let mut git = Command::new("git");
    fleet.repository.as_operator(&mut git);
    git.arg("-C").arg(fleet.repository.bare());
    let objects = git.args(["cat-file", "--batch-all-objects", "--batch"]).output().unwrap().stdout;
    let objects = String::from_utf8_lossy(&objects);
    assert!(objects.contains("secret('it')"), "objects are read");
    silent("Git", &objects);
    let folder = fleet.data().parent().map(PathBuf::from).unwrap();
    let mut grep = Command::new("grep");
    needles.iter().for_each(|needle| _ = grep.args(["-e", needle]));
    let found = grep.args(["-rlaF"]).arg(&folder).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&found), "");
}
