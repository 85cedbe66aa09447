//! A folder, as events name it.

use rustix::fs::statvfs;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The longest handle that the kernel gives (`MAX_HANDLE_SZ`).
const LONGEST: usize = 128;
/// Before the handle's bytes stand their number and their type (`struct file_handle`).
const WORDS: usize = 2 + LONGEST / 4;

/// A folder by its file system and its file handle. It stays the same whatever the folder is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlaceId {
    pub(super) file_system: u64,
    pub(super) kind: i32,
    pub(super) handle: Vec<u8>,
}

impl PlaceId {
    /// The folder that is at `path` now.
    ///
    /// # Errors
    /// When nothing is there, or its file system has no handles.
    pub fn at(path: &Path) -> io::Result<PlaceId> {
        let file_system = statvfs(path)?.f_fsid;
        let name = CString::new(path.as_os_str().as_bytes())?;
        // File systems that cannot be asked for a file by its handle still tell one, from kernel 6.6 on.
        let words = handle_of(&name, libc::AT_SYMLINK_FOLLOW | libc::AT_HANDLE_FID)
            .or_else(|_| handle_of(&name, libc::AT_SYMLINK_FOLLOW))?;
        let [length, kind, bytes @ ..] = words;
        let bytes: Vec<u8> = bytes.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let handle = usize::try_from(length).ok().and_then(|length| bytes.get(..length));
        let handle = handle.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?.to_vec();
        Ok(PlaceId { file_system, kind: i32::from_ne_bytes(kind.to_ne_bytes()), handle })
    }
}

fn handle_of(path: &CString, flags: libc::c_int) -> io::Result<[u32; WORDS]> {
    let mut words = [0_u32; WORDS];
    let [room, ..] = &mut words;
    *room = LONGEST as u32;
    let mut mount: libc::c_int = 0;
    // SAFETY: the path ends in NUL; `words` is aligned as a `struct file_handle` and has the room that it says; `mount`
    // is an int. All live until the call returns, and the kernel keeps none of them.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            path.as_ptr(),
            words.as_mut_ptr(),
            &raw mut mount,
            flags,
        )
    };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(words) }
}
