//! What the demo says while it works.

use std::io::{IsTerminal, Write};
use std::time::Instant;

/// Tells the steps; on standard error when the figures go to standard output.
#[derive(Debug)]
pub(super) struct Narration {
    colour: bool,
    quiet_stdout: bool,
    started: Instant,
}

impl Narration {
    pub(super) fn new(json: bool) -> Self {
        let terminal = if json { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Narration { colour, quiet_stdout: json, started: Instant::now() }
    }

    /// A new step.
    pub(super) fn step(&self, text: &str) {
        let clock = format!("{:5.1}s", self.started.elapsed().as_secs_f64());
        self.line(&format!("\n{} {}", self.paint("2", &clock), self.paint("1", text)));
    }

    /// Something was observed.
    pub(super) fn seen(&self, text: &str) {
        self.line(&format!("       {} {text}", self.paint("32", "✓")));
    }

    /// Something worth knowing.
    pub(super) fn note(&self, text: &str) {
        self.line(&format!("       {text}"));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        // A closed pipe is no reason to stop: the steps are observed all the same.
        let _ = if self.quiet_stdout {
            writeln!(std::io::stderr(), "{text}")
        } else {
            writeln!(std::io::stdout(), "{text}")
        };
    }
}
