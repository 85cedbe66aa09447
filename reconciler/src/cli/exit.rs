//! Exit codes, and how an error is shown.

use std::error::Error;

/// Done, or no difference.
pub const DONE: u8 = 0;
/// There are differences.
pub const DIFFERS: u8 = 1;
/// It could not be done, or the input is faulty.
pub const ERROR: u8 = 2;

/// Prints an error and the chain of its causes, once.
pub fn print_error(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
