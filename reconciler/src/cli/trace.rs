//! `muster trace`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use muster_schema::{Address, HostId};
use serde::Serialize;

use super::facts::FactsArgs;
use super::output::{Format, print_document, print_table};
use super::render::{cut, explain};
use crate::io::git::{CommitOrigin, Origins, open_repository};
use crate::io::repository::list_revision;
use crate::render::{ExplainedAttribute, FactsOfFleet};

#[cfg(test)]
mod tests;

/// Tell where a resource comes from: the application or layer of each attribute, its file and line,
/// and the commit and author that brought that line. A template or a file that gives the content has
/// a line of its own, with the commit that changed it last.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host.
    host: HostId,
    /// The resource, as in files/etc/motd.
    address: Address,
    /// Your clone of the state repository, or the bare repository itself. What is committed counts.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The revision to look at.
    #[arg(long, value_name = "REVISION", default_value = "main")]
    revision: String,
    #[command(flatten)]
    facts: FactsArgs,
    /// The form of the output; a table for a terminal, JSON for a pipe.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// An attribute, and who wrote it.
#[derive(Debug, Serialize)]
struct Traced {
    #[serde(flatten)]
    attribute: ExplainedAttribute,
    /// What brought its line.
    origin: CommitOrigin,
    /// What changed the file that it names last.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_origin: Option<CommitOrigin>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let facts = args.facts.load(&args.repo)?;
    let traced = args.trace(&facts)?;
    match Format::or_default(args.output) {
        Format::Table => print_table(
            &["ATTRIBUTE", "VALUE", "LAYER", "PLACE", "COMMIT", "AUTHOR", "SUBJECT"],
            &traced.iter().flat_map(rows_of).collect::<Vec<_>>(),
        ),
        format => print_document(format, &traced)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn trace(&self, facts: &FactsOfFleet) -> Result<Vec<Traced>, anyhow::Error> {
        let repository = open_repository(&self.repo)?;
        let commit = repository.revparse_single(&self.revision).and_then(|object| object.peel_to_commit());
        let tip = commit.with_context(|| format!("{} has no revision {}", self.repo.display(), self.revision))?.id();
        let files = list_revision(&self.repo, &tip.to_string())?;
        let explained = explain(&files, facts, &self.host, &self.address)?;
        let mut origins = Origins::of(&repository, tip);
        let traced = explained.into_iter().map(|attribute| {
            let origin = origins.of_line(&attribute.place.file, attribute.place.line)?;
            let file_origin = attribute.file.as_deref().map(|file| origins.of_file(file)).transpose()?;
            Ok(Traced { attribute, origin, file_origin })
        });
        traced.collect()
    }
}

/// The line of an attribute, and that of the file that gives its content.
fn rows_of(traced: &Traced) -> Vec<Vec<String>> {
    let Traced { attribute, origin, file_origin } = traced;
    let value = attribute.value.as_str().map_or_else(|| attribute.value.to_string(), str::to_owned);
    let row = |name: &str, value: &str, layer: &str, place: String, origin: &CommitOrigin| {
        let commit = origin.commit.short().to_owned();
        vec![name.to_owned(), cut(value), layer.to_owned(), place, commit, origin.author.clone(), cut(&origin.subject)]
    };
    let own = row(&attribute.attribute, &value, &attribute.layer, attribute.place.to_string(), origin);
    let named = attribute.file.as_deref().zip(file_origin.as_ref());
    std::iter::once(own).chain(named.map(|(file, origin)| row("", "", "", file.to_owned(), origin))).collect()
}
