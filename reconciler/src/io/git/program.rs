//! The installed `git`, hardened, for talking to remotes.
#![allow(clippy::disallowed_methods, reason = "runs git")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use git2::Oid;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::error::GitError;
use super::remote_url::RemoteUrl;

/// Longest time that a fetch or a push may take.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(120);
/// Longest time that uniting packs may take.
const REPACK_TIMEOUT: Duration = Duration::from_secs(600);
/// Largest file that git may write: bounds what a hostile server can send.
const MAX_PACK_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Most bytes of git's own messages that are kept.
const MAX_MESSAGE_BYTES: usize = 4096;
/// Most bytes that a remote may list of its references.
const MAX_LISTED_BYTES: usize = 256 * 1024 * 1024;

/// Variables that would turn git to another repository or configuration.
const FOREIGN_VARIABLES: [&str; 10] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_CEILING_DIRECTORIES",
];

/// Fetches `refspecs` from `remote` into the bare repository at `mirror`.
///
/// A refspec is given in full (`+refs/heads/main:refs/heads/main`); tags,
/// submodules and hooks play no part.
pub async fn fetch_remote(mirror: &Path, remote: &RemoteUrl, refspecs: &[&str]) -> Result<(), GitError> {
    fetch_within(mirror, remote, refspecs, REMOTE_TIMEOUT).await
}

/// [`fetch_remote`] with another limit.
pub(super) async fn fetch_within(
    mirror: &Path,
    remote: &RemoteUrl,
    refspecs: &[&str],
    limit: Duration,
) -> Result<(), GitError> {
    let options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance"];
    talk_to_remote(mirror, "fetch", &options, remote, refspecs, limit).await
}

/// Pushes `refspecs` from the bare repository at `mirror` to `remote`, all of
/// them or none. `lease` names the references that may be moved backwards, each
/// only while the remote still has the given value (empty: does not have it).
pub async fn push_refs(
    mirror: &Path,
    remote: &RemoteUrl,
    refspecs: &[&str],
    lease: &[(&str, &str)],
) -> Result<(), GitError> {
    let leases: Vec<String> = lease.iter().map(|(name, id)| format!("--force-with-lease={name}:{id}")).collect();
    let mut options = vec!["--quiet", "--no-verify", "--no-signed", "--recurse-submodules=no", "--atomic"];
    options.extend(leases.iter().map(String::as_str));
    talk_to_remote(mirror, "push", &options, remote, refspecs, REMOTE_TIMEOUT).await
}

/// Every reference that `remote` tells of, by its full name.
///
/// # Errors
/// When it does not answer, or tells of more than [`MAX_LISTED_BYTES`].
pub async fn list_remote(mirror: &Path, remote: &RemoteUrl) -> Result<BTreeMap<String, Oid>, GitError> {
    let action = format!("git ls-remote {remote}");
    let failed = |source| GitError::Program { action: action.clone(), source };
    let mut command = hardened_git(mirror);
    command.args(["ls-remote", "--quiet", "--refs", "--", remote.as_argument()]).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(REMOTE_TIMEOUT, async {
        tokio::join!(read_some(stdout, MAX_LISTED_BYTES), read_some(stderr, MAX_MESSAGE_BYTES), child.wait())
    });
    let Ok((listed, message, status)) = ended.await else {
        return Err(GitError::TimedOut { action, limit: REMOTE_TIMEOUT });
    };
    check_status(status.map_err(failed)?, &message, action.clone())?;
    if listed.len() >= MAX_LISTED_BYTES {
        return Err(GitError::Failed { action, message: "it has too many references".to_owned() });
    }
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let reference = |line: &str| line.split_once('\t').and_then(|(id, name)| Some((name.to_owned(), id.parse().ok()?)));
    Ok(listed.lines().filter_map(reference).collect())
}

/// Unites small packs of the repository, by git's geometric rule: what is
/// rewritten is small against what stays.
pub(super) async fn unite_packs(repository: &Path) -> Result<(), GitError> {
    let mut command = hardened_git(repository);
    command.args(["repack", "-q", "-d", "-l", "--geometric=2"]);
    run_git(command, "git repack".into(), None, REPACK_TIMEOUT).await
}

async fn talk_to_remote(
    mirror: &Path,
    verb: &str,
    options: &[&str],
    remote: &RemoteUrl,
    refspecs: &[&str],
    limit: Duration,
) -> Result<(), GitError> {
    let mut command = hardened_git(mirror);
    command.arg(verb).args(options).arg("--").arg(remote.as_argument()).args(refspecs);
    run_git(command, format!("git {verb} {remote}"), Some(MAX_PACK_BYTES), limit).await
}

/// Runs to the end, or stops it at the `limit`; it writes no file above `largest` bytes.
async fn run_git(mut command: Command, action: String, largest: Option<u64>, limit: Duration) -> Result<(), GitError> {
    let failed = |source| GitError::Program { action: action.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let (Some(pid), Some(largest)) = (pid, largest) {
        let limit = Rlimit { current: Some(largest), maximum: Some(largest) };
        rustix::process::prlimit(Some(pid), Resource::Fsize, limit).map_err(|error| failed(error.into()))?;
    }
    let stderr = child.stderr.take();
    let ended = tokio::time::timeout(limit, async {
        let (message, status) = tokio::join!(read_some(stderr, MAX_MESSAGE_BYTES), child.wait());
        status.map(|status| (message, status))
    });
    match ended.await {
        Ok(ended) => {
            let (message, status) = ended.map_err(failed)?;
            check_status(status, &message, action)
        }
        Err(_) => {
            // git's own children (ssh, index-pack) are in its process group.
            if let Some(pid) = pid {
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
            }
            Err(GitError::TimedOut { action, limit })
        }
    }
}

fn check_status(status: ExitStatus, message: &[u8], action: String) -> Result<(), GitError> {
    if status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(message);
    let clean = |line: &str| line.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>();
    let lines: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(clean).collect();
    let message = if lines.is_empty() { status.to_string() } else { lines.join("; ") };
    Err(GitError::Failed { action, message })
}

/// A `git` that never asks, runs no hook and speaks only allowed protocols.
fn hardened_git(mirror: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--git-dir")
        .arg(mirror)
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(["-c", "core.fsmonitor=false"])
        .args(["-c", "credential.interactive=false"])
        .args(["-c", "http.followRedirects=initial"])
        .args(["-c", "submodule.recurse=false"])
        .args(["-c", "gc.auto=0"])
        .current_dir(mirror)
        .env("GIT_ALLOW_PROTOCOL", "https:ssh:file")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "false")
        // With these, ssh asks the program `false` instead of the terminal.
        .env("SSH_ASKPASS", "false")
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    for name in FOREIGN_VARIABLES {
        command.env_remove(name);
    }
    command
}

/// Reads to the end, and keeps the first `most` bytes.
async fn read_some(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let Some(mut stream) = stream else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = most.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
    kept
}
