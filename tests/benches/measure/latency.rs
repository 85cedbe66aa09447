//! Push → applied, drift → healed, and what the agent costs at rest: one host, a local repository, RabbitMQ.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use muster_tests::broker::Broker;
use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::need;
use muster_tests::wait::wait_until;

use super::figures::Figures;
use super::folder_watch::FolderWatch;
use super::process_cost::{load_cpu_time, load_rss_mib};

const ROUNDS: usize = 100;
const APPLICATION: &str = "applications/base/application.yaml";
const MODE: u32 = 0o640;
/// Between two rounds the host comes to rest.
const PAUSE: Duration = Duration::from_millis(50);
/// So long after the last round the agent is at rest; then it is watched for so long.
const SETTLE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(60);

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    if !need::has(need::BROKER) {
        bail!("there is no RabbitMQ here");
    }
    let folder = tempfile::tempdir()?;
    let broker = Broker::start()?;
    let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), Some(&broker.url()))?;
    fleet.start()?;
    let mut agent = SandboxAgent::make(&fleet, folder.path(), "one")?;
    agent.start()?;
    fleet.repository.write(APPLICATION, application(0))?;
    let approved = fleet.approve("production", "one", "applications: {base: {}}\n")?;
    let etc = agent.root().join("etc");
    wait_until("the first files", SOON, || holds(&etc.join("motd"), &content("motd", 0)))?;
    fleet.wait_synced("one", &approved)?;
    std::thread::sleep(Duration::from_secs(1));

    let mut healed = heal_drift(&etc.join("bench"))?;
    figures.note_times("drift_to_healed_ms", &mut healed, [20.0, 100.0]);
    let mut applied = apply_pushes(&fleet, &etc)?;
    figures.note_times("push_to_applied_ms", &mut applied, [100.0, 500.0]);

    let id = agent.id().context("the agent runs")?;
    std::thread::sleep(SETTLE);
    let before = load_cpu_time(id)?;
    std::thread::sleep(IDLE);
    let used = load_cpu_time(id)?.saturating_sub(before);
    figures.note("agent_idle_cpu_percent", used.as_secs_f64() / IDLE.as_secs_f64() * 100.0, 0.1);
    figures.note("agent_idle_rss_mib", load_rss_mib(id)?, 15.0);
    Ok(())
}

/// From the ref's rename in the bare repository to the new file on the host.
fn apply_pushes(fleet: &Fleet, etc: &Path) -> Result<Vec<Duration>> {
    let mut watch = FolderWatch::start()?;
    let refs = watch.add(&fleet.repository.bare().join("refs/heads"))?;
    let target = watch.add(etc)?;
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        fleet.repository.write(APPLICATION, application(round))?;
        fleet.repository.commit("base: Say something else")?;
        watch.forget()?;
        let wanted = content("motd", round);
        let seen = std::thread::scope(|scope| {
            let push = scope.spawn(|| fleet.repository.push());
            let moved = watch.wait_for(refs, "main", SOON, || true)?;
            let applied = watch.wait_for(target, "motd", SOON, || holds(&etc.join("motd"), &wanted))?;
            push.join().map_err(|_| anyhow::anyhow!("the push panicked"))??;
            anyhow::Ok(applied.saturating_duration_since(moved))
        });
        times.push(seen.with_context(|| format!("push {round}"))?);
        std::thread::sleep(PAUSE);
    }
    Ok(times)
}

/// From the close of a tampered file to its right content and mode, each round another file.
fn heal_drift(folder: &Path) -> Result<Vec<Duration>> {
    let mut watch = FolderWatch::start()?;
    let number = watch.add(folder)?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let name = format!("f{round:02}");
        let path = folder.join(&name);
        let wanted = content(&name, 0);
        watch.forget()?;
        let mut file = fs::File::options().write(true).truncate(true).mode(MODE).open(&path)?;
        std::io::Write::write_all(&mut file, b"tampered\n")?;
        drop(file);
        let closed = Instant::now();
        let mode = |path: &Path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o7777 == MODE);
        let healed = watch.wait_for(number, &name, SOON, || holds(&path, &wanted) && mode(&path));
        times.push(healed.with_context(|| format!("drift {round}"))?.saturating_duration_since(closed));
        std::thread::sleep(PAUSE);
    }
    Ok(times)
}

/// 100 files that stay as they are, and one that is new with every round.
fn application(round: usize) -> String {
    let file = |path: &str, content: &str| format!("    {path}: {{content: {content:?}, mode: \"0640\"}}\n");
    let mut text = String::from("resources:\n  directories:\n    /etc/bench: {}\n  files:\n");
    for number in 0..ROUNDS {
        let name = format!("f{number:02}");
        text += &file(&format!("/etc/bench/{name}"), &content(&name, 0));
    }
    text + &file("/etc/motd", &content("motd", round))
}

fn content(name: &str, round: usize) -> String {
    format!("This is {name} of round {round}.\n")
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == text)
}
