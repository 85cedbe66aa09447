//! Files that come as a whole: downloads, archives, checkouts, trees of the repository, and folders with all in them.
//!
//! What is fetched is made by tar and git, and served by a web server on the lab's bridge. Everything is asked of the
//! host's disk.

use std::fs;
use std::path::Path;
use std::process::Command;

use muster_tests::fleet::{RealFleet, SOON, StateRepository};
use muster_tests::lab::{GATEWAY, Host};
use muster_tests::need::{self, Need};
use muster_tests::port::free_ports;
use muster_tests::process::{Process, command};
use muster_tests::wait::wait_until;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::web::corrections;

const PYTHON: &str = "/usr/bin/python3";
const APPLICATION: &str = "applications/app/application.yaml";
const PRODUCTION: &str = "environments/production/environment.yaml";

/// What stood there before anybody managed the host.
const FOUND: &str = "set -e
echo found >/usr/local/bin/tool && chmod 700 /usr/local/bin/tool && chown games:games /usr/local/bin/tool
mkdir -p /opt/app/bin /opt/app/theirs /srv/site /srv/data/deep /etc/app.d/sub /etc/app.d/theirs
echo found >/opt/app/bin/run && chmod 600 /opt/app/bin/run && chown daemon:adm /opt/app/bin/run
echo theirs >/opt/app/theirs/file
echo found >/srv/site/index.html
echo found >/srv/data/file && chmod 600 /srv/data/file && chown games:games /srv/data/deep
echo found >/srv/data/deep/file && ln -s file /srv/data/deep/link && chmod 700 /srv/data
echo found >/etc/app.d/sub/main.conf && chmod 640 /etc/app.d/sub/main.conf
echo found >/etc/app.d/foreign.conf && chown daemon /etc/app.d/foreign.conf
echo found >/etc/app.d/theirs/file && ln -s ../foreign.conf /etc/app.d/theirs/link";

const RESOURCES: &str = r#"resources:
  packages:
    git: {no_recommends: true}
  downloads:
    tool: {path: /usr/local/bin/tool, url: "URL/tool", sha256: TOOL, mode: "0755", owner: root, group: root}
    new: {path: /usr/local/bin/new, url: "URL/tool", sha256: TOOL, mode: "0700"}
  archives:
    app: {dest: /opt/app, url: "URL/app.tar.gz", sha256: APP, strip: 1, owner: daemon}
    bundle: {dest: /opt/bundle, source: bundle.tar.gz}
  checkouts:
    site: {dest: /srv/site, url: "URL/site/state.git", revision: COMMIT, requires: [packages/git]}
  directories:
    /etc/app.d: {source: tree, purge: true, mode: "0750"}
    /srv/data: {recurse: true, owner: daemon, group: adm, mode: "0750", file_mode: "0640"}
"#;

/// An address, and harm that is done to what it keeps.
const DRIFTS: [(&str, &str); 15] = [
    ("downloads/tool", "echo tampered >/usr/local/bin/tool"),
    ("downloads/tool", "chmod 777 /usr/local/bin/tool"),
    ("downloads/new", "rm /usr/local/bin/new"),
    ("archives/app", "echo tampered >/opt/app/bin/run"),
    ("archives/app", "rm -r /opt/app/lib"),
    ("archives/app", "chown games /opt/app/lib/deep/part"),
    ("archives/bundle", "ln -sf /etc/passwd /opt/bundle/readme"),
    ("archives/bundle", "rm -r /opt/bundle"),
    ("checkouts/site", "echo tampered >/srv/site/index.html"),
    ("checkouts/site", "rm -r /srv/site/assets"),
    ("files/etc/app.d/sub/main.conf", "echo tampered >/etc/app.d/sub/main.conf"),
    ("directories/etc/app.d", "echo foreign >/etc/app.d/sub/foreign.conf"),
    ("directories/etc/app.d/sub", "chmod 777 /etc/app.d/sub"),
    ("directories/srv/data", "chmod 666 /srv/data/deep/file"),
    ("directories/srv/data", "chown root:root /srv/data/deep"),
];

/// All of it on the host's disk, and what is installed.
fn look(host: &Host) -> String {
    host.exec(
        "cd /; all='usr/local/bin opt srv/site srv/data etc/app.d'
        find $all -printf '%p %y %m %u %g %l\n' | sort; find $all -type f -exec sha256sum {} + | sort -k 2
        dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | grep ^.i",
    )
    .unwrap()
}

/// Runs a program and panics with what it says where it fails.
fn run(program: &str, arguments: &[&str], folder: &Path) {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn sha256_of(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).unwrap()))
}

/// What is to be fetched, in a folder for the web server. Gives the repository, whose bare half is `site/state.git`.
fn make_served(folder: &Path) -> StateRepository {
    fs::create_dir_all(folder.join("app-1/bin")).unwrap();
    fs::create_dir_all(folder.join("app-1/lib/deep")).unwrap();
    fs::write(folder.join("tool"), "#!/bin/sh\necho a tool\n").unwrap();
    fs::write(folder.join("app-1/bin/run"), "#!/bin/sh\necho an application\n").unwrap();
    fs::write(folder.join("app-1/lib/deep/part"), [0, 159, 146, 150]).unwrap();
    run("chmod", &["755", "app-1/bin/run"], folder);
    run("ln", &["-s", "../bin/run", "app-1/lib/link"], folder);
    run("tar", &["-czf", "app.tar.gz", "app-1"], folder);
    fs::write(folder.join("readme"), "bundled\n").unwrap();
    run("tar", &["-czf", "bundle.tar.gz", "readme"], folder);
    run("tar", &["-czPf", "climbs.tar.gz", "app-1/../readme"], folder);

    let site = StateRepository::make(&folder.join("site")).unwrap();
    site.write("index.html", "<p>a site</p>\n").unwrap();
    site.write("assets/style.css", "p {}\n").unwrap();
    site.publish("site: Begin").unwrap();
    // A plain web server gives a repository only by lists of what is in it.
    site.git_bare(&["update-server-info"]).unwrap();
    site
}

/// What the orchestrator says of an address that is not right: its state and why.
fn deviation(view: &Value, address: &str) -> Option<(String, String)> {
    let one = view["deviations"].as_array()?.iter().find(|one| one["address"] == address)?;
    Some((one["state"].as_str()?.to_owned(), one["message"].as_str()?.to_owned()))
}

#[test]
fn lab_what_is_fetched_and_trees_replace_what_was_found_heal_and_give_it_back() {
    if !need::has(need::LAB) || !need::has(need::BROKER) || !need::has(&[Need::Program(PYTHON)]) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    let served = real.lab.folder().join("served");
    let site = make_served(&served);
    let [port] = free_ports(GATEWAY.into()).unwrap();
    let url = format!("http://{GATEWAY}:{port}");
    let mut serve = command(PYTHON);
    serve.args(["-m", "http.server", &port.to_string(), "--bind", &GATEWAY.to_string(), "--directory"]).arg(&served);
    let _server = Process::start("web server", serve, &real.lab.folder().join("served.log")).unwrap();
    host.exec(FOUND).unwrap();
    real.approve_all("").unwrap();
    let found = look(host);

    let repository = &real.fleet.repository;
    let resources = RESOURCES
        .replace("URL", &url)
        .replace("TOOL", &sha256_of(&served.join("tool")))
        .replace("APP", &sha256_of(&served.join("app.tar.gz")))
        .replace("COMMIT", &site.tip().unwrap());
    repository.write(APPLICATION, &resources).unwrap();
    repository.write("applications/app/files/bundle.tar.gz", fs::read(served.join("bundle.tar.gz")).unwrap()).unwrap();
    repository.write("applications/app/files/tree/sub/main.conf", "ours\n").unwrap();
    repository.write("applications/app/files/tree/new/deep.conf", "ours too\n").unwrap();
    repository.write(PRODUCTION, "applications: {app: {}}\n").unwrap();
    let pushed = repository.publish("production: Fetch the application").unwrap();
    real.fleet.wait_synced("web-1", &pushed).unwrap();
    check_managed(host);
    let managed = look(host);

    for (address, drift) in DRIFTS {
        let before = corrections(&real.fleet.fetch("hosts/web-1").unwrap(), address);
        host.exec(drift).unwrap();
        let healed = wait_until(&format!("`{drift}` to heal"), SOON, || look(host) == managed);
        assert!(healed.is_ok(), "after `{drift}`:\n{}\ninstead of\n{managed}", look(host));
        let told = format!("the correction of `{drift}`");
        real.fleet.wait_host("web-1", &told, |view| corrections(view, address) > before).unwrap();
    }

    what_does_not_fit_changes_nothing(&real, &resources, &served, &managed);

    repository.write(PRODUCTION, "labels: {}\n").unwrap();
    let left = repository.publish("production: Fetch nothing").unwrap();
    real.fleet.wait_synced("web-1", &left).unwrap();
    assert_eq!(look(host), found);
}

fn check_managed(host: &Host) {
    assert_eq!(host.exec("tool; new; stat -c '%a %U' /usr/local/bin/*").unwrap(), "a tool\na tool\n700 root\n755 root");
    assert_eq!(host.exec("/opt/app/lib/link; stat -c %U:%G /opt/app/lib/deep").unwrap(), "an application\ndaemon:root");
    assert_eq!(fs::read(host.path("/opt/app/lib/deep/part")).unwrap(), [0, 159, 146, 150]);
    assert_eq!(host.read_file("/opt/app/theirs/file").unwrap(), "theirs\n");
    assert_eq!(host.read_file("/opt/bundle/readme").unwrap(), "bundled\n");
    assert_eq!(host.read_file("/srv/site/index.html").unwrap(), "<p>a site</p>\n");
    assert_eq!(
        host.exec("find /srv/site | sort | xargs").unwrap(),
        "/srv/site /srv/site/assets /srv/site/assets/style.css /srv/site/index.html"
    );
    assert_eq!(
        host.exec("cd /etc/app.d; find . -type f -exec grep . {} + | sort").unwrap(),
        "./new/deep.conf:ours too\n./sub/main.conf:ours"
    );
    assert_eq!(host.exec("cd /srv/data; find . ! -type l -printf '%p %m %u %g;' ").unwrap().split(';').count(), 5);
    assert!(!host.holds("find /srv/data ! -type l ! '(' -user daemon -group adm ')' | grep ."));
    assert!(!host.holds("find /srv/data '(' -type f ! -perm 640 ')' -o '(' -type d ! -perm 750 ')' | grep ."));
}

/// A digest that does not fit, an archive that climbs, a commit that is not there: each is told, and nothing is written.
fn what_does_not_fit_changes_nothing(real: &RealFleet<1>, resources: &str, served: &Path, managed: &str) {
    let [host] = &real.hosts;
    let (tool, app) = (sha256_of(&served.join("tool")), sha256_of(&served.join("app.tar.gz")));
    let other = "0123456789abcdef".repeat(4);
    let commit = resources.split("revision: ").nth(1).unwrap().split(',').next().unwrap();
    let bad = resources
        .replacen(&tool, &other, 1)
        .replace(&app, &sha256_of(&served.join("climbs.tar.gz")))
        .replace("app.tar.gz", "climbs.tar.gz")
        .replace(commit, &other[..40]);
    real.fleet.repository.write(APPLICATION, bad).unwrap();
    let pushed = real.fleet.repository.publish("app: Fetch what is not there").unwrap();
    for (address, state, words) in [
        ("downloads/tool", "error", "has the digest"),
        ("archives/app", "blocked", "has '..' in its name"),
        ("checkouts/site", "error", "has no commit"),
    ] {
        real.fleet
            .wait_host("web-1", &format!("{address} to be told"), |view| {
                let told = deviation(view, address);
                view["assigned"] == *pushed && told.is_some_and(|(is, why)| is == state && why.contains(words))
            })
            .unwrap();
    }
    assert_eq!(look(host), managed);
    assert!(!host.path("/opt/readme").exists() && !host.path("/readme").exists());
}
