//! The agent's own folder.
#![allow(clippy::disallowed_methods, reason = "opens the agent's own files")]

use crate::apply::{ManagedHost, Owed, Risk};
use crate::config::{DEFAULT_CONFIG, Settings};
use crate::extension::Extensions;
use crate::extension::plugin::Plugins;
use crate::host::{Notes, RealHost};
use crate::io::host_keys::HostKeys;
use crate::known::Known;
use crate::ledger::Ledger;
use crate::secrets::Secrets;
use crate::store::{Opened, Store};
use crate::vault::Vault;
use anyhow::Context;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Holds the folder for one daemon at a time.
pub(super) struct Lock(#[allow(dead_code, reason = "held, not read")] File);

/// Reads the settings file. Only the usual one may be missing.
pub(super) fn read_settings(path: &Path) -> anyhow::Result<Settings> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Settings::load(&text, &path.display().to_string())?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path == Path::new(DEFAULT_CONFIG) => {
            Ok(Settings::default())
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Takes the folder, which is made where it is missing.
pub(super) fn lock(state: &Path) -> anyhow::Result<Lock> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .with_context(|| format!("the agent's folder {}", state.display()))?;
    let file = File::create(state.join("lock")).context("the lock of the agent's folder")?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .with_context(|| format!("another agent uses {}", state.display()))?;
    Ok(Lock(file))
}

/// What reads the secrets of the host, by the keys that the daemon has in its folder.
pub(super) fn secrets(state: &Path) -> anyhow::Result<Arc<Secrets>> {
    Ok(Arc::new(Secrets::new(Arc::new(HostKeys::load(&state.join("keys"))?))))
}

/// Whether a daemon holds the folder.
pub(super) fn is_running(state: &Path) -> bool {
    let Ok(file) = File::open(state.join("lock")) else { return false };
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockShared).is_err()
}

/// What provides declared collections.
pub(super) fn extensions(plugins: PathBuf) -> Arc<Extensions> {
    Arc::new(Extensions::new(Plugins::new(plugins), Default::default(), Default::default()))
}

/// Opens everything in the folder.
pub(super) fn open(
    state: &Path,
    root: &Path,
    extensions: Arc<Extensions>,
    secrets: Arc<Secrets>,
) -> anyhow::Result<ManagedHost> {
    let (store, opened) = Store::open(&state.join("store"))?;
    if let Opened::Quarantined(aside) = opened {
        tracing::error!(aside = %aside.display(), "the store could not be used and was moved aside; beginning anew");
    }
    Ok(ManagedHost {
        host: Box::new(
            RealHost::open(root)?
                .with_notes(Notes::open(&state.join("notes"))?)
                .with_extensions(extensions)
                .with_secrets(secrets),
        ),
        ledger: Ledger::open(&state.join("ledger"))?,
        originals: Vault::open(&state.join("originals"))?,
        blobs: Arc::new(Vault::open(&state.join("blobs"))?),
        known: Known::load(&store)?,
        owed: Owed::load(&store)?,
        risk: Risk::load(&store)?,
        store: Arc::new(store),
    })
}
