//! Keys that are to follow the host's own.
//!
//! They are made beside them, whole, and wait. The exchange is one rename of their folder; what comes after it is done
//! again at the next start until it is finished. So a crash leaves the keys of before or the next ones, and never both
//! halves of one.

use super::{AGE, HostKeys, HostKeysError, PUBLIC, SIGNING, STORAGE, fs, io};
use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use tokio::io::unix::AsyncFd;

/// Keys that wait for their approval.
const NEXT: &str = "next";
/// Keys that are being made.
const UNFINISHED: &str = "next.new";
/// Keys that count from now on; their files are moved to their places.
const TAKEN: &str = "taken";

impl HostKeys {
    /// The keys in `dir` that are to follow, where some were made.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load_next(dir: &Path) -> Result<Option<HostKeys>, HostKeysError> {
        let next = dir.join(NEXT);
        if !next.exists() {
            return Ok(None);
        }
        HostKeys::load_or_make_in(&next, &dir.join(STORAGE)).map(Some)
    }

    /// Makes the keys that are to follow those in `dir`, or gives those that were made before. Durable.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn make_next(dir: &Path) -> Result<HostKeys, HostKeysError> {
        if let Some(next) = HostKeys::load_next(dir)? {
            return Ok(next);
        }
        let unfinished = dir.join(UNFINISHED);
        let refused = |source| HostKeysError::File { path: unfinished.clone(), source };
        remove_all(&unfinished).map_err(refused)?;
        DirBuilder::new().mode(0o700).create(&unfinished).map_err(refused)?;
        HostKeys::load_or_make_in(&unfinished, &dir.join(STORAGE))?;
        fs::rename(&unfinished, dir.join(NEXT)).and_then(|()| sync(dir)).map_err(refused)?;
        HostKeys::load_or_make_in(&dir.join(NEXT), &dir.join(STORAGE))
    }

    /// Puts the keys that were to follow into the place of those in `dir`, which are wiped. Durable.
    ///
    /// # Errors
    /// When a file cannot be moved; the next start goes on with it.
    pub fn take_next(dir: &Path) -> Result<(), HostKeysError> {
        let next = dir.join(NEXT);
        let taken = fs::rename(&next, dir.join(TAKEN)).and_then(|()| sync(dir));
        taken.map_err(|source| HostKeysError::File { path: next, source })?;
        finish_exchange(dir)
    }
}

/// Finishes an exchange that was begun, if one was.
pub(super) fn finish_exchange(dir: &Path) -> Result<(), HostKeysError> {
    let taken = dir.join(TAKEN);
    if !taken.exists() {
        return Ok(());
    }
    let move_all = || -> io::Result<()> {
        for name in [SIGNING, AGE, PUBLIC] {
            if taken.join(name).exists() {
                wipe(&dir.join(name))?;
                fs::rename(taken.join(name), dir.join(name))?;
            }
        }
        sync(dir)?;
        remove_all(&taken)?;
        sync(dir)
    };
    move_all().map_err(|source| HostKeysError::File { path: taken.clone(), source })
}

/// Writes over a file that is about to be replaced, as far as the file system lets that reach the disk.
fn wipe(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

fn remove_all(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Tells when keys that are to follow were made in a folder.
pub struct NextKeysMade {
    instance: AsyncFd<OwnedFd>,
}

impl NextKeysMade {
    /// Watches the folder of the keys.
    ///
    /// # Errors
    /// When it cannot be watched.
    #[allow(unsafe_code, reason = "tokio has no safe function for it")]
    pub fn watch(dir: &Path) -> io::Result<Self> {
        let instance = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        add_watch(&instance, dir, WatchFlags::MOVED_TO | WatchFlags::ONLYDIR)?;
        // SAFETY: the descriptor is owned, and closed only when the registration is dropped with it.
        Ok(NextKeysMade { instance: unsafe { AsyncFd::register(instance)? } })
    }

    /// Waits until something was moved into the folder.
    ///
    /// # Errors
    /// When the watch cannot be read.
    pub async fn wait(&self) -> io::Result<()> {
        loop {
            let mut ready = self.instance.readable().await?;
            let mut events = [0; 4096];
            if let Ok(read) = ready.try_io(|instance| Ok(rustix::io::read(instance.get_ref(), &mut events)?)) {
                return read.map(drop);
            }
        }
    }
}
