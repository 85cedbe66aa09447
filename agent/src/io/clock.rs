//! The system's clock.
#![allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muster_schema::Timestamp;

/// Now, by the system's clock; zero where that is before 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Processor time that this thread has used.
pub fn thread_cpu() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(spent.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(spent.tv_nsec).unwrap_or_default())
}
