//! Waiting for an effect, with a limit.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Looks until `condition` holds.
///
/// # Errors
/// After `limit`, naming `what` was waited for.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    wait_for(what, limit, || condition().then_some(()))
}

/// Looks until `look` gives a value.
///
/// # Errors
/// After `limit`, naming `what` was waited for.
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if start.elapsed() >= limit {
            bail!("waited {} s for {what}", limit.as_secs_f32());
        }
        std::thread::sleep(STEP);
    }
}

/// Looks for the whole of `span` that `condition` goes on holding: for what must *not* happen.
///
/// # Errors
/// As soon as it does not hold.
pub fn stays(what: &str, span: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < span {
        if !condition() {
            bail!("{what} no longer holds after {} ms", start.elapsed().as_millis());
        }
        std::thread::sleep(STEP);
    }
    Ok(())
}
