//! Counts what is allocated, and ends the process when one input takes too much.
#![allow(unsafe_code, reason = "an allocator is unsafe by its nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The most bytes that one input may take, beside what was there before it.
const MAX_BYTES: usize = 256 * 1024 * 1024;

static USED: AtomicUsize = AtomicUsize::new(0);
static ALLOWED: AtomicUsize = AtomicUsize::new(usize::MAX);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn add(bytes: usize) {
    if USED.fetch_add(bytes, Relaxed).saturating_add(bytes) > ALLOWED.load(Relaxed) {
        // Nothing may be allocated here.
        let _ = rustix::io::write(std::io::stderr().as_fd(), b"FOUND more than 256 MiB of memory\n");
        std::process::abort();
    }
}

// SAFETY: every call goes to the system's allocator with what was given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        USED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Runs `work` under the limit.
pub(crate) fn within_limit<T>(work: impl FnOnce() -> T) -> T {
    ALLOWED.store(USED.load(Relaxed).saturating_add(MAX_BYTES), Relaxed);
    let done = work();
    ALLOWED.store(usize::MAX, Relaxed);
    done
}
