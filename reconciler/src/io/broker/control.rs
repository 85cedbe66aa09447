//! `rabbitmqctl` against a node of this machine.
#![allow(clippy::disallowed_methods, reason = "runs rabbitmqctl")]

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::broker::{Changes, Definitions};

/// The longest that one call may take. Ten thousand users take seconds.
const LIMIT: Duration = Duration::from_secs(120);
const MAX_MESSAGE_CHARS: usize = 4096;

/// Runs `rabbitmqctl`.
#[derive(Debug, Clone)]
pub struct BrokerControl {
    /// The program.
    pub program: OsString,
    /// The node; rabbitmqctl's own default where none is given.
    pub node: Option<String>,
}

/// The broker cannot be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The program cannot be run.
    #[error("{program} cannot be run\n  hint: run it on the broker's machine, as root or as the user rabbitmq")]
    Run {
        /// What was to be run.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// It took too long.
    #[error("rabbitmqctl {0} did not end within {limit} s", limit = LIMIT.as_secs())]
    TimedOut(&'static str),
    /// It said no.
    #[error("rabbitmqctl {verb}: {message}")]
    Failed {
        /// What was asked of it.
        verb: &'static str,
        /// What it said.
        message: String,
    },
    /// What it exported is of an unknown form.
    #[error("rabbitmqctl exported something that cannot be read")]
    Form(#[from] serde_json::Error),
}

impl BrokerControl {
    /// What the broker knows.
    ///
    /// # Errors
    /// When rabbitmqctl fails, or its answer cannot be read.
    pub async fn export(&self) -> Result<Definitions, ControlError> {
        let exported = self.run("export_definitions", &["--format", "json", "-"], None).await?;
        // Before and after the document it may tell what it does.
        let start = exported.iter().position(|byte| *byte == b'{').unwrap_or_default();
        let mut documents = serde_json::Deserializer::from_slice(&exported[start..]).into_iter();
        documents.next().unwrap_or_else(|| serde_json::from_slice(&exported)).map_err(ControlError::Form)
    }

    /// Removes, then imports. What was done before a failure stays done, and the next look finds the rest.
    ///
    /// # Errors
    /// When rabbitmqctl fails.
    pub async fn apply(&self, changes: &Changes) -> Result<(), ControlError> {
        for user in &changes.remove {
            self.run("delete_user", &["--", user], None).await?;
        }
        if changes.import != Definitions::default() {
            let import = serde_json::to_vec(&changes.import)?;
            self.run("import_definitions", &["--format", "json"], Some(&import)).await?;
        }
        Ok(())
    }

    async fn run(&self, verb: &'static str, arguments: &[&str], input: Option<&[u8]>) -> Result<Vec<u8>, ControlError> {
        let failed = |source| ControlError::Run { program: self.program.to_string_lossy().into_owned(), source };
        let mut command = Command::new(&self.program);
        command.args(["-q", "--silent"]);
        if let Some(node) = &self.node {
            command.args(["-n", node]);
        }
        command.arg(verb).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // One that reads no further says why by its exit.
                let _ = stdin.write_all(input).await;
            }
        };
        let ended = tokio::time::timeout(LIMIT, async { tokio::join!(feed, child.wait_with_output()).1 }).await;
        let output = ended.map_err(|_| ControlError::TimedOut(verb))?.map_err(failed)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let clean = said.chars().take(MAX_MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c });
        Err(ControlError::Failed { verb, message: clean.collect::<String>().trim().to_owned() })
    }
}
