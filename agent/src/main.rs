//! The daemon on each host.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    muster_agent::cli::main(muster_agent::cli::Cli::parse())
}
