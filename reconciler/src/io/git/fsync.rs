//! Makes libgit2 durable.
#![allow(unsafe_code, reason = "git2 has no safe function for this option of libgit2")]

use std::ffi::c_int;
use std::sync::OnceLock;

/// Lets libgit2 fsync what it writes below a git folder: objects, packs and
/// references. Must come before the first repository is opened, since a
/// repository reads the option when it is.
pub(super) fn enable_fsync() -> Result<(), git2::Error> {
    static DONE: OnceLock<c_int> = OnceLock::new();
    let code = *DONE.get_or_init(|| {
        // git2 initialises libgit2 with its first call; this one is free.
        let _ = git2::Version::get();
        let on: c_int = 1;
        // SAFETY: a variadic setter that takes one int for this option, and
        // stores it in a global; OnceLock lets it run once, on one thread.
        unsafe {
            libgit2_sys::init();
            libgit2_sys::git_libgit2_opts(libgit2_sys::GIT_OPT_ENABLE_FSYNC_GITDIR as c_int, on)
        }
    });
    if code < 0 { Err(git2::Error::from_str("libgit2 does not take the fsync option")) } else { Ok(()) }
}
