//! What users and groups have in common: the tools that change them.

use super::{Hands, ResourceError};
use crate::provider::accounts::run_tool;

/// Runs a tool; every code but 0 is a failure.
pub(super) fn run(hands: &Hands<'_>, argv: &[&str]) -> Result<(), ResourceError> {
    run_with(hands, argv, String::new())
}

/// The same, with something to read: what is not to stand in the list of processes.
pub(super) fn run_with(hands: &Hands<'_>, argv: &[&str], stdin: String) -> Result<(), ResourceError> {
    let program = argv.first().copied().unwrap_or_default().to_owned();
    let output = run_tool(hands.host, argv.iter().map(|part| (*part).to_owned()).collect(), stdin.into_bytes())?;
    if output.success() {
        return Ok(());
    }
    let message = output.last_words();
    // The tools say so themselves when something else stands against it.
    if message.contains("is currently used by process") || message.contains("cannot remove the primary group") {
        return Err(ResourceError::Blocked(message));
    }
    Err(ResourceError::Program { program, code: output.code, message })
}
