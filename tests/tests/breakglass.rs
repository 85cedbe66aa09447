//! Break-glass: people give one host a revision while the orchestrator is away, and it goes on afterwards. Real server,
//! agent, Git and keys; minisign by hand.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::programs;
use muster_tests::wait::wait_until;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const APPLICATION: &str = "applications/base/application.yaml";

struct Site {
    fleet: Fleet,
    agent: SandboxAgent,
    folder: tempfile::TempDir,
}

impl Site {
    /// A running fleet of one host. Ann and Ben have a key each, which has no role yet.
    fn begin() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
        fleet.start().unwrap();
        let mut agent = SandboxAgent::make(&fleet, folder.path(), "one").unwrap();
        agent.start().unwrap();
        let site = Site { fleet, agent, folder };
        site.write("first");
        let approved = site.fleet.approve("production", "one", "applications: {base: {}}\n").unwrap();
        site.fleet.wait_synced("one", &approved).unwrap();
        fs::write(site.path("password"), "open sesame\n").unwrap();
        for name in ["ann", "ben"] {
            let mut create = site.fleet.muster(&["key", "create"]).unwrap();
            create.arg(site.path(name)).arg("--password-file").arg(site.path("password"));
            done(create.output().unwrap());
        }
        wait_until("the facts", SOON, || {
            let listed = site.fleet.repository.git_bare(&["ls-tree", "-r", "--name-only", "status", "facts/"]);
            listed.is_ok_and(|names| names.contains("/one.json.minisig"))
        })
        .unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Both must sign, from the second root document on.
    fn give_role(&self) {
        self.fleet.give_role("breakglass", 2, &[self.path("ann.pub"), self.path("ben.pub")]).unwrap();
        wait_until("the agent to follow", SOON, || self.agent.log().contains("followed the root")).unwrap();
    }

    fn write(&self, text: &str) {
        let file =
            format!("resources:\n  files:\n    /etc/motd: {{content: \"{text} on {{{{ facts.hostname }}}}\\n\"}}\n");
        self.fleet.repository.write(APPLICATION, file).unwrap();
    }

    fn has(&self, text: &str) -> bool {
        let motd = self.agent.root().join("etc/motd");
        fs::read_to_string(motd).is_ok_and(|found| found.starts_with(&format!("{text} on ")))
    }

    fn push(&self, text: &str) -> String {
        self.write(text);
        self.fleet.repository.publish(text).unwrap()
    }

    /// What a person keeps elsewhere: a clone, and the root documents.
    fn away(&self, name: &str) -> PathBuf {
        let clone = self.path(name);
        let mut git = Command::new("git");
        self.fleet.repository.as_operator(&mut git);
        git.args(["clone", "--quiet"]).arg(self.fleet.repository.bare()).arg(&clone);
        done(git.output().unwrap());
        let roots = clone.join("roots");
        fs::create_dir(&roots).unwrap();
        for entry in fs::read_dir(self.fleet.keys()).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().contains(".root.json") {
                fs::copy(entry.path(), roots.join(entry.file_name())).unwrap();
            }
        }
        clone
    }

    fn on_host(&self, arguments: &[&Path]) -> Output {
        let mut ask = Command::new(programs::agent().unwrap());
        ask.arg("breakglass").args(arguments).arg("--config").arg(self.path("one/agent.yaml"));
        ask.output().unwrap()
    }

    fn challenge(&self, name: &str) -> PathBuf {
        let told = done(self.on_host(&[Path::new("request")]));
        let file = self.path(name);
        fs::write(&file, told).unwrap();
        file
    }

    /// `muster breakglass begin one …` at a clone, signed by Ann.
    fn begin_bundle(&self, challenge: &Path, clone: &Path, out: &Path, more: &[&str]) -> Output {
        let mut begin = self.person("ann", clone, &["breakglass", "begin", "one"]);
        begin.arg("--challenge").arg(challenge).arg("--out").arg(out).arg("--roots").arg(clone.join("roots"));
        begin.args(more).output().unwrap()
    }

    fn sign_bundle(&self, name: &str, clone: &Path, bundle: &Path) -> Output {
        self.person(name, clone, &["breakglass", "sign"]).arg(bundle).output().unwrap()
    }

    fn person(&self, name: &str, clone: &Path, arguments: &[&str]) -> Command {
        let mut muster = self.fleet.muster(arguments).unwrap();
        muster.args(["--trust", self.fleet.first_commit(), "--yes"]).arg("--repo").arg(clone);
        muster.arg("--status-key").arg(self.fleet.keys().join("status.pub"));
        muster.arg("--key").arg(self.path(name).with_extension("key"));
        muster.arg("--password-file").arg(self.path("password"));
        muster
    }

    fn audited(&self, code: &str) -> bool {
        let log = fs::read_to_string(self.fleet.data().join("audit.log")).unwrap_or_default();
        log.contains(&format!("\"code\":\"{code}\""))
    }
}

#[track_caller]
fn done(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains(why), "{why:?}: {output:?}");
}

/// Whether stock minisign takes a file of the bundle for the one of this key.
fn by_hand(bundle: &Path, name: &str, public: &Path) -> bool {
    let text = fs::read_to_string(public).unwrap();
    let key: muster_schema::PublicKey = text.lines().nth(1).unwrap().parse().unwrap();
    let mut minisign = Command::new("minisign");
    minisign.arg("-VHm").arg(bundle.join(name)).arg("-x");
    minisign.arg(bundle.join(format!("{name}.{}.minisig", key.id()))).arg("-p").arg(public);
    minisign.output().unwrap().status.success()
}

#[test]
fn people_help_a_host_without_the_orchestrator_which_goes_on_afterwards() {
    let mut site = Site::begin();
    // Without the role nothing is there to be used, and both sides say so.
    refused(&site.on_host(&[Path::new("request")]), "BreakGlassNoRole");
    site.give_role();
    site.fleet.kill().unwrap();
    let commit = site.push("second");
    let clone = site.away("clone");
    let (challenge, bundle) = (site.challenge("challenge"), site.path("bundle"));
    let told = done(site.begin_bundle(&challenge, &clone, &bundle, &[]));
    assert!(told.contains("1 of 2 have signed"), "{told}");
    refused(&site.on_host(&[Path::new("apply"), &bundle]), "HeadSignature");
    assert!(site.has("first"));

    // Ben has a clone of his own, in which a status commit may have come meanwhile.
    let told = done(site.sign_bundle("ben", &site.away("clone of ben"), &bundle));
    assert!(told.contains("it is the same") && told.contains("Enough have signed"), "{told}");
    for name in ["head.json", "manifest.json"] {
        assert!(by_hand(&bundle, name, &site.path("ann.pub")) && by_hand(&bundle, name, &site.path("ben.pub")));
    }
    let told = done(site.on_host(&[Path::new("apply"), &bundle]));
    assert!(told.contains(&commit), "{told}");
    wait_until("the second", SOON, || site.has("second")).unwrap();
    refused(&site.on_host(&[Path::new("apply"), &bundle]), "BreakGlass");
    let status = || done(site.agent.ask("status").unwrap().output().unwrap());
    wait_until("the status", SOON, || status().contains("Degraded/BreakGlass: by break-glass keys")).unwrap();

    // The orchestrator comes back, takes the revision up, and its manifest takes the place of that of Ann and Ben.
    site.fleet.start().unwrap();
    site.fleet.wait_synced("one", &commit).unwrap();
    wait_until("the end", SOON, || site.audited("BreakGlassEnded") || !site.audited("BreakGlass")).unwrap();
    let commit = site.push("third");
    site.fleet.wait_synced("one", &commit).unwrap();
    assert!(site.has("third"));
}

#[test]
fn the_orchestrator_says_loudly_what_people_did_and_takes_the_host_back() {
    let site = Site::begin();
    site.give_role();
    let second = site.push("second");
    site.fleet.wait_synced("one", &second).unwrap();
    let third = site.push("third");
    site.fleet.wait_synced("one", &third).unwrap();
    let clone = site.away("clone");
    let (challenge, bundle) = (site.challenge("challenge"), site.path("bundle"));
    done(site.begin_bundle(&challenge, &clone, &bundle, &["--at", &second]));
    done(site.sign_bundle("ben", &clone, &bundle));
    done(site.on_host(&[Path::new("apply"), &bundle]));
    wait_until("the second again", SOON, || site.has("second")).unwrap();
    let told = site.fleet.wait_host("one", "to say it", |host| host["reason"] == "BreakGlass").unwrap();
    assert_eq!(told["health"], "Degraded");
    let text = fs::read_to_string(site.path("ann.pub")).unwrap();
    let ann: muster_schema::PublicKey = text.lines().nth(1).unwrap().parse().unwrap();
    assert!(told["message"].to_string().contains(&ann.id().to_string()), "{told}");
    wait_until("the audit log", SOON, || site.audited("BreakGlass")).unwrap();
    wait_until("the status branch", SOON, || {
        let listed = site.fleet.repository.git_bare(&["log", "-p", "--format=%H", "status", "--", "hosts"]);
        listed.is_ok_and(|text| text.contains("+health: Degraded/BreakGlass") && text.contains(&ann.to_string()))
    })
    .unwrap();

    // Within half a minute it publishes above that serial, though the repository says nothing new.
    wait_until("the third again", SOON, || site.has("third")).unwrap();
    site.fleet.wait_synced("one", &third).unwrap();
    wait_until("the end", SOON, || site.audited("BreakGlassEnded")).unwrap();
}

#[test]
fn what_was_not_rendered_from_a_verified_clone_is_not_signed() {
    let site = Site::begin();
    site.give_role();
    let clone = site.away("clone");
    let challenge = site.challenge("challenge");
    // An unsigned commit in the clone.
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&clone).args(["-c", "user.name=E", "-c", "user.email=e@example.org"]);
        done(git.args(["-c", "commit.gpgsign=false"]).args(arguments).output().unwrap());
    };
    fs::write(clone.join(APPLICATION), "resources: {files: {/etc/motd: {content: \"evil\"}}}\n").unwrap();
    git(&["commit", "--quiet", "-am", "evil"]);
    refused(&site.begin_bundle(&challenge, &clone, &site.path("evil"), &[]), "refused: not signed");
    assert!(!site.path("evil").exists());
    // Another host than the one of the challenge.
    let mut other = site.person("ann", &clone, &["breakglass", "begin", "two", "--at", "HEAD~1"]);
    other.arg("--challenge").arg(&challenge).arg("--out").arg(site.path("other"));
    refused(&other.arg("--roots").arg(clone.join("roots")).output().unwrap(), "the challenge is of host one");
    // A bundle that somebody changed after Ann had signed is not signed by Ben.
    let bundle = site.path("bundle");
    done(site.begin_bundle(&challenge, &clone, &bundle, &["--at", "HEAD~1"]));
    let manifest = fs::read_to_string(bundle.join("manifest.json")).unwrap();
    let changed = manifest.replace("\"/etc/motd\"", "\"/etc/mote\"").replace("files/etc/motd", "files/etc/mote");
    assert_ne!(manifest, changed);
    let head = fs::read_to_string(bundle.join("head.json")).unwrap();
    let digest = |text: &str| muster_schema::Sha256Digest::of(text.as_bytes()).to_string();
    fs::write(bundle.join("head.json"), head.replace(&digest(&manifest), &digest(&changed))).unwrap();
    fs::write(bundle.join("manifest.json"), &changed).unwrap();
    refused(&site.sign_bundle("ben", &clone, &bundle), "comes to another manifest here");
    // A key without the role.
    fs::write(bundle.join("head.json"), head).unwrap();
    fs::write(bundle.join("manifest.json"), manifest).unwrap();
    let mut stranger = site.fleet.muster(&["breakglass", "sign", "--yes"]).unwrap();
    stranger.arg(&bundle).arg("--key").arg(site.fleet.keys().join("render.key"));
    refused(&stranger.output().unwrap(), "is no break-glass key");
}
