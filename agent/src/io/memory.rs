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

/// So long after the start, and then so often.
const PAUSE: Duration = Duration::from_secs(20);

/// Lets go of the program's pages, and of what a run needed and freed, now and then.
pub async fn release_for_ever() {
    loop {
        tokio::time::sleep(PAUSE).await;
        release_program();
        release_freed();
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
