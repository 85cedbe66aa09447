//! Other processes, as proc(5) shows them.
#![allow(clippy::disallowed_methods, reason = "reads /proc and /etc/passwd")]

use muster_schema::culprit::MAX_CULPRIT_CHARACTERS;
use rustix::fd::{AsRawFd, BorrowedFd};
use std::fs;

#[cfg(test)]
mod tests;

/// "Not set", of user ids and sessions.
const UNSET: u32 = u32::MAX;
/// How far up it is looked for a parent.
const MAX_PARENTS: usize = 64;

/// Who a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// What it calls itself, harmless to print.
    pub name: Option<String>,
    /// The path of its program, harmless to print.
    pub program: Option<String>,
    /// Its effective user.
    pub uid: Option<u32>,
    /// The user that logged in.
    pub login_uid: Option<u32>,
    /// Its login session.
    pub session: Option<String>,
    /// Its service.
    pub unit: Option<String>,
    /// It is this process, or was started by it, directly or not.
    pub is_ours: bool,
}

impl Process {
    /// Reads who it is, `None` when it has ended meanwhile: `process` is a descriptor of it, and another process may
    /// have its id by now.
    pub fn look(pid: u32, process: BorrowedFd<'_>) -> Option<Process> {
        let of = |file: &str| fs::read(format!("/proc/{pid}/{file}")).ok();
        let number = |file| String::from_utf8(of(file)?).ok()?.trim().parse().ok().filter(|number| *number != UNSET);
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
        let (audit_session, (session, unit)) = (number("sessionid"), groups(&of("cgroup").unwrap_or_default()));
        let seen = Process {
            pid,
            name: of("comm").map(|name| inert(String::from_utf8_lossy(&name).trim_end_matches('\n'))),
            program: program.map(|program| inert(&program.to_string_lossy())),
            uid: of("status").and_then(|status| effective_uid(&String::from_utf8_lossy(&status))),
            login_uid: number("loginuid"),
            session: session.or_else(|| audit_session.map(|session: u32| session.to_string())),
            unit,
            is_ours: is_ours(pid),
        };
        // As long as nobody has waited for it, its id stands for no other.
        (pid_of(process)? == pid).then_some(seen)
    }
}

/// The id of the process that a descriptor stands for; none once it has ended and was waited for.
fn pid_of(process: BorrowedFd<'_>) -> Option<u32> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", process.as_raw_fd())).ok()?;
    info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()
}

fn is_ours(pid: u32) -> bool {
    let own = std::process::id();
    let mut at = Some(pid);
    for _ in 0..MAX_PARENTS {
        match at {
            Some(pid) if pid == own => return true,
            Some(pid) if pid > 1 => at = parent(pid),
            _ => return false,
        }
    }
    false
}

fn parent(pid: u32) -> Option<u32> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    field(&String::from_utf8_lossy(&status), "PPid:")?.trim().parse().ok()
}

/// The second of the four user ids.
fn effective_uid(status: &str) -> Option<u32> {
    field(status, "Uid:")?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A line's value. The name of a process stands above, but its line ends are escaped there.
fn field<'s>(status: &'s str, name: &str) -> Option<&'s str> {
    status.lines().find_map(|line| line.strip_prefix(name))
}

/// Session and service of a process by the names that systemd gives control groups.
fn groups(cgroup: &[u8]) -> (Option<String>, Option<String>) {
    let text = String::from_utf8_lossy(cgroup);
    // Version 2, or systemd's own hierarchy of version 1.
    let path = text
        .lines()
        .find_map(|line| line.strip_prefix("0::").or_else(|| line.split_once(":name=systemd:").map(|(_, path)| path)));
    let parts = || path.unwrap_or_default().split('/');
    let session = parts().rev().find_map(|part| part.strip_prefix("session-")?.strip_suffix(".scope"));
    let unit = parts().rev().find(|part| part.ends_with(".service"));
    (session.map(inert), unit.map(inert))
}

/// The name of a user in `/etc/passwd`.
pub fn user_name(uid: u32) -> Option<String> {
    let passwd = fs::read("/etc/passwd").ok()?;
    let text = String::from_utf8_lossy(&passwd);
    let line = text.lines().find(|line| line.split(':').nth(2).and_then(|field| field.parse().ok()) == Some(uid))?;
    line.split(':').next().map(inert)
}

/// One short line: a process may call itself what it likes.
fn inert(text: &str) -> String {
    text.chars().take(MAX_CULPRIT_CHARACTERS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
