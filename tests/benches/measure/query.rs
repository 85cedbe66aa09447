//! One question to fifty agents over RabbitMQ, and the facts of this moment.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use muster_agent::io::live_facts::load_live_facts;
use muster_tests::broker::Broker;
use muster_tests::fleet::{Fleet, SandboxAgent};
use muster_tests::need;
use muster_tests::wait::wait_until;
use serde_json::Value;

use super::figures::{Figures, millis, percentile};

const AGENTS: usize = 50;
const ROUNDS: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(300);
const MOTD: &str = "resources:\n  files:\n    /etc/motd: {content: \"hello\\n\"}\n";

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let mut facts = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        load_live_facts(Path::new("/"))?;
        facts.push(begun.elapsed());
    }
    facts.sort_unstable();
    figures.note("facts_ms", millis(percentile(&facts, 99)), 50.0);

    if !need::has(need::BROKER) {
        bail!("there is no RabbitMQ here");
    }
    let folder = tempfile::tempdir()?;
    let broker = Broker::start()?;
    let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), Some(&broker.url()))?;
    fleet.start()?;
    fleet.repository.write("applications/base/application.yaml", MOTD)?;
    let mut agents = Vec::new();
    for number in 0..AGENTS {
        let name = format!("host-{number:02}");
        let mut agent = SandboxAgent::make(&fleet, folder.path(), &name)?;
        agent.start()?;
        let key = fleet.wait_pending(&name)?;
        fleet.declare("production", &name, &key, "applications: {base: {}}\n")?;
        agents.push(agent);
    }
    fleet.repository.publish("hosts: Approve all")?;
    let all_there = |agents: &[SandboxAgent]| agents.iter().all(|agent| agent.root().join("etc/motd").exists());
    wait_until("the files", LIMIT, || all_there(&agents))?;
    wait_until("all to answer", LIMIT, || ask(&fleet).is_ok())?;
    std::thread::sleep(Duration::from_secs(2));
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        ask(&fleet)?;
        times.push(begun.elapsed());
        std::thread::sleep(PAUSE);
    }
    times.sort_unstable();
    eprintln!("bench:   the median of {ROUNDS} questions: {:.3} ms", millis(percentile(&times, 50)));
    figures.note("query_50_p99_ms", millis(percentile(&times, 99)), 300.0);
    // What they have written stays until here.
    agents.iter().try_for_each(|agent| fs::metadata(agent.state()).map(drop))?;
    Ok(())
}

/// Asks all of them for one resource, as `muster query --all` does.
fn ask(fleet: &Fleet) -> Result<()> {
    let answer: Value = fleet.fetch("query?selector=*&target=/v1/files/etc/motd")?;
    let good = |answer: &Value| answer["status"] == 200 && answer["body"]["observed"]["present"] == true;
    let count = answer["answers"].as_array().map_or(0, |all| all.iter().filter(|answer| good(answer)).count());
    ensure!(count == AGENTS, "{count} of {AGENTS} answered: {}", answer["unanswered"]);
    Ok(())
}
