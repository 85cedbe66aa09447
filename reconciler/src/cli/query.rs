//! `muster query`.

use std::process::ExitCode;

use anyhow::ensure;
use serde_json::Value;

use super::exit;
use super::output::{Format, inert, print_document, print_table};
use super::server::{Server, text};

/// Ask agents what their hosts have now: `muster query web-1 packages/nginx`, `muster query -l role=web services`,
/// `muster query --all facts`. Exits with 1 when a host did not answer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Hosts, then what to ask: a collection, an address, or facts.
    #[arg(required = true, num_args = 1.., value_name = "[HOST]... WHAT")]
    words: Vec<String>,
    /// The hosts that this selector over labels selects, as role=web,tier!=test.
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "all")]
    selector: Option<String>,
    /// Every host.
    #[arg(long)]
    all: bool,
    /// With a collection: what the host has, too, and not only what is managed.
    #[arg(long)]
    unmanaged: bool,
    /// How long to wait for the slowest host, in seconds.
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=30))]
    timeout: u64,
    /// The form of the output; a table for a terminal, JSON for a pipe.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let Some((what, hosts)) = args.words.split_last() else { anyhow::bail!("say what to ask") };
    let selector = if args.all { Some("*".to_owned()) } else { args.selector.clone() };
    ensure!(
        hosts.is_empty() == selector.is_some(),
        "name hosts before what to ask, or select them by -l SELECTOR or --all, and not both"
    );
    let whom = match &selector {
        Some(selector) => ("selector", selector.clone()),
        None => ("hosts", hosts.join(",")),
    };
    let all = if args.unmanaged { "?all=true" } else { "" };
    let target = format!("/v1/{}{all}", what.trim_start_matches('/'));
    let timeout = (args.timeout * 1000).to_string();
    let question = [(whom.0, whom.1.as_str()), ("target", target.as_str()), ("timeout_ms", timeout.as_str())];
    let answer = args.server.fetch_with("query", &question)?;
    let format = Format::or_default(args.output);
    if format == Format::Table {
        print_answers(&answer);
    } else {
        print_document(format, &answer)?;
    }
    let unanswered = list(&answer, "unanswered");
    for host in unanswered {
        eprintln!("{} did not answer: {}", inert(&text(host, "host")), inert(&text(host, "reason")));
    }
    Ok(ExitCode::from(if unanswered.is_empty() { exit::DONE } else { exit::DIFFERS }))
}

/// The rows of one answer, without the host.
type Rows = fn(&Value) -> Vec<Vec<String>>;

/// One table; what is asked for tells its columns.
fn print_answers(answer: &Value) {
    let answers = list(answer, "answers");
    let first = answers.iter().filter_map(|answer| answer.get("body")).find(|body| body.get("reason").is_none());
    let has = |key: &str| first.is_some_and(|body| body.get(key).is_some());
    let (header, rows): (&[&str], Rows) = if has("items") {
        (&["HOST", "ADDRESS", "MANAGED", "STATE", "MESSAGE"], items)
    } else if has("collections") {
        (&["HOST", "COLLECTION", "MANAGED", "STATES"], collections)
    } else if has("stable") {
        (&["HOST", "OS", "KERNEL", "UP", "LOAD", "MEMORY FREE", "FAILED"], facts)
    } else {
        (&["HOST", "STATE", "OBSERVED", "PLAN", "MESSAGE"], resource)
    };
    let mut all = Vec::new();
    for answer in answers {
        let Some(body) = answer.get("body") else { continue };
        let rows = if body.get("reason").is_some() {
            vec![vec![text(body, "reason"), text(body, "detail")]]
        } else {
            rows(body)
        };
        all.extend(rows.into_iter().map(|row| [vec![text(answer, "host")], row].concat()));
    }
    print_table(header, &all);
}

fn resource(body: &Value) -> Vec<Vec<String>> {
    let observed = match body.get("observed") {
        Some(observed) if observed.get("present") == Some(&Value::Bool(true)) => {
            let attributes = observed.get("attributes").and_then(Value::as_object);
            let show = |(name, _): (&String, &Value)| {
                format!("{name}={}", text(observed.get("attributes").unwrap_or(&Value::Null), name))
            };
            attributes.map(|all| all.iter().map(show).collect::<Vec<_>>().join(" ")).unwrap_or_default()
        }
        Some(Value::Object(_)) => "absent".to_owned(),
        _ => "–".to_owned(),
    };
    vec![vec![text(body, "state"), observed, text(body, "plan"), text(body, "message")]]
}

fn items(body: &Value) -> Vec<Vec<String>> {
    let row = |item: &Value| ["address", "managed", "state", "message"].map(|key| text(item, key)).into();
    list(body, "items").iter().map(row).collect()
}

fn collections(body: &Value) -> Vec<Vec<String>> {
    let row = |line: &Value| ["collection", "managed", "states"].map(|key| text(line, key)).into();
    list(body, "collections").iter().map(row).collect()
}

fn facts(body: &Value) -> Vec<Vec<String>> {
    let at = |path: &str| body.pointer(path).map(shown).unwrap_or_else(|| "–".to_owned());
    vec![vec![
        format!("{} {}", at("/stable/os/id"), at("/stable/os/version")),
        at("/kernel"),
        body.get("uptime_seconds").and_then(Value::as_u64).map_or_else(String::new, |s| format!("{} h", s / 3600)),
        at("/load/one"),
        format!("{} MiB", at("/memory_available_mib")),
        body.pointer("/services/failed")
            .and_then(Value::as_array)
            .map_or_else(String::new, |all| all.len().to_string()),
    ]]
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
