//! The engine: libFuzzer on the target that `MUSTER_FUZZ_TARGET` names.
//!
//! Beside what libFuzzer sees, an input is a find when it takes more than a second of processor time, or 256 MiB.
//! The input at work stands in the file that `MUSTER_FUZZ_CURRENT` names: a stack that overflows leaves no other trace.
#![no_main]
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod memory_limit;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock};

use libfuzzer_sys::fuzz_target;
use rustix::time::{ClockId, clock_gettime};

/// The most processor time of one input, in milliseconds.
const MAX_MILLISECONDS: i64 = 1_000;

static RUN: OnceLock<(fn(&[u8]), Option<File>)> = OnceLock::new();
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn start() {
    let name = std::env::var("MUSTER_FUZZ_TARGET").unwrap_or_default();
    let Some(target) = muster_fuzz::target(&name) else { panic!("there is no target '{name}'") };
    let current = std::env::var_os("MUSTER_FUZZ_CURRENT").map(|path| File::create(path).unwrap());
    RUN.get_or_init(|| (target.run, current));
    // A panic that the code itself catches is no find, and is not told.
    std::panic::set_hook(Box::new(|info| *LAST_PANIC.lock().unwrap() = info.to_string()));
}

fn milliseconds() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

fuzz_target!(init: start(), |data: &[u8]| {
    let (run, current) = RUN.get().unwrap();
    if let Some(file) = current {
        file.set_len(data.len() as u64).and_then(|()| file.write_all_at(data, 0)).unwrap();
    }
    let started = milliseconds();
    let ended = memory_limit::within_limit(|| catch_unwind(AssertUnwindSafe(|| run(data))));
    let taken = milliseconds() - started;
    if ended.is_err() {
        eprintln!("FOUND a panic: {}", LAST_PANIC.lock().unwrap());
        std::process::abort();
    }
    if taken > MAX_MILLISECONDS {
        eprintln!("FOUND {taken} ms of processor time");
        std::process::abort();
    }
});
