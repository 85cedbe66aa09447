//! The sealer: a host that is approved has its secrets without a person. Real server, agent, Git, keys and signatures.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use muster_tests::fleet::{Fleet, OPERATOR, SOON, SandboxAgent, allowed_signer, make_key};
use muster_tests::process::Process;
use muster_tests::wait::wait_until;

const SEALER: &str = "sealer@example.org";
const SECRET: &str = "correct horse battery";
const RECIPIENTS: &str = "secrets/recipients.yaml";
const HOST: &str = "labels: {role: db}\nresources:\n  files: {/etc/app: {content: \"{{ secret('db') }}\\n\"}}\n";

struct Sealing {
    fleet: Fleet,
    folder: tempfile::TempDir,
}

impl Sealing {
    /// A running fleet with a sealer that may change what `paths` names, and two secrets for role=db: `db`, which is the
    /// sealer's as well, and `own`, which is not.
    fn begin(paths: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
        fleet.start().unwrap();
        let sealing = Sealing { fleet, folder };
        let [admin, sealer] = ["admin", "sealer"].map(|name| {
            let file = sealing.path(&format!("{name}.key"));
            sealing.muster(&["secret", "keygen", file.to_str().unwrap()], "").trim().to_owned()
        });
        make_key(&sealing.path("signs"), SEALER).unwrap();
        let signers = sealing.fleet.repository.allowed_signer().unwrap();
        let signers = signers + &allowed_signer(SEALER, &sealing.path("signs")).unwrap();
        sealing.fleet.repository.write("policy/allowed_signers", signers).unwrap();
        let of_sealer = format!("{{who: [{SEALER}], may: [write, merge], paths: [{paths}]}}");
        let access = format!("rules:\n  - {{who: [{OPERATOR}], may: [all]}}\n  - {of_sealer}\n");
        sealing.fleet.repository.write("policy/access.yaml", access).unwrap();
        let rules = "secrets:\n  db: {hosts: \"role=db\", sealer: true}\n  own: {hosts: \"role=db\"}\n";
        let text = format!("admins: [{admin}]\nsealers: [{sealer}]\n{rules}");
        sealing.fleet.repository.write(RECIPIENTS, text).unwrap();
        sealing.fleet.repository.write("environments/production/hosts/db-1.yaml", HOST).unwrap();
        sealing.fleet.repository.publish("fleet: Take a sealer").unwrap();
        sealing.muster(&["secret", "set", "db"], SECRET);
        sealing.muster(&["secret", "set", "own"], SECRET);
        sealing
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn muster(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.fleet.muster(arguments).unwrap();
        command.current_dir(self.fleet.repository.work());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "muster {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn sealer(&self) -> Command {
        let mut command = self.fleet.muster(&["sealer", "--email", SEALER, "--poll", "1"]).unwrap();
        command.args(["--trust", self.fleet.first_commit(), "--repo"]).arg(self.fleet.repository.bare());
        command.arg("--data").arg(self.path("sealing")).arg("--identity").arg(self.path("sealer.key"));
        command.arg("--signing-key").arg(self.path("signs"));
        command
    }

    /// One look: its exit code and what it says.
    fn look(&self) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.sealer().arg("--once").output().unwrap();
        (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }

    fn tip(&self) -> String {
        self.fleet.repository.git_bare(&["rev-parse", "main"]).unwrap()
    }

    /// Whom a secret is encrypted to.
    fn readers(&self, name: &str) -> Vec<String> {
        let text = self.fleet.repository.read("main", &format!("secrets/{name}.recipients")).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    /// A host with a key for secrets, by a signed commit, and no agent.
    fn declare(&self, name: &str, role: &str) -> String {
        let key = self.path(&format!("{name}.key"));
        let recipient = self.muster(&["secret", "keygen", key.to_str().unwrap()], "").trim().to_owned();
        let text = format!("recipient: {recipient}\nlabels: {{role: {role}}}\n");
        self.fleet.repository.write(&format!("environments/staging/hosts/{name}.yaml"), text).unwrap();
        recipient
    }

    fn pull(&self) {
        self.fleet.repository.git(&["pull", "--quiet", "--ff-only", "origin", "main"]).unwrap();
    }
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == text)
}

const CIPHERTEXTS: &str = "\"secrets/*.age\", \"secrets/*.recipients\"";

#[test]
fn a_host_that_is_approved_has_its_secret_without_a_person() {
    let sealing = Sealing::begin(CIPHERTEXTS);
    let mut sealer = Process::start("muster sealer", sealing.sealer(), &sealing.path("sealer.log")).unwrap();
    let mut agent = SandboxAgent::make(&sealing.fleet, sealing.folder.path(), "db-1").unwrap();
    agent.start().unwrap();
    sealing.fleet.wait_pending("db-1").unwrap();
    let own = sealing.readers("own");
    sealing.muster(&["host", "approve", "db-1", "--yes"], "");
    let approved = sealing.tip();
    let file = agent.root().join("etc/app");
    wait_until("the file with the secret", SOON, || holds(&file, &format!("{SECRET}\n"))).unwrap();

    // One commit of its own, with the two files of the secret that is its own.
    sealing.pull();
    let git = |arguments: &[&str]| sealing.fleet.repository.git(arguments).unwrap();
    let made = format!("{approved}..main");
    assert_eq!(git(&["rev-list", "--count", &made]), "1");
    assert_eq!(git(&["log", "-1", "--format=%ae %s", "main"]), format!("{SEALER} secrets: Re-encrypt db"));
    assert_eq!(git(&["diff", "--name-only", &approved, "main"]), "secrets/db.age\nsecrets/db.recipients");
    assert_eq!(sealing.readers("db").len(), 3);
    assert_eq!(sealing.readers("own"), own);
    sealing.fleet.wait_synced("db-1", &sealing.tip()).unwrap();

    // A host of another role is nothing to it; one that leaves is a recipient no more.
    let other = sealing.declare("web-1", "web");
    let second = sealing.declare("db-2", "db");
    sealing.fleet.repository.publish("hosts: Approve two").unwrap();
    wait_until("db-2 to be a recipient", SOON, || sealing.readers("db").contains(&second)).unwrap();
    assert!(!sealing.readers("db").contains(&other));
    sealing.pull();
    sealing.fleet.repository.remove("environments/staging/hosts/db-2.yaml").unwrap();
    sealing.fleet.repository.publish("hosts: Retire db-2").unwrap();
    wait_until("db-2 to be none", SOON, || !sealing.readers("db").contains(&second)).unwrap();
    // It says so after the push.
    let log = || fs::read_to_string(sealing.path("sealer.log")).unwrap();
    wait_until("what the sealer says", SOON, || log().matches("Re-encrypted by").count() == 3).unwrap();
    sealer.stop(Duration::from_secs(10)).unwrap();
    assert!(!log().contains(SECRET), "{}", log());
}

#[test]
fn a_sealer_gives_nothing_away_that_no_signed_commit_says() {
    let sealing = Sealing::begin(CIPHERTEXTS);
    assert_eq!(sealing.look(), (Some(0), String::new()));

    // A host that nobody with a key approved: the repository is refused as a whole.
    let tip = sealing.fleet.repository.tip().unwrap();
    sealing.declare("db-2", "db");
    sealing.fleet.repository.commit_unsigned("hosts: Approve db-2").unwrap();
    sealing.fleet.repository.push().unwrap();
    let unsigned = sealing.tip();
    let (code, told) = sealing.look();
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("the clone is refused"), "{told}");
    assert_eq!(sealing.tip(), unsigned);
    sealing.fleet.repository.rewind(&tip).unwrap();

    // Another admin is a person's business.
    let rules = sealing.fleet.repository.read("main", RECIPIENTS).unwrap();
    let key = sealing.path("other.key");
    let other = sealing.muster(&["secret", "keygen", key.to_str().unwrap()], "").trim().to_owned();
    let more = rules.replace("admins: [", &format!("admins: [{other}, "));
    sealing.fleet.repository.write(RECIPIENTS, more + "\n").unwrap();
    sealing.declare("db-3", "db");
    let tip = sealing.fleet.repository.publish("secrets: Take another admin").unwrap();
    let (code, told) = sealing.look();
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(&format!("{other} is an admin or sealer who cannot read it yet")), "{told}");
    assert!(!told.contains("own is left"), "a secret without 'sealer: true' is nothing to it: {told}");
    assert_eq!(sealing.tip(), tip);

    // A ciphertext under another name would open one secret to the hosts of another.
    sealing.fleet.repository.write(RECIPIENTS, rules + "\n  copy: {hosts: \"role=web\", sealer: true}\n").unwrap();
    let work = sealing.fleet.repository.work();
    for ending in ["age", "recipients"] {
        fs::copy(work.join(format!("secrets/db.{ending}")), work.join(format!("secrets/copy.{ending}"))).unwrap();
    }
    fs::remove_file(work.join("environments/staging/hosts/db-3.yaml")).unwrap();
    let web = sealing.declare("web-1", "web");
    sealing.fleet.repository.publish("secrets: Copy one").unwrap();
    let (code, told) = sealing.look();
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("its ciphertext was the secret db before"), "{told}");
    assert!(!sealing.readers("copy").contains(&web));
}

#[test]
fn a_sealer_whose_commit_would_be_refused_pushes_none() {
    let sealing = Sealing::begin("\"secrets/else.age\"");
    sealing.declare("db-2", "db");
    let tip = sealing.fleet.repository.publish("hosts: Approve db-2").unwrap();
    let (code, told) = sealing.look();
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("would refuse the sealer's commit"), "{told}");
    assert_eq!(sealing.tip(), tip);
}

#[test]
fn a_sealer_that_others_outrun_begins_again_with_what_they_pushed() {
    let sealing = Sealing::begin(CIPHERTEXTS);
    let second = sealing.declare("db-2", "db");
    sealing.fleet.repository.publish("hosts: Approve db-2").unwrap();
    // Somebody else's push arrives while the sealer's is on its way.
    let third = sealing.declare("db-3", "db");
    sealing.fleet.repository.commit("hosts: Approve db-3").unwrap();
    sealing.fleet.repository.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).unwrap();
    let hook = sealing.fleet.repository.bare().join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let moved = sealing.path("moved");
    let script = format!(
        "#!/bin/sh\nrm \"$0\"\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main refs/heads/theirs && touch {}\n",
        moved.display()
    );
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let (code, told) = sealing.look();
    assert_eq!(code, Some(0), "{told}");
    assert!(moved.exists(), "the hook ran: {told}");
    let readers = sealing.readers("db");
    assert!(readers.contains(&second) && readers.contains(&third), "{readers:?}");
    sealing.pull();
    let git = |arguments: &[&str]| sealing.fleet.repository.git_bare(arguments).unwrap();
    assert_eq!(git(&["rev-parse", "main^"]), git(&["rev-parse", "theirs"]));
    sealing.fleet.wait_verified("Verified", &sealing.tip()).unwrap();
}
