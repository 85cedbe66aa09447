//! Finding a plug-in. Nobody but root, or who the agent runs as, may be able to put one there.
#![allow(clippy::disallowed_methods, reason = "looks for plug-ins in their folder")]

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Others may write there.
const WRITABLE: u32 = 0o022;
/// Who may write there can rename only what is theirs.
const STICKY: u32 = 0o1000;
const EXECUTABLE: u32 = 0o100;

/// The file of a plug-in, whose name is checked already.
///
/// # Errors
/// With the reason, when there is none or it is not to be trusted.
pub(super) fn find(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    let look = |path: &Path| match std::fs::symlink_metadata(path) {
        Ok(meta) => Ok(meta),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(format!("there is no plug-in {name} in {}", folder.display()))
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
    };
    let file = look(&path)?;
    if !file.is_file() {
        return Err(format!("{} is no regular file", path.display()));
    }
    check_owner(&path, &file)?;
    if file.mode() & WRITABLE != 0 {
        return Err(format!("{} may be written by others", path.display()));
    }
    if file.mode() & EXECUTABLE == 0 {
        return Err(format!("{} is not executable", path.display()));
    }
    for above in folder.ancestors().filter(|above| !above.as_os_str().is_empty()) {
        let meta = look(above)?;
        check_owner(above, &meta)?;
        // The folder itself must be closed; one above may be open where names in it are safe.
        let safe = above != folder && meta.mode() & STICKY != 0;
        if !meta.is_dir() || (meta.mode() & WRITABLE != 0 && !safe) {
            return Err(format!("{} is no folder, or may be written by others", above.display()));
        }
    }
    Ok(path)
}

fn check_owner(path: &Path, meta: &Metadata) -> Result<(), String> {
    let own = rustix::process::geteuid().as_raw();
    if meta.uid() == 0 || meta.uid() == own {
        return Ok(());
    }
    Err(format!("{} belongs neither to root nor to the agent", path.display()))
}
