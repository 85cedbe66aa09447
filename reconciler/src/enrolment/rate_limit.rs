//! Token buckets: how often each of many may do something.

use std::collections::HashMap;
use std::hash::Hash;

use muster_schema::Timestamp;

#[cfg(test)]
mod tests;

/// A bucket per key. Bounded: who fills the table with keys of his own is
/// refused with all new ones, those known already are not.
#[derive(Debug)]
pub struct RateLimit<K> {
    burst: u32,
    per_second: u32,
    most_keys: usize,
    buckets: HashMap<K, Bucket>,
}

/// In thousandths, so that no float is needed.
#[derive(Debug)]
struct Bucket {
    millis: u64,
    at: Timestamp,
}

impl<K: Eq + Hash> RateLimit<K> {
    /// Each key may act `burst` times at once and `per_second` times a second in the long run.
    pub fn new(burst: u32, per_second: u32, most_keys: usize) -> Self {
        RateLimit { burst, per_second, most_keys, buckets: HashMap::new() }
    }

    /// Whether `key` may act at `now`; if so, it is counted.
    pub fn take(&mut self, key: K, now: Timestamp) -> bool {
        let full = u64::from(self.burst) * 1000;
        let filled = |bucket: &Bucket| {
            let since = u64::try_from(now.since(bucket.at).as_millis()).unwrap_or(u64::MAX);
            bucket.millis.saturating_add(since.saturating_mul(u64::from(self.per_second))).min(full)
        };
        if self.buckets.len() >= self.most_keys && !self.buckets.contains_key(&key) {
            self.buckets.retain(|_, bucket| filled(bucket) < full);
            if self.buckets.len() >= self.most_keys {
                return false;
            }
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { millis: full, at: now });
        let millis = filled(bucket);
        let taken = millis.checked_sub(1000);
        *bucket = Bucket { millis: taken.unwrap_or(millis), at: now.max(bucket.at) };
        taken.is_some()
    }
}
