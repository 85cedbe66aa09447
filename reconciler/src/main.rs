//! The `muster` program.

use std::process::ExitCode;

use clap::Parser;
use muster_reconciler::cli::{Cli, exit};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            exit::print_error(&error);
            ExitCode::from(exit::ERROR)
        }
    }
}
