//! The command line: the daemon, and what a person on the host asks it.

mod breakglass;
mod facts;
mod plan;
mod rekey;
mod run;
mod state;
mod status;

use crate::config::{DEFAULT_CONFIG, Settings};
use clap::{Args, Parser, Subcommand};
use muster_schema::resource::Enforcement;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The agent of muster: converges one host to what a signed repository says.
#[derive(Debug, Parser)]
#[command(name = "muster-agent", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Run(Options),
    /// Show what would be changed now. Writes nothing.
    Plan {
        #[command(flatten)]
        options: Options,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show how the host fares.
    Status {
        #[command(flatten)]
        options: Options,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make other keys for this host, which take the place of its own once somebody approved them.
    Rekey(Options),
    /// Take a manifest that people signed, where the orchestrator gives none.
    #[command(subcommand)]
    Breakglass(breakglass::Command),
    /// Show the facts that the agent reports.
    Facts,
}

/// Settings on the command line; they win over the file.
#[derive(Debug, Args)]
struct Options {
    /// The settings file.
    #[arg(long, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// The orchestrator's address.
    #[arg(long)]
    url: Option<String>,
    /// SHA-256 of the first root document.
    #[arg(long)]
    root_fingerprint: Option<String>,
    /// The broker's address.
    #[arg(long)]
    bus: Option<String>,
    /// Certificates of those who may sign for the orchestrator and the broker.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The certificate that the host shows in TLS.
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// The tree to manage instead of the whole host.
    #[arg(long)]
    root: Option<PathBuf>,
    /// The agent's own folder.
    #[arg(long)]
    state: Option<PathBuf>,
    /// The name that the host would like.
    #[arg(long)]
    name: Option<String>,
    /// The file with the enrolment token of a new host (mode 0600); -: standard input. Else MUSTER_ENROLMENT_TOKEN is looked at.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Time between full sweeps: 300s, 5m, 500ms.
    #[arg(long)]
    sweep_interval: Option<String>,
    /// Where the agent's own API is: a path, or off.
    #[arg(long, value_name = "PATH")]
    api_socket: Option<PathBuf>,
    /// How soon the orchestrator is to be reached after a risky change, or it is taken back: 120s, 5m, off.
    #[arg(long)]
    confirm_within: Option<String>,
    /// The folder of plug-ins.
    #[arg(long)]
    plugins: Option<PathBuf>,
    /// Report differences and write nothing, where a resource does not say otherwise.
    #[arg(long)]
    audit: bool,
}

/// Tells what a command found. A reader that went away, as `head` does, is no fault: the exit code says how it went.
fn tell(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Runs the command; errors are told with all their causes.
pub fn main(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Run(options) => run::run(options),
        Command::Plan { options, json } => plan::show(options, json),
        Command::Status { options, json } => status::show(options, json),
        Command::Rekey(options) => rekey::rekey(options),
        Command::Breakglass(command) => breakglass::run(command),
        Command::Facts => facts::show(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("muster-agent: {error:#}");
        ExitCode::from(2)
    })
}

impl Options {
    /// The settings: options first, then the file.
    fn settings(self) -> anyhow::Result<Settings> {
        let file = state::read_settings(&self.config)?;
        let given = Settings {
            url: self.url,
            root_fingerprint: self.root_fingerprint,
            bus: self.bus,
            ca: self.ca,
            client_cert: self.client_cert,
            client_key: self.client_key,
            root: self.root,
            state: self.state,
            name: self.name,
            token_file: self.token_file,
            sweep_interval: self.sweep_interval,
            mode: self.audit.then_some(Enforcement::Audit),
            api_socket: self.api_socket,
            confirm_within: self.confirm_within,
            plugins: self.plugins,
        };
        Ok(given.or(file))
    }
}
