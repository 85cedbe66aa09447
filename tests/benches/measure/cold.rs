//! What it takes to make 1,000 files that are not there, over a C loop that writes the same bytes as durably.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use muster_agent::apply::{ManagedHost, Owed, Risk};
use muster_agent::converge::{Converger, Extent};
use muster_agent::host::RealHost;
use muster_agent::known::Known;
use muster_agent::ledger::Ledger;
use muster_agent::store::Store;
use muster_agent::vault::Vault;
use muster_schema::Timestamp;
use muster_schema::resource::{Enforcement, Resource};
use muster_schema::state::Cause;
use serde_json::{Value, json};

use super::figures::Figures;

const FLOOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/cold.c");
const FILES: usize = 1000;
/// Each of the two so often, in turn; the medians count, for a disk has moods.
const ROUNDS: usize = 9;
const TARGET: f64 = 1.5;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("floor");
    let built = Command::new("gcc").args(["-O2", "-o"]).arg(&program).arg(FLOOR).status().context("start gcc")?;
    ensure!(built.success(), "cold.c does not compile");
    let sources = write_sources(&folder.path().join("sources"))?;
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let folder = folder.path().join(format!("round{round}"));
        floors.push(time_floor(&program, &folder.join("floor"), &sources)?);
        ours.push(time_agent(&folder.join("agent"), &sources).with_context(|| format!("round {round}"))?);
    }
    let (ours, floor) = (median(ours), median(floors));
    eprintln!("bench:   {FILES} new files take {ours:?}, the floor {floor:?}");
    figures.note("cold_1000_files_ratio", ours.as_secs_f64() / floor.as_secs_f64(), TARGET);
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Files of 200 B to 4 KiB.
fn write_sources(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let write = |number: usize| -> Result<PathBuf> {
        let line = format!("{number} 0123456789abcdefghijklmnopqrstuvwxyz\n");
        let path = folder.join(format!("f{number}"));
        fs::write(&path, line.chars().cycle().take(200 + (number * 3896) / (FILES - 1)).collect::<String>())?;
        Ok(path)
    };
    (0..FILES).map(write).collect()
}

fn time_floor(program: &Path, folder: &Path, sources: &[PathBuf]) -> Result<Duration> {
    fs::create_dir_all(folder)?;
    let mut list = String::new();
    for (number, source) in sources.iter().enumerate() {
        writeln!(list, "{}/f{number}\n{}", folder.display(), source.display())?;
    }
    let input = folder.with_extension("list");
    fs::write(&input, list)?;
    let mut command = Command::new(program);
    let output = command.stdin(fs::File::open(&input)?).stderr(Stdio::inherit()).output().context("the floor")?;
    ensure!(output.status.success(), "the floor could not write");
    Ok(Duration::from_secs_f64(String::from_utf8(output.stdout)?.trim().parse()?))
}

/// The whole run of an agent whose manifest has come: look, plan, ledger, journal, files, look again, states.
fn time_agent(folder: &Path, sources: &[PathBuf]) -> Result<Duration> {
    fs::create_dir_all(folder.join("root/etc"))?;
    let (store, _) = Store::open(&folder.join("store"))?;
    let managed = ManagedHost {
        host: Box::new(RealHost::open(&folder.join("root"))?),
        ledger: Ledger::open(&folder.join("ledger"))?,
        originals: Vault::open(&folder.join("originals"))?,
        blobs: Arc::new(Vault::open(&folder.join("blobs"))?),
        known: Known::load(&store)?,
        owed: Owed::load(&store)?,
        risk: Risk::load(&store)?,
        store: Arc::new(store),
    };
    let mut resources = Vec::with_capacity(FILES);
    for (number, source) in sources.iter().enumerate() {
        let content = managed.blobs.keep_bytes(&fs::read(source)?)?;
        let file: Value = json!({
            "address": format!("files/etc/f{number}"),
            "attributes": {"content": content, "mode": "0640"},
        });
        resources.push(serde_json::from_value::<Resource>(file)?);
    }
    managed.blobs.sync()?;
    let mut converger = Converger::begin(managed, Vec::new(), Enforcement::Enforce, Timestamp(1))?;
    converger.set_resources(resources)?;
    let begun = Instant::now();
    let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, || Timestamp(1))?;
    let took = begun.elapsed();
    ensure!(converged.changes() == FILES, "{} of {FILES} files were made", converged.changes());
    Ok(took)
}
