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

/// The same with systemd as its first process. It has control groups of its own: systemd ends a unit by its group.
const BOOT: &str = r#"
set -e
mount -t tmpfs none "$2"
mkdir "$2/up" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$2/up,workdir=$2/work" "$2/root"
group=muster-test-$$
groups=""
for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
    if [ -e "$hierarchy/cgroup.procs" ]; then
        mkdir "$hierarchy/$group"
        groups="$groups $hierarchy/$group"
        case $hierarchy in */systemd) break ;; esac
    fi
done
sh -c 'for group in $1; do echo $$ > $group/cgroup.procs; done; shift; exec "$@"' sh "$groups"     unshare --pid --fork --kill-child --mount-proc systemd-nspawn --quiet --directory="$2/root" --machine="$group"     --boot --register=no --keep-unit --private-network --resolv-conf=off --timezone=off --link-journal=no     --bind-ro="$1:/opt/test-program" -- --unit=basic.target </dev/null >"$2/console" 2>&1 &
holder=$!
leader=""
for round in $(seq 600); do
    nspawn=$(cat /proc/$holder/task/$holder/children 2>/dev/null | cut -d' ' -f1)
    for child in $(cat /proc/$nspawn/task/$nspawn/children 2>/dev/null); do
        case $(sed -n 's/^NSpid://p' /proc/$child/status | tr '\t' ' ') in *' 1') leader=$child ;; esac
    done
    if [ -n "$leader" ] && nsenter -t "$leader" -a systemctl is-active basic.target >/dev/null 2>&1; then break; fi
    kill -0 $holder 2>/dev/null || break
    sleep 0.1
done
code=1
nsenter -t "$leader" -a --wd=/ /opt/test-program --exact "$3" --nocapture && code=0 || tail -n 5 "$2/console" >&2
kill -KILL $holder
wait $holder 2>/dev/null || true
for round in $(seq 100); do find $groups -depth -type d -exec rmdir {} + 2>/dev/null && break; sleep 0.1; done
exit $code
"#;

/// Whether the caller runs in a copy of this machine. Outside one it makes it, lets the test of this full name run
/// there, and answers `false`: the caller is done. Without root it says so and answers `false`.
pub(crate) fn enter(test: &str) -> bool {
    enter_by(&["--mount", "--pid", "--ipc"], ENTER, test)
}

/// As [`enter`], with a name and a network of its own, so that parameters of the kernel can be set.
pub(crate) fn enter_apart(test: &str) -> bool {
    enter_by(&["--mount", "--pid", "--ipc", "--uts", "--net"], ENTER, test)
}

/// As [`enter`], where these programs are there; else the test is skipped.
pub(crate) fn enter_with(programs: &[&str], test: &str) -> bool {
    if let Some(missing) = programs.iter().find(|program| !std::path::Path::new(program).exists()) {
        println!("skipped: {test} needs {missing}");
        return false;
    }
    enter(test)
}

/// As [`enter`], and systemd runs there.
pub(crate) fn enter_booted(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_none() && !std::path::Path::new("/usr/bin/systemd-nspawn").exists() {
        println!("skipped: {test} needs systemd-nspawn");
        return false;
    }
    enter_by(&["--mount"], BOOT, test)
}

fn enter_by(namespaces: &[&str], script: &str, test: &str) -> bool {
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
        .args(namespaces)
        .args(["--fork", "--kill-child", "--", "sh", "-c", script, "sh"])
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
