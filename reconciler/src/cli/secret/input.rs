//! Where a secret is typed or read.
#![allow(clippy::disallowed_methods, reason = "reads a file that is named")]

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::Context;
use muster_schema::secret::MAX_SECRET_BYTES;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The bytes of the file, or of standard input; what is typed at a terminal is not shown, and ends with the line.
pub(super) fn read_secret(from_file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, anyhow::Error> {
    if let Some(path) = from_file {
        let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
        return read_all(file).with_context(|| path.display().to_string());
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return read_line();
    }
    let bytes = read_all(stdin.lock()).context("standard input")?;
    if bytes.ends_with(b"\n") {
        eprintln!("note: the secret ends with a newline; printf makes none, echo does");
    }
    Ok(bytes)
}

fn read_all(from: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    // One byte more than there may be, so that too many are told.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
    from.take(MAX_SECRET_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_line() -> Result<Zeroizing<Vec<u8>>, anyhow::Error> {
    let stdin = std::io::stdin();
    let shown = tcgetattr(&stdin).context("the terminal")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    eprint!("The secret (it is not shown): ");
    std::io::stderr().flush()?;
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).context("the terminal")?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
    let read = stdin.lock().take(MAX_SECRET_BYTES as u64 + 1).read_until(b'\n', &mut bytes);
    tcsetattr(&stdin, OptionalActions::Flush, &shown).context("the terminal")?;
    eprintln!();
    read.context("the terminal")?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    Ok(bytes)
}
