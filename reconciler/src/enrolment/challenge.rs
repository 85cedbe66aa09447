//! Challenges that were given out and not yet answered.

use std::collections::HashMap;
use std::time::Duration;

use muster_schema::{PublicKey, Timestamp};

#[cfg(test)]
mod tests;

/// How many random bytes a challenge holds.
pub const CHALLENGE_BYTES: usize = 32;

const LIFE: Duration = Duration::from_secs(5 * 60);

/// What each approved key was asked. In memory only: after a restart the agent
/// announces itself again and is asked anew.
#[derive(Debug, Default)]
pub struct OpenChallenges {
    open: HashMap<PublicKey, Open>,
}

#[derive(Debug)]
struct Open {
    secret: [u8; CHALLENGE_BYTES],
    recipient: String,
    expires: Timestamp,
}

impl OpenChallenges {
    /// Asks `key` to prove that it can open what is encrypted to `recipient`; an
    /// older question is void.
    pub fn ask(&mut self, key: PublicKey, recipient: String, secret: [u8; CHALLENGE_BYTES], now: Timestamp) {
        self.open.retain(|_, open| open.expires > now);
        self.open.insert(key, Open { secret, recipient, expires: now.plus(LIFE) });
    }

    /// Whether `answer` (hexadecimal) is what `key` was asked. `None`: there is
    /// no open question. One try each: the question is closed in any case.
    pub fn close(&mut self, key: &PublicKey, recipient: &str, answer: &str, now: Timestamp) -> Option<bool> {
        let open = self.open.remove(key).filter(|open| open.expires > now)?;
        Some(open.recipient == recipient && hex::encode(open.secret) == answer)
    }
}
