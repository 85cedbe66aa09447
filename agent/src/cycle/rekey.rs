//! Another key for this host: it shows the next keys, signed by those of now, and takes them into use once the
//! repository names them. Until then everything goes on with those of now.

use std::sync::Arc;
use std::time::Duration;

use muster_schema::message::{Announce, Replaces, successor_statement};

use super::{Cycle, CycleError, announce};
use crate::accepted::commit_id;
use crate::enrol::{EnrolError, Step, enrol_once, next_wait};
use crate::io::host_keys::{HostKeys, HostKeysError, NextKeysMade};
use crate::io::messenger::Messenger;

/// Without a watch, keys that were made are looked for so often.
const UNWATCHED: Duration = Duration::from_secs(60);

/// Returns when the host has the next keys.
pub(super) async fn exchange_keys(cycle: &Cycle, messenger: &Messenger) -> Result<(), CycleError> {
    // Before the first look: what is made from here on is noticed.
    let made = NextKeysMade::watch(&cycle.key_folder);
    if let Err(error) = &made {
        tracing::warn!(%error, "new keys of this host are noticed within a minute only");
    }
    loop {
        if let Some(next) = HostKeys::load_next(&cycle.key_folder)? {
            return take_into_use(cycle, messenger, Arc::new(next)).await;
        }
        match &made {
            Ok(made) if made.wait().await.is_ok() => {}
            _ => tokio::time::sleep(UNWATCHED).await,
        }
    }
}

async fn take_into_use(cycle: &Cycle, messenger: &Messenger, next: Arc<HostKeys>) -> Result<(), CycleError> {
    let fingerprint = next.public_key().fingerprint();
    tracing::info!(%fingerprint, "asking for another key; 'muster host approve' approves it");
    let mut waited = Duration::ZERO;
    loop {
        // As the host is called by now, and by the keys that the orchestrator has by now.
        let speaker = messenger.with_keys(next.clone());
        let said = announce_next(cycle, messenger, &next)?;
        match enrol_once(&speaker, &next, said).await {
            Ok(Step::Enrolled(id)) => {
                commit_id(&cycle.store, &id)?;
                return Ok(HostKeys::take_next(&cycle.key_folder)?);
            }
            Ok(Step::Pending) => {}
            Err(error) => tell(&error),
        }
        let wait = next_wait(waited);
        waited += wait;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // The next one counts, perhaps.
            () = messenger.lost_key() => {}
        }
    }
}

/// The next keys, with the word of those of now that they are to follow.
fn announce_next(cycle: &Cycle, messenger: &Messenger, next: &HostKeys) -> Result<Announce, HostKeysError> {
    let (key, recipient) = (cycle.keys.public_key(), next.recipient());
    let statement = successor_statement(&messenger.fleet(), &key, &next.public_key(), &recipient);
    let signature = cycle.keys.sign(&statement)?.text().to_owned();
    let replaces = Some(Replaces { key, signature });
    Ok(Announce { name: messenger.id(), recipient, replaces, ..announce(cycle) })
}

fn tell(error: &EnrolError) {
    tracing::warn!(error = error as &dyn std::error::Error, "the next key is not taken yet");
}
