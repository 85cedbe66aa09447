//! A running orchestrator with a whole fleet: one host's change, and its memory.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use muster_tests::wait::wait_until;

use super::figures::{Figures, millis, percentile};
use super::folder_watch::FolderWatch;
use super::large_fleet;
use super::process_cost::load_rss_mib;

const ROUNDS: usize = 20;
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut fleet = large_fleet::make(folder.path())?;
    fleet.start()?;
    let hosts = fleet.data().join("published/hosts");
    let head = |number: usize| hosts.join(large_fleet::host_name(number)).join("head.json");
    wait_until("all hosts to be published", LIMIT, || {
        head(large_fleet::HOSTS - 1).exists()
            && hosts.read_dir().is_ok_and(|entries| entries.count() == large_fleet::HOSTS)
    })?;
    let status = || fleet.status("fleet.yaml").is_some();
    wait_until("the status of all hosts", LIMIT, status)?;

    let mut watch = FolderWatch::start()?;
    let refs = watch.add(&fleet.repository.bare().join("refs/heads"))?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let number = round * 31;
        let target = watch.add(&hosts.join(large_fleet::host_name(number)))?;
        let own = format!("resources:\n  files:\n    /etc/own: {{content: \"round {round}\\n\"}}\n");
        large_fleet::declare(&fleet, number, &own)?;
        fleet.repository.commit("hosts: Change one")?;
        watch.forget()?;
        let time = std::thread::scope(|scope| {
            let push = scope.spawn(|| fleet.repository.push());
            let moved = watch.wait_for(refs, "main", LIMIT, || true)?;
            let published = watch.wait_for(target, "head.json", LIMIT, || true)?;
            push.join().map_err(|_| anyhow!("the push panicked"))??;
            anyhow::Ok(published.saturating_duration_since(moved))
        });
        times.push(time.with_context(|| format!("round {round}"))?);
    }
    times.sort_unstable();
    eprintln!("bench:   the slowest of {ROUNDS} changes: {:.3} ms", millis(percentile(&times, 100)));
    figures.note("rerender_1_of_10k_ms", millis(percentile(&times, 50)), 200.0);
    let id = fleet.server_id().context("the orchestrator runs")?;
    eprintln!("bench:   these hosts have never reported: their facts and reports are not in its memory");
    figures.note("orchestrator_10k_rss_mib", load_rss_mib(id)?, 500.0);
    Ok(())
}
