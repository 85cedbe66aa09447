//! `muster-agent breakglass`: help for this host by people, where the orchestrator gives none.

use super::{Options, tell};
use crate::io::api_client::post;
use crate::rest::breakglass::{APPLY_PATH, CHALLENGE_PATH, REFUSED};
use anyhow::{Context, bail};
use clap::Subcommand;
use serde::Deserialize;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print a challenge, for 'muster breakglass begin' on another machine. It ends after four hours, and takes the
    /// place of one before.
    Request(Options),
    /// Take the bundle that answers the challenge.
    Apply {
        /// The folder of the bundle.
        folder: PathBuf,
        #[command(flatten)]
        options: Options,
    },
}

/// Why something was refused.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}

/// As much of what was taken as is told.
#[derive(Deserialize)]
struct Taken {
    applied: muster_schema::report::Applied,
    break_glass: muster_schema::breakglass::BreakGlassReport,
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Request(options) => {
            tell(&ask(options, CHALLENGE_PATH)?);
            eprintln!("Keep this as a file; on a machine with a clone of the state repository and a break-glass key:");
            eprintln!("  muster breakglass begin HOST --challenge FILE --out DIR …");
        }
        Command::Apply { folder, options } => {
            let folder = std::path::absolute(&folder).with_context(|| folder.display().to_string())?;
            let answer = ask(options, &format!("{APPLY_PATH}{}", hex::encode(folder.as_os_str().as_bytes())))?;
            let Taken { applied, break_glass } = serde_json::from_str(&answer).context("the agent's answer")?;
            let (serial, revision, keys) = (applied.serial, applied.revision, break_glass.signer_ids());
            tell(&format!("accepted: revision {revision}, serial {serial}, signed by {keys}\n"));
            tell(
                "It is in force until the orchestrator publishes a newer manifest. 'muster-agent status' says how the host fares.\n",
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn ask(options: Options, target: &str) -> anyhow::Result<String> {
    let config = options.settings()?.check()?;
    let socket = config.api_socket.context("the agent has no API (api_socket: off); give it one, and start it anew")?;
    let answer = post(&socket, target);
    let (status, body) = answer
        .with_context(|| format!("no agent answers at {}; is it running, and are you root?", socket.display()))?;
    if status == REFUSED {
        let Refusal { code, message } = serde_json::from_str(&body).context("the agent's answer")?;
        bail!("refused: {code}: {message}");
    }
    if status != 200 {
        bail!("the agent cannot do that: {}", body.trim());
    }
    Ok(body)
}
