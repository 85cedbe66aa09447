//! `muster why`.

use std::process::ExitCode;

use muster_schema::Culprit;
use serde_json::Value;

use super::exit;
use super::output::inert;
use super::say::say;
use super::server::{Server, commit, text};

/// Tell why a host, or one resource on it, is as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host.
    host: String,
    /// The address of a resource, as files/etc/motd.
    resource: Option<muster_schema::Address>,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let host = args.server.fetch_host(&args.host)?;
    if let Some(address) = &args.resource {
        return Ok(why_resource(&host, &address.to_string()));
    }
    say!("{} is {} and {}, {}", args.host, text(&host, "sync"), text(&host, "health"), text(&host, "contact"));
    let (reason, message) = (text(&host, "reason"), text(&host, "message"));
    if !reason.is_empty() {
        say!("  {}: {}", inert(&reason), inert(&message));
    }
    say!("  assigned {}, applied {}", commit(&host, "assigned"), commit(&host, "applied_revision"));
    for deviation in list(&host, "deviations") {
        say!(
            "  {} is {}: {}",
            text(deviation, "address"),
            text(deviation, "state"),
            inert(&text(deviation, "message"))
        );
    }
    for rejection in list(&host, "rejections") {
        say!("  refused {}: {}", inert(&text(rejection, "code")), inert(&text(rejection, "message")));
    }
    let well = text(&host, "sync") == "Synced" && text(&host, "health") == "Healthy";
    Ok(ExitCode::from(if well { exit::DONE } else { exit::DIFFERS }))
}

fn why_resource(host: &Value, address: &str) -> ExitCode {
    let of_address = |item: &&Value| text(item, "address") == address;
    let deviation = list(host, "deviations").iter().find(of_address);
    match deviation {
        Some(deviation) => {
            say!("{address} is {}: {}", text(deviation, "state"), inert(&text(deviation, "message")));
        }
        None => say!("{address} has no deviation"),
    }
    for change in list(host, "transitions").iter().filter(of_address) {
        say!(
            "  {} → {} ({}{}): {}",
            text(change, "from"),
            text(change, "to"),
            text(change, "cause"),
            inert(&by(change)),
            inert(&text(change, "message"))
        );
    }
    ExitCode::from(if deviation.is_some() { exit::DIFFERS } else { exit::DONE })
}

/// Who made the drift that a change put right.
fn by(change: &Value) -> String {
    if text(change, "cause") != "corrective" {
        return String::new();
    }
    let culprit = change.get("by").and_then(|by| serde_json::from_value::<Culprit>(by.clone()).ok());
    format!(", by {}", culprit.map_or_else(|| "unknown".to_owned(), |culprit| culprit.to_string()))
}

fn list<'a>(host: &'a Value, key: &str) -> &'a [Value] {
    host.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
