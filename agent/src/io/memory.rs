//! Memory that an agent at rest does not need.
//!
//! What runs have freed stays with the allocator until it is told to give it back.
//!
//! Most of what an idle agent has mapped is its own program: start, contact and the first run touch two thirds of it,
//! and the kernel maps 16 pages for each one that is touched. The pages stay in the page cache as long as nobody
//! else wants the memory; without a mapping the kernel may take them. What is run again is mapped again at the cost
//! of a minor fault.
#![allow(clippy::disallowed_methods, reason = "reads /proc/self")]
#![allow(unsafe_code, reason = "no safe function unmaps pages or trims the heap")]

use rustix::mm::{Advice, madvise};
use std::ops::Range;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// So often the agent looks at itself.
const PAUSE: Duration = Duration::from_secs(2);
/// With so much processor time in a pause the agent was at work.
const WORK: Duration = Duration::from_millis(10);
/// So many more resident pages of files than after the last release are worth another one: 512 KiB.
const SPARE_PAGES: u64 = 128;
/// A buffer of so many bytes is a mapping of its own.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: libc::c_int = 64 << 10;

/// Lets go of the program's pages, and of what a run needed and freed, each time that the agent comes to rest.
pub async fn release_for_ever() {
    let (mut used, mut pages_left, mut has_worked) = (processor_time(), 0, true);
    loop {
        tokio::time::sleep(PAUSE).await;
        let before = std::mem::replace(&mut used, processor_time());
        if used.saturating_sub(before) >= WORK {
            has_worked = true;
            continue;
        }
        if std::mem::take(&mut has_worked) {
            release_freed();
        }
        if resident_file_pages().is_some_and(|pages| pages > pages_left + SPARE_PAGES) {
            release_program();
            pages_left = resident_file_pages().unwrap_or(0);
        }
    }
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().unwrap_or_default()
}

/// The third number of `/proc/self/statm`; see proc_pid_statm(5).
fn resident_file_pages() -> Option<u64> {
    let sizes = std::fs::read_to_string("/proc/self/statm").ok()?;
    sizes.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// Has the allocator keep less: one arena for all threads instead of one for each, and buffers that go back to the
/// kernel when they are freed. Threads that wait for the disk do not wait for each other's memory for long.
pub fn restrain_allocator() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt(3) takes numbers only; it is called before there are other threads.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

/// Gives back what the allocator keeps of freed memory: after a run over a thousand resources it is several MiB.
fn release_freed() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) may be called at any time, by any thread; it touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Unmaps the pages of code and constants that are mapped from files.
pub fn release_program() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for range in maps.lines().filter_map(program_range) {
        // SAFETY: these are private mappings of a file that were never writable. Their pages are those of the file, so
        // that the next access finds the same bytes; there is nothing of ours in them to lose.
        let released = unsafe { madvise(range.start as *mut _, range.len(), Advice::LinuxDontNeed) };
        if let Err(error) = released {
            tracing::debug!(%error, "the program stays mapped");
        }
    }
}

/// The addresses of a line of `/proc/self/maps` that maps code or constants from a file; see proc_pid_maps(5).
///
/// Constants stand at the start of a program, before its code (elf(5): the segment without write permission that holds
/// the headers). Other mappings that can only be read now were written to by the loader, and stay.
fn program_range(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (range, flags, offset, path) = (fields.next()?, fields.next()?, fields.next()?, fields.nth(2)?);
    let is_constant = flags == "r--p" && offset.trim_start_matches('0').is_empty();
    if !(flags == "r-xp" || is_constant) || !path.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}
