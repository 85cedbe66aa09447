//! Notices that two machines speak with one key.
//!
//! An agent names a random start, new each time that it starts, and the last answer that this start has heard. So a
//! start that names an answer was there when that was given. Of two starts of one machine the older is gone before the
//! newer is first heard of: it can have heard no answer that was given after that. When each of two starts has heard
//! an answer that was given after the other was first heard of, there are two machines. Both have signed it, and no
//! message that is held back, repeated or reordered on the way makes it so, nor does a clock.

use std::collections::{HashMap, VecDeque};

use muster_schema::PublicKey;

#[cfg(test)]
mod tests;

/// How many starts of a key are remembered; the one that was silent for longest goes.
const MOST_STARTS: usize = 4;
/// How many answers to a start are remembered: it names the last that reached it.
const MOST_ANSWERS: usize = 4;

/// The starts of every key. In memory only: who copied a host is noticed again within minutes.
#[derive(Debug, Default)]
pub struct Copies {
    /// Counts what is noted: a clock that nobody sets.
    count: u64,
    keys: HashMap<PublicKey, Vec<Start>>,
}

#[derive(Debug)]
struct Start {
    id: String,
    first: u64,
    last: u64,
    /// What it was answered, and when.
    answers: VecDeque<(String, u64)>,
    /// The newest answer that it has heard.
    heard: u64,
}

impl Copies {
    /// Notes that `start` of `key` is there and has heard the answer `heard`. Whether there are two machines.
    #[must_use]
    pub fn note_presence(&mut self, key: PublicKey, start: &str, heard: Option<&str>) -> bool {
        self.count += 1;
        let now = self.count;
        let starts = self.keys.entry(key).or_default();
        let at = starts.iter().position(|known| known.id == start).unwrap_or_else(|| {
            if starts.len() >= MOST_STARTS
                && let Some(silent) = (0..starts.len()).min_by_key(|at| starts[*at].last)
            {
                starts.swap_remove(silent);
            }
            starts.push(Start { id: start.to_owned(), first: now, last: now, answers: VecDeque::new(), heard: 0 });
            starts.len() - 1
        });
        let this = &mut starts[at];
        this.last = now;
        if let Some((_, given)) = this.answers.iter().find(|(id, _)| Some(id.as_str()) == heard) {
            this.heard = this.heard.max(*given);
        }
        let this = &starts[at];
        starts.iter().any(|other| other.id != this.id && other.heard > this.first && this.heard > other.first)
    }

    /// Notes which answer a start is given.
    pub fn note_answer(&mut self, key: &PublicKey, start: &str, answer: &str) {
        self.count += 1;
        let start = self.keys.get_mut(key).and_then(|starts| starts.iter_mut().find(|known| known.id == start));
        if let Some(start) = start {
            start.answers.push_back((answer.to_owned(), self.count));
            start.answers.drain(..start.answers.len().saturating_sub(MOST_ANSWERS));
        }
    }

    /// Begins anew with a key.
    pub fn forget(&mut self, key: &PublicKey) {
        self.keys.remove(key);
    }
}
