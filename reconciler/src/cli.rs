//! The command line: one command a file, each with its arguments and a `run`.
#![allow(clippy::print_stderr, reason = "the terminal is this module's business")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod attest;
mod audit;
mod breakglass;
mod broker;
mod change;
mod completions;
mod confirm;
mod demo;
mod enrol_command;
mod events;
pub mod exit;
mod facts;
mod get;
mod history;
mod host;
mod init;
mod key;
mod log;
mod man;
mod output;
mod plan;
mod policy;
mod progress;
mod query;
mod render;
mod say;
mod sealer;
mod secret;
mod serve;
mod server;
mod signer;
mod state;
mod state_clone;
mod token;
mod trace;
mod validate;
mod wait;
mod why;
mod witness;

/// GitOps for plain Linux hosts: a Git repository is the whole state of a fleet.
#[derive(Debug, Parser)]
#[command(name = "muster", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Key(key::Args),
    Validate(validate::Args),
    Render(render::Args),
    Plan(plan::Args),
    Serve(Box<serve::Args>),
    Signer(signer::Args),
    Demo(demo::Args),
    Get(get::Args),
    Why(why::Args),
    Trace(trace::Args),
    History(history::Args),
    Events(events::Args),
    Query(query::Args),
    Wait(wait::Args),
    Host(host::Args),
    Change(change::Args),
    Policy(policy::Args),
    Secret(secret::Args),
    Token(token::Args),
    Audit(audit::Args),
    Broker(broker::Args),
    Attest(attest::Args),
    Witness(witness::Args),
    Sealer(sealer::Args),
    Breakglass(breakglass::Args),
    #[command(name = "enrol-command")]
    Enrol(enrol_command::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command could not do, with its causes.
    pub fn run(self) -> Result<ExitCode, anyhow::Error> {
        match self.command {
            Command::Init(args) => init::run(&args),
            Command::Key(args) => key::run(&args),
            Command::Validate(args) => validate::run(&args),
            Command::Render(args) => render::run(&args),
            Command::Plan(args) => plan::run(&args),
            Command::Serve(args) => serve::run(*args),
            Command::Signer(args) => signer::run(&args),
            Command::Demo(args) => demo::run(&args),
            Command::Get(args) => get::run(&args),
            Command::Why(args) => why::run(&args),
            Command::Trace(args) => trace::run(&args),
            Command::History(args) => history::run(&args),
            Command::Events(args) => events::run(&args),
            Command::Query(args) => query::run(&args),
            Command::Wait(args) => wait::run(&args),
            Command::Host(args) => host::run(&args),
            Command::Change(args) => change::run(&args),
            Command::Policy(args) => policy::run(&args),
            Command::Secret(args) => secret::run(&args),
            Command::Token(args) => token::run(&args),
            Command::Audit(args) => audit::run(&args),
            Command::Broker(args) => broker::run(&args),
            Command::Attest(args) => attest::run(&args),
            Command::Witness(args) => witness::run(&args),
            Command::Sealer(args) => sealer::run(&args),
            Command::Breakglass(args) => breakglass::run(&args),
            Command::Enrol(args) => enrol_command::run(&args),
            Command::Completions(args) => completions::run(&args),
            Command::Man(args) => man::run(&args),
        }
    }
}
