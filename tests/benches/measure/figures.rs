//! The figures, and what they are to be at most.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// Figures by name, in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Figures(Map<String, Value>);

impl Figures {
    /// Notes one figure, and says whether it is within its target.
    pub(crate) fn note(&mut self, name: &str, value: f64, target: f64) {
        self.0.insert(name.to_owned(), json!(rounded(value)));
        say(name, value, target);
    }

    /// Notes the median and the 99th percentile of some times, in milliseconds.
    pub(crate) fn note_times(&mut self, name: &str, times: &mut [Duration], [p50, p99]: [f64; 2]) {
        times.sort_unstable();
        let (median, high) = (millis(percentile(times, 50)), millis(percentile(times, 99)));
        self.0.insert(name.to_owned(), json!({"p50": rounded(median), "p99": rounded(high)}));
        say(&format!("{name} p50"), median, p50);
        say(&format!("{name} p99"), high, p99);
    }

    /// All of them as one line.
    pub(crate) fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

fn say(name: &str, value: f64, target: f64) {
    let verdict = if value <= target { "within" } else { "MISSES" };
    eprintln!("bench:   {name}: {:.3} ({verdict} {target})", value);
}

/// The smallest of `sorted` times that `percent` of them do not exceed.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// Milliseconds with a fraction.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
