//! Times as people read them in status files.

use muster_schema::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time, written as in `2026-06-01T12:00:00.25Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadableTime(pub(super) Timestamp);

impl Serialize for ReadableTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A host may claim a time beyond the calendar.
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ReadableTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0))))
    }
}
