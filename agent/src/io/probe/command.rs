//! Does a program end well?

use crate::host::{HostRead, Program};
use crate::resource::ResourceError;
use std::time::Duration;

/// So much of what it says is kept, in bytes; the rest is read and forgotten.
const MAX_OUTPUT: usize = 16 << 10;

pub(super) fn probe(argv: &[String], timeout: Duration, host: &dyn HostRead) -> Result<(), String> {
    let program =
        Program { timeout: Some(timeout), max_output: Some(MAX_OUTPUT), ..Program::new(argv.iter().cloned()) };
    let name = argv.first().map_or("", String::as_str);
    let output = host.query(&program).map_err(|error| ResourceError::from(error).chain())?;
    if output.success() {
        return Ok(());
    }
    let said = output.last_words();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Err(format!("{name} ended with code {}{said}", output.code))
}
