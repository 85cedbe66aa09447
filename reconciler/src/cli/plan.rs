//! `muster plan`.
#![allow(clippy::disallowed_methods, reason = "writes a file that is named")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::facts::FactsArgs;
use super::say::{print, say};
use super::validate::{counted, print_findings};
use super::{exit, progress};
use crate::io::repository::{list_folder, list_revision};
use crate::model::{Finding, Model, ModelCache, load_model};
use crate::plan::{DEFAULT_MAX_BYTES, LEAST_MAX_BYTES, MarkdownOptions, plan_hosts, render_markdown, render_text};

/// Show what a change of the repository does to each host: exits 1 where something changes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The revision to compare with.
    #[arg(long, default_value = "main", value_name = "REVISION")]
    base: String,
    /// The new revision; the working tree where nothing is said.
    #[arg(long, value_name = "REVISION")]
    head: Option<String>,
    /// The folder of the state repository, a Git repository.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    facts: FactsArgs,
    /// The form of the output.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// The most bytes of the Markdown, so that a forge takes it as one comment.
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MAX_BYTES, value_parser = max_bytes)]
    max_bytes: usize,
    /// Writes the whole as Markdown to this file, too.
    #[arg(long, value_name = "FILE")]
    full: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For a terminal.
    Text,
    /// For a pull request.
    Markdown,
    /// For programs.
    Json,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let mut cache = ModelCache::default();
    let (base, found_in_base) = load_model(&list_revision(&args.dir, &args.base)?, &mut cache);
    if !found_in_base.is_empty() && args.format == Form::Text {
        eprintln!("{} is faulty itself: {}", args.base, counted(found_in_base.len(), "fault"));
    }
    let (head, found) = load_head(args, &mut cache)?;
    let facts = args.facts.load(&args.dir)?;
    let bar = progress::bar(head.hosts().count(), "hosts");
    let plan = plan_hosts(&base, &head, bar.wrap_iter(head.hosts()), &facts, found);
    drop(bar);
    let whole = args.full.as_ref().map(|path| path.display().to_string());
    let fleet = base.fleet().or(head.fleet());
    let options = MarkdownOptions { fleet, base: &args.base, max_bytes: None, whole: whole.as_deref() };
    if let Some(path) = &args.full {
        let written = std::fs::write(path, render_markdown(&plan, &options));
        written.with_context(|| format!("{} cannot be written", path.display()))?;
    }
    match args.format {
        Form::Json => say!("{}", serde_json::to_string_pretty(&plan)?),
        Form::Markdown => {
            let options = MarkdownOptions { max_bytes: Some(args.max_bytes), ..options };
            print(format_args!("{}", render_markdown(&plan, &options)));
        }
        Form::Text => {
            print_findings(&plan.findings);
            print(format_args!("{}", render_text(&plan)));
        }
    }
    if !plan.findings.is_empty() {
        bail!("the new side is faulty: {}", counted(plan.findings.len(), "fault"));
    }
    Ok(ExitCode::from(if plan.is_empty() { exit::DONE } else { exit::DIFFERS }))
}

fn load_head(args: &Args, cache: &mut ModelCache) -> Result<(Model, Vec<Finding>), anyhow::Error> {
    let files = match &args.head {
        Some(revision) => list_revision(&args.dir, revision)?,
        None => list_folder(&args.dir)?,
    };
    Ok(load_model(&files, cache))
}

fn max_bytes(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "it is no number".to_owned())?;
    if bytes < LEAST_MAX_BYTES { Err(format!("the least is {LEAST_MAX_BYTES}")) } else { Ok(bytes) }
}
