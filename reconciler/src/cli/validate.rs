//! `muster validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::output::inert;
use super::say::say;
use super::state::StateArgs;
use super::{exit, progress};
use crate::model::{Finding, ModelCache, Scope, load_model};
use crate::render::{CheckedFleet, Missing, check_hosts};

/// Check a state repository: list every fault in it. Hosts that wait for facts are named; that is no fault.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the state repository; needs no Git.
    #[arg(default_value = ".", conflicts_with = "repo")]
    dir: PathBuf,
    #[command(flatten)]
    state: StateArgs,
    /// The form of the output.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people and for editors: file:line:column: reason.
    Text,
    /// One JSON document.
    Json,
}

#[derive(Serialize)]
struct Outcome<'a> {
    findings: &'a [Finding],
    waiting: BTreeMap<String, &'a [Missing]>,
    hosts: usize,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let files = args.state.list(&args.dir)?;
    let facts = args.state.facts(&args.dir)?;
    let (model, found) = load_model(&files, &mut ModelCache::default());
    let hosts = model.hosts().count();
    let bar = progress::bar(hosts, "hosts");
    let checked = check_hosts(&model, bar.wrap_iter(model.hosts()), &facts, found);
    drop(bar);
    match args.output {
        Form::Text => print_text(&checked, hosts),
        Form::Json => {
            let waiting = checked.waiting.iter().map(|(host, missing)| (host.to_string(), missing.as_slice()));
            let outcome = Outcome { findings: &checked.found, waiting: waiting.collect(), hosts };
            say!("{}", serde_json::to_string_pretty(&outcome)?);
        }
    }
    Ok(ExitCode::from(if checked.found.is_empty() { exit::DONE } else { exit::ERROR }))
}

fn print_text(checked: &CheckedFleet, hosts: usize) {
    print_findings(&checked.found);
    for (host, missing) in &checked.waiting {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        say!("{host} waits for {}", inert(&missing.join(", ")));
    }
    let waiting = match checked.waiting.len() {
        0 => String::new(),
        waiting => format!(", {waiting} waiting"),
    };
    match checked.found.len() {
        0 => say!("no faults in {}{waiting}", counted(hosts, "host")),
        faults => say!("{} in {}{waiting}", counted(faults, "fault"), counted(hosts, "host")),
    }
}

/// Prints each fault once, whichever hosts have it.
pub(super) fn print_findings(found: &[Finding]) {
    let mut shown: BTreeMap<(&crate::model::Place, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in found {
        shown.entry((&finding.place, &finding.reason)).or_default().push(finding);
    }
    for ((place, reason), findings) in shown {
        say!("{}: {}", inert(&place.to_string()), inert(reason));
        if let Some(hint) = findings.iter().find_map(|finding| finding.hint.as_ref()) {
            say!("    {}", inert(hint));
        }
        let hosts: Vec<&str> = findings
            .iter()
            .filter_map(|finding| match &finding.scope {
                Scope::Host(host) => Some(host.as_str()),
                _ => None,
            })
            .collect();
        if !hosts.is_empty() {
            say!("    on {}", named(&hosts));
        }
    }
}

/// The first few names, and how many there are beyond.
fn named(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let first = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(beyond) if beyond > 0 => format!("{first} and {beyond} more"),
        _ => first,
    }
}

/// `1 host`, `2 hosts`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
