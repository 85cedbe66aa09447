//! The base system, made once and kept under the hash of what it is made from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use crate::process::{command, tail};

const SCRIPT: &str = include_str!("../../lab/base.sh");

/// Where bases and running labs are kept: `$MUSTER_LAB_CACHE`, else `lab-cache` in the build folder.
#[must_use]
pub(super) fn cache_folder() -> PathBuf {
    std::env::var_os("MUSTER_LAB_CACHE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lab-cache"), PathBuf::from)
}

/// The root of the base system, which nobody writes to again.
///
/// # Errors
/// When it is not cached and cannot be made: no mirror, no root.
pub(super) fn load_base(cache: &Path) -> Result<PathBuf> {
    fs::create_dir_all(cache).with_context(|| format!("make {cache:?}"))?;
    let cache = cache.canonicalize()?;
    let key = hex::encode(&Sha256::digest(SCRIPT.as_bytes())[..8]);
    let kept = cache.join(format!("base-{key}"));

    // Tests are processes of their own: the first makes the base, the others wait for it.
    let lock = File::create(cache.join("base.lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if !kept.exists() {
        make_base(&cache, &kept)?;
    }
    Ok(kept.join("root"))
}

fn make_base(cache: &Path, kept: &Path) -> Result<()> {
    // Half-made by a run that was killed, or of another key.
    for entry in fs::read_dir(cache)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("base-") {
            fs::remove_dir_all(entry.path()).with_context(|| format!("remove {:?}", entry.path()))?;
        }
    }
    let making = cache.join("base-making");
    fs::create_dir(&making)?;
    let script = making.join("base.sh");
    fs::write(&script, SCRIPT)?;
    let log = cache.join("base.log");
    let out = File::create(&log)?;
    println!("making the lab's base system (once, about a minute; log in {})", log.display());
    // A mount namespace of its own, so that what debootstrap mounts goes even when it is killed.
    let status = command("unshare")
        .args(["--mount", "--propagation", "private", "sh"])
        .arg(&script)
        .arg(&making)
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .status()
        .context("start the script of the base system")?;
    ensure!(status.success(), "the base system: {status}\n{}", tail(&fs::read_to_string(&log)?));
    fs::rename(&making, kept)?;
    Ok(())
}
