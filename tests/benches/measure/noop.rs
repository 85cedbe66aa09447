//! What a sweep that finds nothing to do costs the running agent, over what a loop in C needs for the same files.

use std::fmt::Write;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use muster_tests::fleet::{Fleet, SandboxAgent};
use muster_tests::wait::{wait_for, wait_until};
use serde_json::Value;

use super::figures::Figures;
use super::process_cost::load_cpu_time;

const FLOOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/floor.c");
/// So much processor time is summed.
const CPU: Duration = Duration::from_secs(2);
const TARGET: f64 = 2.0;
const LIMIT: Duration = Duration::from_secs(300);
/// Files of one application: one document stays small.
const SHARE: usize = 1000;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let floor = tempfile::tempdir()?;
    let program = floor.path().join("floor");
    let built = Command::new("gcc").args(["-O2", "-o"]).arg(&program).arg(FLOOR).status().context("start gcc")?;
    ensure!(built.success(), "floor.c does not compile");
    for files in [1000, 10_000] {
        let ratio = compare(files, &program).with_context(|| format!("{files} files"))?;
        figures.note(&format!("noop_{files}_files_ratio"), ratio, TARGET);
    }
    Ok(())
}

/// The agent's processor time for a sweep over `files`, by the floor's.
fn compare(files: usize, floor: &Path) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), None)?;
    fleet.start()?;
    let mut agent = SandboxAgent::make(&fleet, folder.path(), "one")?;
    let settings = folder.path().join("one/agent.yaml");
    let text = fs::read_to_string(&settings)? + "sweep_interval: 20ms\n";
    fs::write(&settings, text)?;
    agent.start()?;
    let placed = write_repository(&fleet, files)?;
    let names: String = (0..files / SHARE).map(|part| format!("part{part}: {{}}, ")).collect();
    fleet.approve("production", "one", &format!("applications: {{{names}}}\n"))?;
    let root = agent.root();
    let target = |path: &str| root.join(path.trim_start_matches('/'));
    let last = placed.last().context("there are files")?;
    wait_until("the files", LIMIT, || target(&last.0).exists())?;
    wait_until("the agent to be at rest", LIMIT, || {
        let status = load_status(&agent);
        let count = |state: &str| status.as_ref().and_then(|status| status["counts"][state].as_u64()).unwrap_or(0);
        count("compliant") + count("repaired") >= files as u64
    })
    .with_context(|| format!("{:?}", load_status(&agent)))?;

    let agent_cpu = sweep_cost(&agent)?;
    let list: Vec<(PathBuf, &PathBuf)> = placed.iter().map(|(path, wanted)| (target(path), wanted)).collect();
    let floor_cpu = floor_cost(floor, &list)?;
    eprintln!("bench:   {files} files: a sweep takes {:.3} ms, the floor {:.3} ms", agent_cpu * 1e3, floor_cpu * 1e3);
    Ok(agent_cpu / floor_cpu)
}

/// Files of 200 B to 4 KiB; gives the path of each on the host, and where its wanted content stands.
fn write_repository(fleet: &Fleet, files: usize) -> Result<Vec<(String, PathBuf)>> {
    let mut placed = Vec::with_capacity(files);
    for part in 0..files / SHARE {
        let application = format!("applications/part{part}");
        let mut text = format!("resources:\n  directories:\n    /etc/bench-{part}: {{}}\n  files:\n");
        for number in 0..SHARE {
            let size = 200 + (number * 3896) / (SHARE - 1);
            let line = format!("{part} {number} 0123456789abcdefghijklmnopqrstuvwxyz\n");
            let content: String = line.chars().cycle().take(size).collect();
            let source = format!("{application}/files/f{number}");
            fleet.repository.write(&source, content)?;
            let path = format!("/etc/bench-{part}/f{number}");
            writeln!(text, "    {path}: {{source: f{number}, owner: root, group: root, mode: \"0640\"}}")?;
            placed.push((path, fleet.repository.work().join(source)));
        }
        fleet.repository.write(&format!("{application}/application.yaml"), text)?;
    }
    Ok(placed)
}

/// Seconds of processor time that the running agent takes for one sweep: all of the process's time, with whatever
/// else it does meanwhile.
fn sweep_cost(agent: &SandboxAgent) -> Result<f64> {
    let id = agent.id().context("the agent runs")?;
    // The file is written once a second; its writing is when the count is known.
    let next = |after: u64| -> Result<(u64, Duration)> {
        wait_for("a sweep", LIMIT, || {
            let sweeps = load_status(agent)?["sweeps"].as_u64()?;
            (sweeps > after).then(|| load_cpu_time(id).ok().map(|cpu| (sweeps, cpu)))?
        })
    };
    let (known, _) = next(0)?;
    let (first, begun) = next(known)?;
    let mut last = (first, begun);
    while last.1.saturating_sub(begun) < CPU {
        last = next(last.0)?;
    }
    let sweeps = u32::try_from(last.0 - first)?;
    Ok((last.1 - begun).as_secs_f64() / f64::from(sweeps))
}

fn load_status(agent: &SandboxAgent) -> Option<Value> {
    serde_json::from_slice(&fs::read(agent.state().join("status.json")).ok()?).ok()
}

/// Seconds of processor time that the floor takes for one sweep.
fn floor_cost(floor: &Path, files: &[(PathBuf, &PathBuf)]) -> Result<f64> {
    let mut list = String::new();
    for (path, wanted) in files {
        let found = fs::symlink_metadata(path)?;
        let (mode, uid, gid, size) = (found.mode() & 0o7777, found.uid(), found.gid(), found.size());
        writeln!(list, "{mode:o} {uid} {gid} {size} {}\n{}", path.display(), wanted.display())?;
    }
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("list");
    fs::write(&input, list)?;
    let mut command = Command::new(floor);
    command.arg(CPU.as_secs().to_string()).stdin(fs::File::open(&input)?).stderr(Stdio::inherit());
    let output = command.output().context("start the floor")?;
    ensure!(output.status.success(), "the floor found another content");
    let told: Value = serde_json::from_slice(&output.stdout)?;
    told["per_sweep"].as_f64().context("the floor tells its time")
}
