//! `muster render`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use muster_schema::{Address, HostId};
use serde::Serialize;
use serde_json::{Map, Value};

use super::output::{Format, print_document, print_table};
use super::state::StateArgs;
use super::validate::print_findings;
use super::{exit, output};
use crate::model::{Model, ModelCache, RepositoryFiles, load_model};
use crate::render::{
    ExplainedAttribute, FactsOfFleet, Missing, NotRendered, RenderedHost, explain_resource, render_host,
};

/// Show what a host is to have, or where each attribute of one resource comes from.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host.
    host: HostId,
    /// Name the layer and line of each attribute of this resource, as in files/etc/motd.
    #[arg(long, value_name = "ADDRESS")]
    explain: Option<Address>,
    /// The folder of the state repository; needs no Git.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".", conflicts_with = "repo")]
    dir: PathBuf,
    #[command(flatten)]
    state: StateArgs,
    /// The form of the output; YAML for a terminal and JSON for a pipe where nothing is said.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let files = args.state.list(&args.dir)?;
    let facts = args.state.facts(&args.dir)?;
    match &args.explain {
        Some(address) => {
            let explained = explain(&files, &facts, &args.host, address)?;
            match Format::or_default(args.output) {
                Format::Table => {
                    let row = |attribute: &ExplainedAttribute| {
                        let value = attribute.value.as_str().map_or_else(|| attribute.value.to_string(), str::to_owned);
                        vec![
                            attribute.attribute.clone(),
                            cut(&value),
                            attribute.layer.clone(),
                            attribute.place.to_string(),
                        ]
                    };
                    let rows: Vec<Vec<String>> = explained.iter().map(row).collect();
                    print_table(&["ATTRIBUTE", "VALUE", "LAYER", "PLACE"], &rows);
                }
                format => print_document(format, &explained)?,
            }
        }
        None => {
            let (_, rendered) = load_rendered(&files, &facts, &args.host)?;
            let format = match Format::or_default(args.output) {
                Format::Json => Format::Json,
                Format::Table | Format::Yaml => Format::Yaml,
            };
            print_document(format, &shown(&rendered)?)?;
        }
    }
    Ok(ExitCode::from(exit::DONE))
}

/// Where each attribute of a resource comes from; an error tells why the host, or the resource, is not there.
pub(super) fn explain(
    files: &RepositoryFiles,
    facts: &FactsOfFleet,
    id: &HostId,
    address: &Address,
) -> Result<Vec<ExplainedAttribute>, anyhow::Error> {
    let (model, rendered) = load_rendered(files, facts, id)?;
    explain_resource(&model, id, facts, address).with_context(|| unknown_address(&rendered, id, address))
}

/// The model, and what one host is to have by it; an error tells why that is not known, after the findings.
fn load_rendered(
    files: &RepositoryFiles,
    facts: &FactsOfFleet,
    id: &HostId,
) -> Result<(Model, RenderedHost), anyhow::Error> {
    let (model, found) = load_model(files, &mut ModelCache::default());
    let host = model.host(id).with_context(|| unknown_host(&model, id))?;
    let held: Vec<_> = found.into_iter().filter(|finding| finding.holds_environment(&host.environment)).collect();
    if !held.is_empty() {
        print_findings(&held);
        bail!("the environment '{}' is faulty", host.environment);
    }
    match render_host(&model, id, facts) {
        Ok(rendered) => Ok((model, rendered)),
        Err(NotRendered::Faulty { found, .. }) => {
            print_findings(&found);
            bail!("{id} is not rendered");
        }
        Err(NotRendered::Waiting { missing, .. }) => {
            let facts = missing.iter().any(|missing| matches!(missing, Missing::Fact { .. }));
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let hint = if facts { "; give facts with --facts" } else { "" };
            bail!("{id} waits for {}{hint}", missing.join(", "));
        }
    }
}

/// A resource as it is shown: attributes and meta side by side, contents as text where they are text.
#[derive(Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    #[serde(flatten)]
    attributes: Map<String, Value>,
}

fn shown(rendered: &RenderedHost) -> Result<BTreeMap<String, BTreeMap<String, Shown>>, anyhow::Error> {
    let mut collections: BTreeMap<String, BTreeMap<String, Shown>> = BTreeMap::new();
    for resource in &rendered.resources {
        let mut attributes = Map::new();
        if let Value::Object(meta) = serde_json::to_value(&resource.meta)? {
            // Beside permission bits, the mode of enforcement goes by its other name.
            let named = meta
                .into_iter()
                .map(|(name, value)| if name == "mode" { ("enforcement".to_owned(), value) } else { (name, value) });
            attributes.extend(named);
        }
        if let Value::Object(spec) = serde_json::to_value(&resource.spec)? {
            attributes.extend(spec);
        }
        for blob in resource.blobs() {
            let text = rendered.blobs.get(&blob.sha256).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let reference = serde_json::to_value(blob)?;
            if let Some(text) = text {
                show_text(&mut attributes, &reference, text);
            }
        }
        let shown = Shown { application: resource.application.clone(), attributes };
        let of_collection = collections.entry(resource.address.collection().to_string()).or_default();
        of_collection.insert(resource.address.id().to_owned(), shown);
    }
    Ok(collections)
}

/// Puts the text in place of the references to it.
fn show_text(attributes: &mut Map<String, Value>, reference: &Value, text: &str) {
    for value in attributes.values_mut() {
        if value == reference {
            *value = Value::from(text);
        } else if let Some(nested) = value.as_object_mut() {
            show_text(nested, reference, text);
        }
    }
}

fn unknown_host(model: &Model, host: &HostId) -> String {
    let known = model.hosts().map(|host| host.id.as_str());
    let hint = crate::model::did_you_mean(host.as_str(), known);
    with_hint(format!("there is no host '{host}'"), hint)
}

fn unknown_address(rendered: &RenderedHost, host: &HostId, address: &Address) -> String {
    let known: Vec<String> = rendered.resources.iter().map(|resource| resource.address.to_string()).collect();
    let hint = crate::model::did_you_mean(&address.to_string(), known.iter().map(String::as_str));
    with_hint(format!("{host} has no {address}"), hint)
}

fn with_hint(reason: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{reason}, {hint}"),
        None => reason,
    }
}

/// One line of at most 60 characters.
pub(super) fn cut(text: &str) -> String {
    let line = output::inert(text);
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
