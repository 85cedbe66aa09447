//! The demo from beginning to end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use muster_schema::PublicKey;

use super::agent_program::find_agent_program;
use super::figures::{Figures, millis};
use super::hosts::{DemoHost, PATIENCE, watch_disk};
use super::narration::Narration;
use super::process::Process;
use super::repository::{Edits, StateRepository};
use crate::enrolment::approve_host_file;
use crate::io::clock;
use crate::keys;

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

/// Where everything is.
struct Folders {
    top: PathBuf,
    keys: PathBuf,
    bare: PathBuf,
    hosts: PathBuf,
}

/// Tells the story. Returns the figures when every step was observed.
///
/// # Errors
/// What was not observed, or could not be done.
pub fn run(options: &DemoOptions) -> Result<Figures, anyhow::Error> {
    let program = find_agent_program()?;
    let started = Instant::now();
    let say = Narration::new(options.json);
    // The folder goes when the demo ends, unless it is to be kept.
    let scratch = tempfile::Builder::new().prefix("muster-demo-").tempdir()?;
    let folders = lay_out(options.keep.as_deref().unwrap_or(scratch.path()))?;

    say.step("Keys and a state repository, from the examples");
    let fleet = "example".parse()?;
    let fingerprint = keys::generate(&folders.keys, &fleet, clock::now(), None)?;
    let repository = StateRepository::create(&folders.bare, &folders.top.join("work"), &folders.keys)?;
    say.note(&format!("root fingerprint {fingerprint}"));
    say.note(&format!("state repository {}", folders.bare.display()));

    say.step("The orchestrator, and three agents in sandbox roots");
    let (_server, url) = start_server(&folders, repository.revision()?.as_str())?;
    say.note(&format!("status page {url}/"));
    let mut hosts = Vec::new();
    for host in HOSTS {
        hosts.push(DemoHost::start(&program, &folders.hosts, host, &url, &fingerprint.to_string())?);
    }
    let mut figures = Figures { status_page: format!("{url}/"), ..Figures::default() };

    let pending = wait_for_pending(&mut hosts, &url)?;
    for (id, (_, key, _)) in &pending {
        say.seen(&format!("{id} announced itself; fingerprint {}", key.fingerprint()));
    }

    say.step("A signed commit approves them; each converges");
    let edits = approvals(&repository, &hosts, &pending)?;
    let pushed = push(&repository, || repository.commit_and_push("hosts: Approve three hosts", &edits))?;
    let moments = watch_disk(&mut hosts, "the first manifest", |host| host.file(TARGET).is_file())?;
    for (host, moment) in hosts.iter().zip(moments) {
        let took = millis(moment.saturating_duration_since(pushed));
        figures.approved_to_converged_ms.insert(host.id.into(), took);
        say.seen(&format!("{} has {TARGET} ({took:.1} ms)", host.id));
    }

    let before: BTreeMap<&str, Vec<u8>> = hosts
        .iter()
        .map(|host| Ok((host.id, std::fs::read(host.file(TARGET))?)))
        .collect::<Result<_, std::io::Error>>()?;

    say.step("A signed change is pushed");
    let mut template = repository.read(TEMPLATE)?;
    template.extend_from_slice(ADDED.as_bytes());
    let edits = Edits::from([(TEMPLATE.to_owned(), Some(template))]);
    let pushed = push(&repository, || repository.commit_and_push("base: Announce the maintenance", &edits))?;
    let changed = |host: &DemoHost| std::fs::read_to_string(host.file(TARGET)).is_ok_and(|text| text.ends_with(ADDED));
    let moments = watch_disk(&mut hosts, "the change", changed)?;
    for (host, moment) in hosts.iter().zip(moments) {
        let took = millis(moment.saturating_duration_since(pushed));
        figures.push_to_applied_ms.insert(host.id.into(), took);
        say.seen(&format!("{} applied it, {took:.1} ms after the push", host.id));
    }

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

    say.step("The commit is reverted");
    let pushed = push(&repository, || repository.revert_and_push())?;
    let restored = |host: &DemoHost| std::fs::read(host.file(TARGET)).ok().as_ref() == before.get(host.id);
    let moments = watch_disk(&mut hosts, "the revert", restored)?;
    for (host, moment) in hosts.iter().zip(moments) {
        let took = millis(moment.saturating_duration_since(pushed));
        figures.revert_to_restored_ms.insert(host.id.into(), took);
        say.seen(&format!("{} is as it was, {took:.1} ms after the push", host.id));
    }

    figures.observed = true;
    figures.total_ms = millis(started.elapsed());
    say.step("Every step was observed on disk");
    say.note(&format!("push → applied  {}", range(figures.push_to_applied_ms.values())));
    say.note(&format!("drift → healed  {:.1} ms", figures.drift_to_healed_ms));
    say.note(&format!("revert → restored  {}", range(figures.revert_to_restored_ms.values())));
    if !options.once {
        say.note(&format!("\n       Look at {url}/ ; edit below {} ; end with Ctrl-C.", folders.hosts.display()));
        wait_for_interrupt()?;
    }
    Ok(figures)
}

fn lay_out(top: &Path) -> Result<Folders, anyhow::Error> {
    let top = top.canonicalize().with_context(|| format!("the folder {}", top.display()))?;
    let mut entries = std::fs::read_dir(&top).with_context(|| format!("the folder {}", top.display()))?;
    ensure!(entries.next().is_none(), "the folder {} is not empty", top.display());
    let folders = Folders { keys: top.join("keys"), bare: top.join("state.git"), hosts: top.join("hosts"), top };
    for folder in [&folders.keys, &folders.hosts] {
        std::fs::create_dir_all(folder)?;
    }
    Ok(folders)
}

/// Starts `muster serve` on a free port and reads its address from its log.
fn start_server(folders: &Folders, trust: &str) -> Result<(Process, String), anyhow::Error> {
    let log = folders.top.join("serve.log");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--trust", trust]);
    command.arg("--repo").arg(&folders.bare).arg("--keys").arg(&folders.keys).arg("--data").arg(&folders.top);
    let mut server = Process::start(&mut command, &log).context("the orchestrator")?;
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let complete = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        if let Some(url) = complete.filter_map(|line| line.trim().strip_prefix("serving on ")).next() {
            return Ok((server, url.to_owned()));
        }
        if !server.is_running() || started.elapsed() > PATIENCE {
            bail!("the orchestrator did not start: {}", text.trim());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What waits for approval, by claimed name: fingerprint, key, recipient.
type PendingHosts = BTreeMap<String, (String, PublicKey, String)>;

fn wait_for_pending(hosts: &mut [DemoHost], url: &str) -> Result<PendingHosts, anyhow::Error> {
    let started = Instant::now();
    loop {
        let pending = fetch_pending(url)?;
        if hosts.iter().all(|host| pending.contains_key(host.id)) {
            return Ok(pending);
        }
        for host in hosts.iter_mut() {
            host.check_running()?;
        }
        ensure!(started.elapsed() < PATIENCE, "not every agent announced itself within {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn fetch_pending(url: &str) -> Result<PendingHosts, anyhow::Error> {
    let text = ureq::get(format!("{url}/api/v1/enrolment")).call()?.body_mut().read_to_string()?;
    let list: Vec<serde_json::Value> = serde_json::from_str(&text)?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |item: &serde_json::Value| -> Result<_, anyhow::Error> {
        let key: PublicKey = text(&item["key"]).parse()?;
        let announce = &item["announce"];
        Ok((text(&announce["name"]), (text(&item["fingerprint"]), key, text(&announce["recipient"]))))
    };
    list.iter().map(entry).collect()
}

/// The host files with the keys that were announced.
fn approvals(repository: &StateRepository, hosts: &[DemoHost], pending: &PendingHosts) -> Result<Edits, anyhow::Error> {
    let mut edits = Edits::new();
    for host in hosts {
        let (_, key, recipient) = pending.get(host.id).context("a pending host")?;
        let path = format!("environments/{}/hosts/{}.yaml", host.environment, host.id);
        let text = String::from_utf8(repository.read(&path)?)?;
        edits.insert(path, Some(approve_host_file(Some(&text), key, recipient)?.into_bytes()));
    }
    Ok(edits)
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

fn wait_for_interrupt() -> Result<(), anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
