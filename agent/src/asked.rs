//! Which live requests were taken: none is acted upon twice.

use crate::store::{Batch, Store, StoreError};
use muster_schema::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// So many requests are remembered at once; more are refused until some have expired.
const MOST: usize = 256;
const KEY: &str = "asked";

/// A request that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Taken {
    id: String,
    expires: Timestamp,
    /// It had an effect, so that it is remembered over restarts.
    durable: bool,
}

/// Requests that were taken and have not expired. What has expired is refused for that.
#[derive(Debug, Default)]
pub struct Asked {
    taken: Vec<Taken>,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It was taken before.
    #[error("it was made before")]
    Again,
    /// Too many are remembered.
    #[error("too many requests at once")]
    TooMany,
    /// It could not be remembered.
    #[error("it cannot be remembered")]
    Store(#[from] StoreError),
}

impl Asked {
    /// What was remembered over the restart.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Store) -> Result<Asked, StoreError> {
        Ok(Asked { taken: store.load(KEY)?.unwrap_or_default() })
    }

    /// Takes the request `id`, once. One that `acts` is durably remembered when this returns, before it is acted upon.
    ///
    /// # Errors
    /// When it was taken before, or cannot be remembered.
    pub fn take(
        &mut self,
        store: &Store,
        id: &str,
        expires: Timestamp,
        acts: bool,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        self.taken.retain(|taken| taken.expires > now);
        if self.taken.iter().any(|taken| taken.id == id) {
            return Err(NotTaken::Again);
        }
        if self.taken.len() >= MOST {
            return Err(NotTaken::TooMany);
        }
        self.taken.push(Taken { id: id.to_owned(), expires, durable: acts });
        if acts {
            let durable: Vec<&Taken> = self.taken.iter().filter(|taken| taken.durable).collect();
            let mut batch = Batch::new();
            batch.put(KEY, &durable)?;
            store.commit(batch)?;
        }
        Ok(())
    }
}
