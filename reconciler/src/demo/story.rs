//! The demo from beginning to end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use muster_schema::state::{Cause, Sync};
use muster_schema::{CommitId, FleetName, HostId};

use super::agent_program::find_agent_program;
use super::approval::{approvals, wait_for_pending};
use super::compliance::watch_status;
use super::figures::{Figures, millis};
use super::folders::{Folders, lay_out};
use super::hosts::{DemoHost, watch_disk};
use super::interrupt;
use super::narration::Narration;
use super::process::Process;
use super::repository::{Edits, StateRepository};
use super::server::start_server;
use crate::io::clock;
use crate::keys;
use crate::status::HostStatus;

/// The hosts of the examples that get an agent, and their environments.
const HOSTS: [(&str, &str); 3] = [("web-1", "production"), ("web-2", "production"), ("stage-web-1", "staging")];

/// The template that the demo's commit changes, and where hosts have it.
const TEMPLATE: &str = "applications/base/files/motd";
const TARGET: &str = "/etc/motd";

/// What the demo adds to the template.
const ADDED: &str = "Maintenance on Sunday, 06:00 to 08:00.\n";

/// How the demo is to run.
#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// End when the story has been told.
    pub once: bool,
    /// Print the figures as JSON on the last line.
    pub json: bool,
    /// An existing empty folder to work in and leave behind.
    pub keep: Option<PathBuf>,
}

/// What the steps work with.
struct Stage {
    say: Narration,
    folders: Folders,
    fleet: FleetName,
    repository: StateRepository,
    hosts: Vec<DemoHost>,
    figures: Figures,
    _server: Process,
}

/// Tells the story. Returns the figures when every step was observed.
///
/// # Errors
/// What was not observed, or could not be done.
pub fn run(options: &DemoOptions) -> Result<Figures, anyhow::Error> {
    interrupt::listen()?;
    // Where it has to be built, that is no part of the story.
    let program = find_agent_program()?;
    let started = Instant::now();
    // The folder goes when the demo ends, unless it is to be kept.
    let scratch = tempfile::Builder::new().prefix("muster-demo-").tempdir()?;
    let folders = lay_out(options.keep.as_deref().unwrap_or(scratch.path()))?;
    let mut stage = set_up(folders, &program, Narration::new(options.json))?;
    approve(&mut stage)?;
    let before = stage.hosts.iter().map(|host| Ok((host.id, std::fs::read(host.file(TARGET))?)));
    let before = before.collect::<Result<BTreeMap<&str, Vec<u8>>, std::io::Error>>()?;
    change(&mut stage)?;
    tamper(&mut stage)?;
    let reverted = revert(&mut stage, &before)?;
    see_compliance(&mut stage, reverted)?;

    let Stage { say, folders, figures, .. } = &mut stage;
    figures.observed = true;
    figures.total_ms = millis(started.elapsed());
    say.step("Every step was observed on disk");
    say.note(&format!("push → applied  {}", range(figures.push_to_applied_ms.values())));
    say.note(&format!("drift → healed  {:.1} ms", figures.drift_to_healed_ms));
    say.note(&format!("revert → restored  {}", range(figures.revert_to_restored_ms.values())));
    if !options.once {
        let page = &figures.status_page;
        say.note(&format!("\n       Look at {page} ; edit below {} ; end with Ctrl-C.", folders.hosts.display()));
        interrupt::wait();
    }
    Ok(stage.figures)
}

fn set_up(folders: Folders, program: &Path, say: Narration) -> Result<Stage, anyhow::Error> {
    say.step("Keys and a state repository, from the examples");
    let fleet: FleetName = "example".parse()?;
    let fingerprint = keys::generate(&folders.keys, &fleet, clock::now(), None)?;
    let repository = StateRepository::create(&folders.bare, &folders.top.join("work"), &folders.keys)?;
    say.note(&format!("root fingerprint {fingerprint}"));
    say.note(&format!("state repository {}", folders.bare.display()));

    say.step("The orchestrator, and three agents in sandbox roots");
    let (server, url) = start_server(&folders, repository.revision()?.as_str())?;
    say.note(&format!("status page {url}/"));
    let start = |host| DemoHost::start(program, &folders.hosts, host, &url, &fingerprint.to_string());
    let hosts = HOSTS.into_iter().map(start).collect::<Result<Vec<_>, _>>()?;
    let figures = Figures { status_page: format!("{url}/"), ..Figures::default() };
    Ok(Stage { say, folders, fleet, repository, hosts, figures, _server: server })
}

fn approve(stage: &mut Stage) -> Result<(), anyhow::Error> {
    let Stage { say, repository, hosts, figures, .. } = stage;
    let pending = wait_for_pending(hosts, figures.status_page.trim_end_matches('/'))?;
    for (id, (_, key, _)) in &pending {
        say.seen(&format!("{id} announced itself; fingerprint {}", key.fingerprint()));
    }
    say.step("A signed commit approves them; each converges");
    let edits = approvals(repository, hosts, &pending)?;
    let pushed = push(repository, || repository.commit_and_push("hosts: Approve three hosts", &edits))?;
    let moments = watch_disk(hosts, "the first manifest", |host| host.file(TARGET).is_file())?;
    for (host, took) in since(pushed, hosts, moments) {
        say.seen(&format!("{host} has {TARGET} ({took:.1} ms)"));
        figures.approved_to_converged_ms.insert(host, took);
    }
    Ok(())
}

fn change(stage: &mut Stage) -> Result<(), anyhow::Error> {
    let Stage { say, repository, hosts, figures, .. } = stage;
    say.step("A signed change is pushed");
    let mut template = repository.read(TEMPLATE)?;
    template.extend_from_slice(ADDED.as_bytes());
    let edits = Edits::from([(TEMPLATE.to_owned(), Some(template))]);
    let pushed = push(repository, || repository.commit_and_push("base: Announce the maintenance", &edits))?;
    let changed = |host: &DemoHost| std::fs::read_to_string(host.file(TARGET)).is_ok_and(|text| text.ends_with(ADDED));
    let moments = watch_disk(hosts, "the change", changed)?;
    for (host, took) in since(pushed, hosts, moments) {
        say.seen(&format!("{host} applied it, {took:.1} ms after the push"));
        figures.push_to_applied_ms.insert(host, took);
    }
    Ok(())
}

fn tamper(stage: &mut Stage) -> Result<(), anyhow::Error> {
    let Stage { say, hosts, figures, .. } = stage;
    say.step("Someone edits a managed file by hand");
    let victim = hosts.first().context("a host")?.file(TARGET);
    let right = std::fs::read(&victim)?;
    // The agent heals what it watches; give it the moment that watching needs after an apply.
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(&victim, "tampered with\n")?;
    let tampered = Instant::now();
    let healed = |_: &DemoHost| std::fs::read(&victim).is_ok_and(|bytes| bytes == right);
    let moments = watch_disk(hosts.get_mut(..1).context("a host")?, "the repair", healed)?;
    figures.drift_to_healed_ms =
        moments.first().map_or(0.0, |moment| millis(moment.saturating_duration_since(tampered)));
    say.seen(&format!("{TARGET} healed after {:.1} ms", figures.drift_to_healed_ms));
    Ok(())
}

/// Returns the reverting commit and when it was pushed.
fn revert(stage: &mut Stage, before: &BTreeMap<&str, Vec<u8>>) -> Result<(CommitId, Instant), anyhow::Error> {
    let Stage { say, repository, hosts, figures, .. } = stage;
    say.step("The commit is reverted");
    let pushed = push(repository, || repository.revert_and_push())?;
    let restored = |host: &DemoHost| std::fs::read(host.file(TARGET)).ok().as_ref() == before.get(host.id);
    let moments = watch_disk(hosts, "the revert", restored)?;
    for (host, took) in since(pushed, hosts, moments) {
        say.seen(&format!("{host} is as it was, {took:.1} ms after the push"));
        figures.revert_to_restored_ms.insert(host, took);
    }
    Ok((repository.revision()?, pushed))
}

fn see_compliance(stage: &mut Stage, (reverted, pushed): (CommitId, Instant)) -> Result<(), anyhow::Error> {
    let Stage { say, folders, fleet, figures, .. } = stage;
    say.step("Compliance comes back as files in Git");
    let key = keys::load(&folders.keys, None)?.status;
    let ids = HOSTS.iter().map(|(id, _)| id.parse()).collect::<Result<Vec<HostId>, _>>()?;
    let synced = |host: &HostStatus| {
        host.applied.as_ref().is_some_and(|applied| applied.revision == reverted)
            && host.axes(clock::now()).sync == Sync::Synced
    };
    let told = |host: &HostStatus| host.transitions.iter().any(|transition| transition.cause == Cause::Corrective);
    let committed = watch_status(&folders.bare, &key, fleet, |fleet| {
        ids.iter().all(|id| fleet.hosts.get(id).is_some_and(synced))
            && ids.first().and_then(|id| fleet.hosts.get(id)).is_some_and(told)
    })?;
    figures.revert_to_status_ms = millis(committed.saturating_duration_since(pushed));
    let short = reverted.short();
    say.seen(&format!("branch status: {} hosts Synced at {short}, the drift told as corrective", ids.len()));
    say.note(&format!("git -C {} show status:README.md", folders.bare.display()));
    Ok(())
}

/// How long after `pushed` each host had it, in milliseconds.
fn since(pushed: Instant, hosts: &[DemoHost], moments: Vec<Instant>) -> Vec<(String, f64)> {
    let took = |moment: Instant| millis(moment.saturating_duration_since(pushed));
    hosts.iter().zip(moments).map(|(host, moment)| (host.id.to_owned(), took(moment))).collect()
}

/// Does `push` and gives the moment when the branch moved in the bare repository.
fn push(
    repository: &StateRepository,
    push: impl FnOnce() -> Result<(), anyhow::Error>,
) -> Result<Instant, anyhow::Error> {
    let reference = repository.bare.join("refs/heads/main");
    let before = std::fs::read(&reference)?;
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            if std::fs::read(&reference).is_ok_and(|now| now != before) {
                return Some(Instant::now());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        None
    });
    let pushed = push();
    let after = Instant::now();
    let _ = stop.send(());
    let moved = watch.join().ok().flatten();
    pushed?;
    Ok(moved.unwrap_or(after))
}

fn range<'a>(values: impl Iterator<Item = &'a f64>) -> String {
    let mut values: Vec<f64> = values.copied().collect();
    values.sort_by(f64::total_cmp);
    match (values.first(), values.last()) {
        (Some(least), Some(most)) => format!("{least:.1} to {most:.1} ms"),
        _ => "–".to_owned(),
    }
}
