//! What a command says to its reader.

use std::fmt::Arguments;
use std::io::Write;

/// Writes to standard output. A reader that went away, as `head` does, is no fault: the exit code says how it went.
pub(super) fn print(text: Arguments<'_>) {
    let _ = std::io::stdout().lock().write_fmt(text);
}

/// `println!` that does not panic when nobody reads.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say::print(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(super) use say;
