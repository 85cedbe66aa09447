//! A question to the person at the terminal.

use super::say::print;
use std::io::{BufRead, IsTerminal, Write};

use anyhow::bail;

/// Whether the person says yes. `instead` is the option that answers beforehand.
///
/// # Errors
/// When nobody can be asked.
pub(super) fn confirm(question: &str, instead: &str) -> Result<bool, anyhow::Error> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked: this is no terminal; use {instead}");
    }
    print(format_args!("{question} [y/N] "));
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
