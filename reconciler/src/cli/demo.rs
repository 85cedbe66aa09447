//! `muster demo`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::say::say;
use crate::demo::{DemoOptions, run as run_demo};

/// See the whole way of a change on this machine: no root, no broker, no configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End when every step was observed, with exit code 0; another when one was not.
    #[arg(long)]
    once: bool,
    /// Print the figures as one JSON object on the last line of standard output.
    #[arg(long)]
    json: bool,
    /// Leave state repository, published tree and public keys in this existing empty folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let figures = run_demo(&DemoOptions { once: args.once, json: args.json, keep: args.keep.clone() })?;
    if args.json {
        say!("{}", serde_json::to_string(&figures)?);
    }
    Ok(ExitCode::SUCCESS)
}
