//! A copy of this machine for tests that install packages and make users: an overlay over `/`, seen by this test
//! alone, gone with it. What is tested there is the real program on the real paths.

#![allow(clippy::disallowed_methods)]

use std::path::PathBuf;
use std::process::Command;

const INSIDE: &str = "MUSTER_TEST_INSIDE";

/// Makes the copy, and in it runs the test binary again.
const ENTER: &str = r#"
set -e
mount -t tmpfs none "$2"
mkdir "$2/up" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$2/up,workdir=$2/work" "$2/root"
cd "$2/root"
mount -t proc proc proc
mount --bind /dev dev
mount -t tmpfs none run
mount -t tmpfs none tmp
printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
touch run/test-program
mount --bind "$1" run/test-program
exec chroot . /run/test-program --exact "$3" --nocapture
"#;

/// Whether the caller runs in a copy of this machine. Outside one it makes it, lets the test of this full name run
/// there, and answers `false`: the caller is done. Without root it says so and answers `false`.
pub(crate) fn enter(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: {test} needs root for its copy of this machine");
        return false;
    }
    let program: PathBuf = std::env::current_exe().expect("a test program");
    let folder = tempfile::tempdir().expect("a folder");
    let status = Command::new("unshare")
        .args(["--mount", "--pid", "--ipc", "--fork", "--kill-child", "--", "sh", "-c", ENTER, "sh"])
        .arg(&program)
        .arg(folder.path())
        .arg(test)
        .env(INSIDE, "1")
        .env("HOME", "/root")
        .status();
    match status {
        Ok(status) => assert!(status.success(), "{test} failed in its copy of this machine: {status}"),
        Err(error) => println!("skipped: {test} needs unshare: {error}"),
    }
    false
}
