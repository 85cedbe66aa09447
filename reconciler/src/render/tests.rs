//! Whole repositories rendered: what comes out, and what is told.

mod attack;
mod golden;
mod outputs;
mod purity;
mod reads;
mod reported;
mod rules;
mod secrets;
mod verbatim;

use std::fmt::Write;

use muster_schema::HostId;
use muster_schema::facts::{Facts, OsFacts};

use super::{FactsOfFleet, NotRendered, RenderedHost, render_host};
use crate::model::tests::load;

pub(crate) fn debian(address: &str) -> Facts {
    Facts {
        os: OsFacts {
            family: "debian".to_owned(),
            id: "debian".to_owned(),
            version: Some("12".to_owned()),
            codename: Some("bookworm".to_owned()),
        },
        arch: "x86_64".to_owned(),
        cpus: 2,
        memory_mib: 1024,
        hostname: "h".to_owned(),
        address: address.parse().ok(),
        addresses: address.parse().into_iter().collect(),
        virtualisation: None,
    }
}

/// A host set as text: one resource a line, texts of contents below.
pub(crate) fn shown(rendered: &RenderedHost) -> String {
    let mut text = String::new();
    for resource in &rendered.resources {
        let json = serde_json::to_value(resource).expect("json");
        let field = |name: &str| json.get(name).map_or_else(String::new, |value| format!(" {name}={value}"));
        let attributes = json.get("attributes").and_then(|attributes| attributes.as_object()).cloned();
        let is_shown = |name: &str| !["content", "script", "stdin", "undo"].contains(&name);
        let attributes = attributes.into_iter().flatten().filter(|(name, _)| is_shown(name));
        let attributes: serde_json::Value = attributes.collect::<serde_json::Map<_, _>>().into();
        writeln!(text, "{}{}{} {attributes}", resource.address, field("application"), field("meta")).expect("text");
        if let Some(exception) = json.get("exception") {
            let mut exception = exception.clone();
            if let Some(attributes) = exception.get_mut("attributes").and_then(|attributes| attributes.as_object_mut())
            {
                attributes.remove("content");
            }
            writeln!(text, "    exception {exception}").expect("text");
        }
        for blob in resource.blobs() {
            let bytes = &rendered.blobs[&blob.sha256];
            for line in String::from_utf8_lossy(bytes).lines() {
                writeln!(text, "    | {line}").expect("text");
            }
        }
    }
    text
}

/// Renders one host of a repository that is written as text; what is told instead, if anything is.
pub(crate) fn render(repository: &str, host: &str, facts: &FactsOfFleet) -> String {
    let (model, found) = load(repository);
    if !found.is_empty() {
        return found.iter().map(|finding| format!("load {finding}\n")).collect();
    }
    let host: HostId = host.parse().expect("a host id");
    match render_host(&model, &host, facts) {
        Ok(rendered) => shown(&rendered),
        Err(NotRendered::Waiting { missing, .. }) => missing.iter().map(|fact| format!("waits for {fact}\n")).collect(),
        Err(NotRendered::Faulty { found, .. }) => {
            found.iter().map(|finding| format!("{finding} {:?}\n", finding.scope)).collect()
        }
    }
}
