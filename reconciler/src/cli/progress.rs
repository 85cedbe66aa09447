//! What a person sees of work that takes its time. On standard error, and only where that is a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

const COUNTED: &str = "{bar:30} {pos}/{len} {msg}";
const TICK: Duration = Duration::from_millis(100);

/// A bar for `length` steps; it is gone when it is dropped.
pub(super) fn bar(length: usize, what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(COUNTED).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length as u64).with_message(what).with_finish(ProgressFinish::AndClear);
    bar.with_style(style)
}

/// A sign of life during one step of unknown length; it is gone when it is dropped.
pub(super) fn spinner(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(what).with_finish(ProgressFinish::AndClear);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// Says what begins now, where a moving sign would be in the way.
pub(super) fn announce(what: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{what} …");
    }
}
