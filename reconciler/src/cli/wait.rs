//! `muster wait`.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::exit;
use super::output::inert;
use super::server::{Server, text};

/// Wait until hosts are in sync and healthy.
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
    /// Until they are at this revision, by its first digits or whole.
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// The longest to wait, in seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout: u64,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let started = Instant::now();
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")?);
    loop {
        let hosts = args.server.fetch("hosts")?;
        let hosts = hosts.as_array().map(Vec::as_slice).unwrap_or_default();
        for name in &args.hosts {
            anyhow::ensure!(
                hosts.iter().any(|host| text(host, "id") == *name),
                "there is no host '{name}' in this fleet"
            );
        }
        let wanted = |host: &&Value| match args.hosts.as_slice() {
            [] => text(host, "reason") != "NoKey" && text(host, "reason") != "Retired",
            names => names.contains(&text(host, "id")),
        };
        let (done, rest): (Vec<&Value>, Vec<&Value>) =
            hosts.iter().filter(wanted).partition(|host| is_there(args, host));
        anyhow::ensure!(!done.is_empty() || !rest.is_empty(), "no host to wait for: none has a key yet");
        bar.set_length((done.len() + rest.len()) as u64);
        bar.set_position(done.len() as u64);
        let Some(first) = rest.first() else {
            bar.finish_and_clear();
            let hosts = if done.len() == 1 { "host is" } else { "hosts are" };
            println!("{} {hosts} there after {:.1} s", done.len(), started.elapsed().as_secs_f64());
            return Ok(ExitCode::SUCCESS);
        };
        bar.set_message(format!("{}: {}", text(first, "id"), inert(&text(first, "reason"))));
        if started.elapsed() > Duration::from_secs(args.timeout) {
            bar.finish_and_clear();
            for host in &rest {
                let axes = format!("{} {}/{}", text(host, "sync"), text(host, "health"), text(host, "reason"));
                println!("{}: {} {}", text(host, "id"), inert(&axes), inert(&text(host, "message")));
            }
            return Ok(ExitCode::from(exit::DIFFERS));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn is_there(args: &Args, host: &Value) -> bool {
    let both = !args.sync && !args.health;
    let synced = text(host, "sync") == "Synced" || !(args.sync || both);
    let healthy = text(host, "health") == "Healthy" || !(args.health || both);
    let revision = args.revision.as_ref().is_none_or(|wanted| text(host, "assigned").starts_with(wanted.as_str()));
    synced && healthy && revision
}
