//! Parts of the fleet stop, are killed or lost, and the rest catches up.

use std::fs;
use std::time::Duration;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::wait_until;

const BASE: &str = "applications/base/application.yaml";
const ASSIGNED: &str = "applications: {base: {}}\n";
const LONG: Duration = Duration::from_secs(180);

fn base(motd: &str) -> String {
    format!("resources:\n  files:\n    /etc/motd: {{content: \"{motd}\\n\"}}\n")
}

fn says(host: &Host, text: &str) -> bool {
    host.read_file("/etc/motd").is_ok_and(|found| found == format!("{text}\n"))
}

fn started<const N: usize>(names: [&str; N]) -> RealFleet<N> {
    let real = RealFleet::start(names).unwrap();
    real.fleet.repository.write(BASE, base("first")).unwrap();
    real.approve_all(ASSIGNED).unwrap();
    real
}

/// No host has refused anything: neither rolled back nor forged.
fn nothing_was_refused<const N: usize>(real: &RealFleet<N>) {
    for host in &real.hosts {
        let view = real.fleet.fetch(&format!("hosts/{}", host.name())).unwrap();
        assert_eq!(view["rejections"], serde_json::json!([]), "{}", host.name());
    }
}

#[test]
fn lab_every_transition_of_a_minute_without_broker_is_in_status_in_order_once() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = started(["web-1"]);
    let before = real.fleet.fetch("hosts/web-1").unwrap();
    let count = |view: &serde_json::Value| view["transitions"].as_array().map_or(0, Vec::len);
    real.broker.stop().unwrap();
    let begun = std::time::Instant::now();
    let mut drifts = 0;
    while begun.elapsed() < Duration::from_secs(60) {
        real.hosts[0].write_file("/etc/motd", format!("drift {drifts}\n")).unwrap();
        wait_until("the drift to heal without a broker", SOON, || says(&real.hosts[0], "first")).unwrap();
        drifts += 1;
        // Slower than the flap limit.
        std::thread::sleep(Duration::from_secs(6));
    }
    assert!(drifts >= 5);
    real.broker.resume().unwrap();

    let after = real
        .fleet
        .wait_host_within(LONG, "web-1", "all transitions", |view| count(view) >= count(&before) + drifts)
        .unwrap();
    let listed = after["transitions"].as_array().unwrap();
    let seqs: Vec<u64> = listed.iter().map(|transition| transition["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "in order, none twice, none missing: {seqs:?}");
    let healed = listed[count(&before)..].iter().filter(|t| t["cause"] == "corrective").count();
    assert_eq!(healed, drifts, "one for each drift: {listed:#?}");

    // And in the status branch, which is what lasts.
    let last = format!("seq: {}", seqs.last().unwrap());
    wait_until("the last transition in the status branch", SOON, || {
        real.fleet.repository.git_bare(&["grep", "--quiet", &last, "status", "--", "hosts"]).is_ok()
    })
    .unwrap();
    nothing_was_refused(&real);
}

#[test]
fn lab_an_agent_killed_in_the_middle_of_an_apply_finishes() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    const FILES: usize = 1500;
    let real = started(["web-1"]);
    let [host] = &real.hosts;
    let many = |round: usize| {
        let files = (0..FILES).map(|n| format!("    /srv/many/{n:04}: {{content: \"{round} {n}\\n\"}}\n"));
        format!(
            "resources:\n  packages: {{muster-testpkg: {{}}}}\n  directories: {{/srv/many: {{}}}}\n  files:\n{}",
            files.collect::<String>()
        )
    };
    real.fleet.repository.write("environments/production/environment.yaml", "applications: {many: {}}\n").unwrap();
    for round in 0..4 {
        real.fleet.repository.write("applications/many/application.yaml", many(round)).unwrap();
        let pushed = real.fleet.repository.publish(&format!("many: Round {round}")).unwrap();
        let written = || {
            let files = fs::read_dir(host.path("/srv/many")).into_iter().flatten().flatten();
            let own = format!("{round} ");
            files.filter(|file| fs::read_to_string(file.path()).is_ok_and(|text| text.starts_with(&own))).count()
        };
        // Another point of the apply in each round: at its beginning, with some or most files there.
        let point = [0, 1, FILES / 3, FILES - 1][round];
        wait_until("the apply to be on its way", SOON, || written() >= point).unwrap();
        host.exec("systemctl kill --signal=KILL muster-agent").unwrap();
        let view = real
            .fleet
            .wait_host_within(LONG, "web-1", "to finish what was begun", |view| {
                view["assigned"] == pushed && view["sync"] == "Synced" && view["health"] == "Healthy"
            })
            .unwrap();
        assert_eq!(written(), FILES);
        assert!(host.holds("muster-testpkg"));
        // What was begun before the kill and is finished after it is no drift.
        let transitions = view["transitions"].as_array().unwrap();
        assert!(!transitions.is_empty() && transitions.iter().all(|t| t["cause"] != "corrective"), "{transitions:#?}");
    }
    // What it takes back is killed in the middle too.
    real.fleet.repository.write("environments/production/environment.yaml", "labels: {}\n").unwrap();
    let gone = real.fleet.repository.publish("production: Leave many").unwrap();
    wait_until("the removal to be on its way", SOON, || {
        fs::read_dir(host.path("/srv/many")).map_or(0, Iterator::count) < FILES
    })
    .unwrap();
    host.exec("systemctl kill --signal=KILL muster-agent").unwrap();
    real.fleet
        .wait_host_within(LONG, "web-1", "to finish the removal", |view| {
            view["assigned"] == gone && view["sync"] == "Synced"
        })
        .unwrap();
    assert!(!host.path("/srv/many").exists(), "the folder that the agent made is gone with its files");
    assert!(!host.holds("dpkg-query -W -f '${db:Status-Status}' muster-testpkg | grep -q ^installed"));
    assert!(host.exec("ls -A /srv").unwrap().contains("repository"), "what was there stays");
    nothing_was_refused(&real);
}

#[test]
fn lab_an_orchestrator_killed_between_any_two_publishes_goes_on() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    const SILENT: usize = 200;
    let mut real = started(["web-1", "web-2"]);
    // Publishing for many takes long enough to be cut: hosts that are approved and never heard of.
    for n in 0..SILENT {
        let key = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
        real.fleet.declare("production", &format!("silent-{n:03}"), &key, ASSIGNED).unwrap();
    }
    let many = real.fleet.repository.publish("hosts: Approve many").unwrap();
    for host in &real.hosts {
        real.fleet.wait_synced(host.name(), &many).unwrap();
    }
    wait_until("heads for the new ones", SOON, || published(&real, &many) == SILENT).unwrap();

    let mut serials = [0, 0];
    let mut cut_in_the_middle = 0;
    // A manifest, a head and the signature of each for every host, and one blob: from before the first to after
    // the last.
    let all = 4 * (SILENT + 2) + 1;
    for (round, renames) in [0, 1, all / 4, all / 2, all / 2 + 1, all * 5 / 8, all * 3 / 4, all].into_iter().enumerate()
    {
        let text = format!("round {round}");
        real.fleet.repository.write(BASE, base(&text)).unwrap();
        let seen = Renames::watch(&real.fleet.data().join("published"));
        let pushed = real.fleet.repository.publish(&format!("base: Round {round}")).unwrap();
        seen.wait_for(renames);
        real.fleet.kill().unwrap();
        let out = published(&real, &pushed);
        cut_in_the_middle += usize::from(out > 0 && out < SILENT + 2);
        real.fleet.start().unwrap();
        for (host, serial) in real.hosts.iter().zip(&mut serials) {
            let view = real
                .fleet
                .wait_host_within(SOON, host.name(), "what was published before the kill or after it", |view| {
                    view["assigned"] == pushed && view["sync"] == "Synced" && view["health"] == "Healthy"
                })
                .unwrap();
            assert!(says(host, &text));
            let now = view["serial"].as_u64().unwrap();
            assert!(now > *serial, "serials only grow: {now} after {serial}");
            *serial = now;
        }
        wait_until("all heads", SOON, || published(&real, &pushed) == SILENT + 2).unwrap();
    }
    assert!(cut_in_the_middle > 0, "no round was cut between two heads");
    nothing_was_refused(&real);
}

/// How many heads of the published tree are at the revision `commit`.
fn published<const N: usize>(real: &RealFleet<N>, commit: &str) -> usize {
    let hosts = fs::read_dir(real.fleet.data().join("published/hosts")).unwrap().flatten();
    let revision =
        |bytes: Vec<u8>| Some(serde_json::from_slice::<serde_json::Value>(&bytes).ok()?["revision"] == commit);
    hosts.filter(|host| fs::read(host.path().join("head.json")).ok().and_then(revision) == Some(true)).count()
}

/// Counts the files that are put in their place below a folder, as they come.
struct Renames {
    _watcher: notify::RecommendedWatcher,
    seen: std::sync::mpsc::Receiver<()>,
}

impl Renames {
    fn watch(folder: &std::path::Path) -> Self {
        use notify::event::{EventKind, ModifyKind, RenameMode};
        use notify::{RecursiveMode, Watcher};
        let (tell, seen) = std::sync::mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let to = EventKind::Modify(ModifyKind::Name(RenameMode::To));
            if event.is_ok_and(|event| event.kind == to) {
                let _ = tell.send(());
            }
        })
        .unwrap();
        watcher.watch(folder, RecursiveMode::Recursive).unwrap();
        Self { _watcher: watcher, seen }
    }

    fn wait_for(&self, count: usize) {
        for n in 0..count {
            assert!(self.seen.recv_timeout(SOON).is_ok(), "{n} of {count} files were published");
        }
    }
}

#[test]
fn lab_an_orchestrator_with_a_lost_disk_recovers_from_git_and_its_keys() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = started(["web-1", "web-2"]);
    let tip = real.fleet.repository.tip().unwrap();
    wait_until("the state to be committed", SOON, || {
        real.fleet.status("assignments.yaml").is_some_and(|text| text.contains(&tip))
    })
    .unwrap();
    let serial = |real: &RealFleet<2>, id: &str| real.fleet.fetch(&format!("hosts/{id}")).unwrap()["serial"].as_u64();
    let before = ["web-1", "web-2"].map(|id| serial(&real, id).unwrap());

    let backup = real.lab.folder().join("keys.backup");
    fs::rename(real.fleet.keys(), &backup).unwrap();
    real.fleet.kill().unwrap();
    fs::remove_dir_all(real.fleet.data()).unwrap();
    fs::rename(&backup, real.fleet.keys()).unwrap();
    // Nobody tells it what to trust: the status branch does.
    real.fleet.start_trusting(None).unwrap();

    real.fleet.repository.write(BASE, base("after the loss")).unwrap();
    let next = real.fleet.repository.publish("base: After the loss").unwrap();
    for (host, before) in real.hosts.iter().zip(before) {
        let view = real.fleet.wait_synced(host.name(), &next).unwrap();
        assert!(says(host, "after the loss"));
        assert!(view["serial"].as_u64().unwrap() > before, "the line of serials goes on");
    }
    nothing_was_refused(&real);

    // Without disk and without status branch it does not guess.
    real.fleet.kill().unwrap();
    fs::remove_dir_all(real.fleet.data()).unwrap();
    real.fleet.repository.git_bare(&["update-ref", "-d", "refs/heads/status"]).unwrap();
    let refused = real.fleet.start_trusting(None).unwrap_err();
    assert!(format!("{refused:#}").contains("--trust"), "{refused:#}");
}
