//! `muster get`.

use std::process::ExitCode;

use clap::ValueEnum;
use muster_schema::Timestamp;
use serde_json::Value;

use super::output::{Format, print_document, print_table};
use super::server::{Server, commit, text};

/// Show hosts, revisions, findings, events' sources, agents that wait for approval, or enrolment tokens.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to show.
    #[arg(value_enum, default_value_t = What::Hosts)]
    what: What,
    /// Only the host of this id.
    id: Option<String>,
    /// The form of the output; a table for a terminal, JSON for a pipe.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Hosts,
    Fleet,
    Revisions,
    Findings,
    Enrolment,
    Tokens,
}

impl What {
    fn path(self) -> &'static str {
        match self {
            What::Hosts => "hosts",
            What::Fleet => "fleet",
            What::Revisions => "revisions",
            What::Findings => "findings",
            What::Enrolment => "enrolment",
            What::Tokens => "enrolment/tokens",
        }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let value = match (&args.id, args.what) {
        (Some(id), What::Hosts) => Value::Array(vec![args.server.fetch_host(id)?]),
        (Some(_), _) => anyhow::bail!("only hosts have an id to ask for"),
        (None, What::Fleet) => args.server.fetch("fleet")?,
        (None, what) => Value::Array(args.server.fetch_list(what.path())?),
    };
    let format = Format::or_default(args.output);
    if format != Format::Table || args.what == What::Fleet {
        print_document(format, &value)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match args.what {
        What::Hosts | What::Fleet => print_table(
            &["NAME", "ENVIRONMENT", "SYNC", "HEALTH", "CONTACT", "REVISION", "MESSAGE"],
            &rows.iter().map(host_row).collect::<Vec<_>>(),
        ),
        What::Revisions => print_table(
            &["REVISION", "VERDICT", "PUBLISHED", "SUBJECT", "DETAIL"],
            &rows.iter().map(revision_row).collect::<Vec<_>>(),
        ),
        What::Findings => print_table(&["PLACE", "REASON", "HINT"], &rows.iter().map(finding_row).collect::<Vec<_>>()),
        What::Enrolment => {
            print_table(&["CLAIMS TO BE", "FINGERPRINT", "KEY"], &rows.iter().map(enrolment_row).collect::<Vec<_>>())
        }
        What::Tokens => print_table(
            &["NAME", "GIVES", "STATE", "EXPIRES", "USED AS", "BY"],
            &rows.iter().map(token_row).collect::<Vec<_>>(),
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn host_row(host: &Value) -> Vec<String> {
    let reason = match (text(host, "reason"), text(host, "message")) {
        (reason, message) if message.is_empty() => reason,
        (reason, message) => format!("{reason}: {message}"),
    };
    vec![
        text(host, "id"),
        text(host, "environment"),
        text(host, "sync"),
        text(host, "health"),
        text(host, "contact"),
        commit(host, "applied_revision"),
        reason,
    ]
}

fn revision_row(revision: &Value) -> Vec<String> {
    ["id", "verdict", "published", "subject", "detail"]
        .map(|key| if key == "id" { commit(revision, key) } else { text(revision, key) })
        .into()
}

fn finding_row(finding: &Value) -> Vec<String> {
    let place = format!("{}:{}:{}", text(finding, "file"), text(finding, "line"), text(finding, "column"));
    vec![place, text(finding, "reason"), text(finding, "hint")]
}

fn enrolment_row(pending: &Value) -> Vec<String> {
    let name = match pending.get("replaces") {
        Some(before) => format!("re-key of {}", text(before, "id")),
        None => pending.get("announce").map_or_else(String::new, |announce| text(announce, "name")),
    };
    vec![name, text(pending, "fingerprint"), text(pending, "key")]
}

fn token_row(token: &Value) -> Vec<String> {
    let none = Value::Null;
    let used = token.get("used").unwrap_or(&none);
    let expires = token.get("expires").and_then(Value::as_u64).map(|time| Timestamp(time).to_string());
    let [name, gives, state] = ["name", "gives", "state"].map(|key| text(token, key));
    vec![name, gives, state, expires.unwrap_or_default(), text(used, "host"), text(used, "fingerprint")]
}
