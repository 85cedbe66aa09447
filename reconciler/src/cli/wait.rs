//! `muster wait`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::goal::{Goal, Pushed, short};
use super::output::inert;
use super::say::say;
use super::server::{Server, text};
use super::{exit, progress};

mod goal;

/// Wait until hosts are in sync and healthy at the newest revision.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The hosts; all that have a key where none is named.
    hosts: Vec<String>,
    /// Until they have what their revision says; with neither flag, both.
    #[arg(long)]
    sync: bool,
    /// Until they are healthy; with neither flag, both.
    #[arg(long)]
    health: bool,
    /// Until they are at this revision, by its first digits or whole, instead of
    /// the newest that your clone or the orchestrator knows.
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// Your clone of the state repository, which knows what you pushed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// The longest to wait, in seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout: u64,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let started = Instant::now();
    let bar = progress::bar(0, "");
    let pushed = match args.revision {
        Some(_) => None,
        None => Pushed::load(&args.repo, &text(&args.server.fetch("fleet")?, "fleet")),
    };
    let mut told = false;
    loop {
        let goal = find_goal(args, pushed.as_ref())?;
        if matches!(goal, Goal::Unseen(_)) && !told {
            // A remote repository is looked at from time to time only.
            args.server.hint_at_push();
            told = true;
        }
        let hosts = args.server.fetch_list("hosts")?;
        let (done, rest) = split(args, &goal, &hosts)?;
        bar.set_length((done.len() + rest.len()) as u64);
        bar.set_position(done.len() as u64);
        let Some(first) = rest.first() else {
            bar.finish_and_clear();
            let hosts = if done.len() == 1 { "host is" } else { "hosts are" };
            say!("{} {hosts} there after {:.1} s", done.len(), started.elapsed().as_secs_f64());
            return Ok(ExitCode::SUCCESS);
        };
        bar.set_message(match &goal {
            Goal::Unseen(commit) => format!("{} is not seen yet", short(commit)),
            Goal::At(_) => format!("{}: {}", text(first, "id"), inert(&text(first, "reason"))),
        });
        let out_of_reach = match args.revision {
            Some(_) => None,
            None => goal.out_of_reach(&args.server.fetch_list("revisions")?, &rest),
        };
        if out_of_reach.is_some() || started.elapsed() > Duration::from_secs(args.timeout) {
            bar.finish_and_clear();
            tell(&goal, out_of_reach.as_deref(), &rest);
            return Ok(ExitCode::from(exit::DIFFERS));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn find_goal(args: &Args, pushed: Option<&Pushed>) -> Result<Goal, anyhow::Error> {
    if let Some(revision) = &args.revision {
        return Ok(Goal::At(revision.clone()));
    }
    let newest = Goal::newest(&args.server.fetch("fleet")?, pushed);
    // Before its first look an orchestrator knows none: every host is waited for.
    Ok(newest.unwrap_or_else(|| Goal::At(String::new())))
}

/// The hosts that are there, and those that are not.
fn split<'h>(args: &Args, goal: &Goal, hosts: &'h [Value]) -> Result<(Vec<&'h Value>, Vec<&'h Value>), anyhow::Error> {
    for name in &args.hosts {
        anyhow::ensure!(hosts.iter().any(|host| text(host, "id") == *name), "there is no host '{name}' in this fleet");
    }
    let wanted = |host: &&Value| match args.hosts.as_slice() {
        [] => text(host, "reason") != "NoKey" && text(host, "reason") != "Retired",
        names => names.contains(&text(host, "id")),
    };
    let (done, rest): (Vec<&Value>, Vec<&Value>) =
        hosts.iter().filter(wanted).partition(|host| goal.is_assigned_to(host) && is_well(args, host));
    anyhow::ensure!(!done.is_empty() || !rest.is_empty(), "no host to wait for: none has a key yet");
    Ok((done, rest))
}

fn is_well(args: &Args, host: &Value) -> bool {
    let both = !args.sync && !args.health;
    let synced = text(host, "sync") == "Synced" || !(args.sync || both);
    let healthy = text(host, "health") == "Healthy" || !(args.health || both);
    synced && healthy
}

/// Tells why the wait ended early.
fn tell(goal: &Goal, out_of_reach: Option<&str>, rest: &[&Value]) {
    match (out_of_reach, goal) {
        (Some(why), _) => say!("{}", inert(why)),
        (None, Goal::Unseen(commit)) => say!("the orchestrator has not seen {} yet; was it pushed?", short(commit)),
        (None, Goal::At(_)) => {}
    }
    for host in rest {
        let axes = format!("{} {}/{}", text(host, "sync"), text(host, "health"), text(host, "reason"));
        say!("{}: {} {}", text(host, "id"), inert(&axes), inert(&text(host, "message")));
    }
}
