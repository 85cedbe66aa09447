//! Crashes at a chosen point: the process is gone there, what is on disk stays.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

struct Crash;

/// Here the process may end.
pub(crate) fn point() {
    LEFT.with(|left| match left.get() {
        // An unwinding process passes points too, when it drops what it held.
        Some(0) if !std::thread::panicking() => resume_unwind(Box::new(Crash)),
        Some(count) => left.set(Some(count.saturating_sub(1))),
        None => {}
    });
}

/// Runs `work` and lets it crash at its point number `at`. `None`: it crashed.
pub(crate) fn crash_at<T>(at: u32, work: impl FnOnce() -> T) -> Option<T> {
    LEFT.with(|left| left.set(Some(at)));
    let done = catch_unwind(AssertUnwindSafe(work));
    LEFT.with(|left| left.set(None));
    match done {
        Ok(done) => Some(done),
        Err(reason) if reason.is::<Crash>() => None,
        Err(reason) => resume_unwind(reason),
    }
}
