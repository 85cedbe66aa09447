//! Where the demo lays everything.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Where everything is.
#[derive(Debug)]
pub(super) struct Folders {
    /// The folder of all; the orchestrator's data too.
    pub(super) top: PathBuf,
    pub(super) keys: PathBuf,
    /// The bare state repository.
    pub(super) bare: PathBuf,
    /// A folder for each host.
    pub(super) hosts: PathBuf,
}

/// Lays out the empty folder `top`.
pub(super) fn lay_out(top: &Path) -> Result<Folders, anyhow::Error> {
    let top = top.canonicalize().with_context(|| format!("the folder {}", top.display()))?;
    let mut entries = std::fs::read_dir(&top).with_context(|| format!("the folder {}", top.display()))?;
    ensure!(entries.next().is_none(), "the folder {} is not empty", top.display());
    let folders = Folders { keys: top.join("keys"), bare: top.join("state.git"), hosts: top.join("hosts"), top };
    for folder in [&folders.keys, &folders.hosts] {
        std::fs::create_dir_all(folder)?;
    }
    Ok(folders)
}
