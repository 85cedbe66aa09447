//! A real host with systemd: 200 resources that are right, a service that is killed, an agent at rest.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::{wait_for, wait_until};
use serde_json::Value;

use super::figures::{Figures, millis, percentile};

const MIXED: usize = 200;
/// Users, each with a group, beside those that the host has: a small host has too few things that could be managed.
const MORE_USERS: usize = 25;
const FILES: usize = 1000;
const ROUNDS: usize = 50;
const SETTINGS: &str = "/etc/muster/agent.yaml";
const SWEEP: Duration = Duration::from_millis(20);
/// So long sweeps are counted.
const WATCHED: Duration = Duration::from_secs(10);
/// So long an agent is left alone before it counts as idle.
const REST: Duration = Duration::from_secs(45);
/// So often it is looked at then, once a second.
const LOOKS: usize = 31;
const UNIT: &str = "[Service]\nExecStart=/bin/sleep infinity\n";

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        bail!("no host can be booted here");
    }
    // The lab keeps the thread that enters it.
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| measure_host(figures));
        measured.join().unwrap_or_else(|_| bail!("the host's measure panicked"))
    })
}

fn measure_host(figures: &mut Figures) -> Result<()> {
    let real = RealFleet::start(["one"])?;
    let [host] = &real.hosts;
    host.write_file("/etc/systemd/system/bench.service", UNIT)?;
    host.exec("systemctl daemon-reload")?;
    host.exec(&format!("for n in $(seq {MORE_USERS}); do useradd --no-create-home --shell /bin/false bench$n; done"))?;
    real.fleet.repository.write("applications/mixed/application.yaml", mixed(host)?)?;
    real.approve_all("applications: {mixed: {}}\n")?;

    let mut healed = heal_service(host)?;
    healed.sort_unstable();
    figures.note("drift_service_p99_ms", millis(percentile(&healed, 99)), 500.0);

    let usual = host.read_file(SETTINGS)?;
    host.write_file(SETTINGS, format!("{usual}sweep_interval: {}ms\n", SWEEP.as_millis()))?;
    host.exec("systemctl restart muster-agent")?;
    figures.note("noop_200_mixed_ms", millis(time_sweep(host)?), 150.0);
    host.write_file(SETTINGS, usual)?;
    host.exec("systemctl restart muster-agent")?;

    real.fleet.repository.write("applications/files/application.yaml", files())?;
    let file = real.fleet.repository.work().join("environments/production/hosts/one.yaml");
    let text = fs::read_to_string(&file)?.replace("applications: {mixed: {}}", "applications: {files: {}}");
    fs::write(&file, text)?;
    let revision = real.fleet.repository.publish("one: Have a thousand files")?;
    real.fleet.wait_synced("one", &revision)?;
    figures.note("agent_idle_1000_rss_mib", rss_mib(host)?, 10.0);
    Ok(())
}

/// What is there already: services that run, users, groups, and packages for the rest; and one service to kill.
fn mixed(host: &Host) -> Result<String> {
    let list = |line: &str| -> Result<Vec<String>> { Ok(host.exec(line)?.lines().map(str::to_owned).collect()) };
    let services = list(
        "systemctl list-units --type=service --state=running --plain --no-legend | awk '{print $1}' | grep -v muster",
    )?;
    let users = list("cut -d: -f1 /etc/passwd")?;
    let groups = list("cut -d: -f1 /etc/group")?;
    let others = services.len() + users.len() + groups.len() + 1;
    let packages = list("dpkg-query --show --showformat='${binary:Package}\\n'")?;
    ensure!(packages.len() + others >= MIXED, "the host has {} packages only", packages.len());
    let mut text = String::from("resources:\n  services:\n    bench: {running: true}\n");
    for name in &services {
        writeln!(text, "    \"{}\": {{running: true}}", name.trim_end_matches(".service"))?;
    }
    for (collection, names) in [
        ("users", &users[..]),
        ("groups", &groups[..]),
        ("packages", packages.get(..MIXED - others).unwrap_or_default()),
    ] {
        writeln!(text, "  {collection}:")?;
        for name in names {
            writeln!(text, "    \"{name}\": {{}}")?;
        }
    }
    Ok(text)
}

fn files() -> String {
    let mut text = String::from("resources:\n  directories: {/etc/bench: {}}\n  files:\n");
    for number in 0..FILES - 1 {
        let _ = writeln!(text, "    /etc/bench/f{number}: {{content: \"This is {number}.\\n\", mode: \"0640\"}}");
    }
    text
}

/// From the end of a killed service to its being active again, as systemd tells both times.
fn heal_service(host: &Host) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let before = active_since(host)?;
        host.exec("systemctl kill --signal=KILL bench")?;
        let again = wait_for("the service", SOON, || active_since(host).ok().filter(|since| *since > before));
        let again = again.with_context(|| format!("round {round}"))?;
        let ended = stamp(host, "InactiveEnterTimestampMonotonic")?;
        times.push(Duration::from_micros(again.saturating_sub(ended)));
        // A service that is put right too often in a minute is left alone for a while.
        std::thread::sleep(Duration::from_secs(4));
    }
    Ok(times)
}

fn active_since(host: &Host) -> Result<u64> {
    ensure!(host.holds("systemctl is-active --quiet bench"), "bench does not run");
    stamp(host, "ActiveEnterTimestampMonotonic")
}

fn stamp(host: &Host, name: &str) -> Result<u64> {
    Ok(host.exec(&format!("systemctl show --property={name} --value bench"))?.parse()?)
}

/// What a sweep takes, from the number of them in some time, less the pause between two.
fn time_sweep(host: &Host) -> Result<Duration> {
    let sweeps = || -> Option<u64> {
        let text = host.read_file("/var/lib/muster-agent/status.json").ok()?;
        serde_json::from_str::<Value>(&text).ok()?["sweeps"].as_u64()
    };
    wait_until("sweeps", SOON, || sweeps().is_some_and(|count| count > 20))?;
    // The file is written once a second; its change is when the count is known.
    let next = |after: u64| wait_for("a newer count", SOON, || sweeps().filter(|count| *count > after));
    let first = next(sweeps().context("the status file")?)?;
    let begun = std::time::Instant::now();
    std::thread::sleep(WATCHED);
    let last = next(sweeps().context("the status file")?)?;
    let each = begun.elapsed().div_f64((last - first) as f64);
    Ok(each.saturating_sub(SWEEP))
}

/// The median over half a minute: every few seconds the agent maps some of its program again and lets go of it.
fn rss_mib(host: &Host) -> Result<f64> {
    let main = host.exec("systemctl show --property=MainPID --value muster-agent")?;
    std::thread::sleep(REST);
    let look = format!("for n in $(seq {LOOKS}); do grep -E 'VmRSS|RssFile' /proc/{main}/status; sleep 1; done");
    let text = host.exec(&look)?;
    let median = |name: &str| -> Result<f64> {
        let values = text.lines().filter_map(|line| line.strip_prefix(name));
        let kib =
            values.map(|value| Ok(value.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u32>()?));
        let mut kib = kib.collect::<Result<Vec<u32>>>()?;
        kib.sort_unstable();
        Ok(f64::from(*kib.get(LOOKS / 2).context("the agent ended")?) / 1024.0)
    };
    eprintln!("bench:   of that {:.1} MiB are of files", median("RssFile")?);
    median("VmRSS")
}
