//! The system's clock.
#![allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]

use std::time::{SystemTime, UNIX_EPOCH};

use muster_schema::Timestamp;

/// Now, by the system's clock; zero where that is before 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
