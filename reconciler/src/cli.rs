//! The command line: one command a file, each with its arguments and a `run`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this module's business")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod completions;
pub mod exit;
mod key;

/// GitOps for plain Linux hosts: a Git repository is the whole state of a fleet.
#[derive(Debug, Parser)]
#[command(name = "muster", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Key(key::Args),
    Completions(completions::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command could not do, with its causes.
    pub fn run(self) -> Result<ExitCode, anyhow::Error> {
        match self.command {
            Command::Key(args) => key::run(&args),
            Command::Completions(args) => completions::run(&args),
        }
    }
}
