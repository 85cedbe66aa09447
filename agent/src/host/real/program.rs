//! Running programs: no shell, a clean environment, a limit on time and output.

use crate::host::program::{DEFAULT_TIMEOUT, MAX_OUTPUT, PATH};
use crate::host::{HostError, Program, ProgramOutput};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Runs a program in a control group of its own, which systemd does not end together with the agent's. It becomes
/// the program itself, so that exit code, output and signals are the program's.
const SCOPE: [&str; 5] = ["/usr/bin/systemd-run", "--scope", "--quiet", "--collect", "--slice=system.slice"];
const BOOTED: &str = "/run/systemd/system";

#[cfg(test)]
mod tests;

/// How long a program that took too long may still clean up.
const GRACE: Duration = Duration::from_secs(2);
/// So many reads at a time, of 8 KiB each.
const DRAIN_READS: usize = 64;

pub(super) fn run(program: &Program) -> Result<ProgramOutput, HostError> {
    let name = program.argv.first().cloned().unwrap_or_else(|| "script".to_owned());
    let failed = |source: std::io::Error| HostError::Program { program: name.clone(), source };
    let script =
        program.script.as_ref().map(|script| write_script(script, program.user)).transpose().map_err(failed)?;
    let mut child = command(program, script.as_ref().map(|script| script.path())).spawn().map_err(failed)?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        if let Some(mut stdin) = stdin {
            // A program may end without reading all of it.
            scope.spawn(move || drop(stdin.write_all(&program.stdin)));
        }
        follow(&mut child, program.timeout.unwrap_or(DEFAULT_TIMEOUT), program.max_output.unwrap_or(MAX_OUTPUT))
    });
    match output.map_err(failed)? {
        Some(output) => Ok(output),
        None => Err(HostError::Timeout { program: name, limit: program.timeout.unwrap_or(DEFAULT_TIMEOUT) }),
    }
}

/// A file that only the one who runs it may read. It goes when it is dropped.
fn write_script(script: &[u8], user: Option<(u32, u32)>) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".muster-").suffix(".script").tempfile()?;
    if let Some((uid, gid)) = user {
        std::os::unix::fs::fchown(&file, Some(uid), Some(gid))?;
    }
    file.write_all(script)?;
    file.flush()?;
    Ok(file)
}

/// What the first line of a script asks for, so that the file itself need not be executable where it lies.
fn interpreter_of(script: &[u8]) -> Vec<String> {
    let line = script.strip_prefix(b"#!").and_then(|rest| rest.split(|byte| *byte == b'\n').next());
    let line = line.map(|line| String::from_utf8_lossy(line).trim().to_owned()).unwrap_or_default();
    // As the kernel does: one program, and the rest of the line as one argument.
    match line.split_once(char::is_whitespace) {
        Some((program, argument)) => vec![program.to_owned(), argument.trim().to_owned()],
        None if line.is_empty() => vec!["/bin/sh".to_owned()],
        None => vec![line],
    }
}

fn command(program: &Program, script: Option<&Path>) -> Command {
    let argv = match &program.script {
        Some(script) if program.argv.is_empty() => interpreter_of(script),
        _ => program.argv.clone(),
    };
    let scope = if program.outlives && has_scopes() { &SCOPE[..] } else { &[] };
    let mut argv =
        scope.iter().copied().chain((!scope.is_empty()).then_some("--")).chain(argv.iter().map(String::as_str));
    let mut command = Command::new(argv.next().unwrap_or_default());
    command.args(argv).args(script).env_clear().env("PATH", PATH).env("HOME", "/root").env("LANG", "C.UTF-8");
    command.envs(&program.env).current_dir(program.cwd.as_deref().unwrap_or("/"));
    if let Some((uid, gid)) = program.user {
        command.uid(uid).gid(gid);
    }
    let stdin = if program.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
    // A group of its own, so that what it started ends with it when it takes too long.
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command
}

/// Whether systemd is at work and takes orders of ours.
fn has_scopes() -> bool {
    let found = SCOPE.first().is_some_and(|program| Path::new(program).exists());
    found && Path::new(BOOTED).exists() && rustix::process::geteuid().is_root()
}

/// Reads what the child writes until it ends. `None` when it took too long.
fn follow(child: &mut Child, limit: Duration, most: usize) -> std::io::Result<Option<ProgramOutput>> {
    let deadline = Instant::now() + limit;
    let pidfd = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Errno::PIPE.into());
    };
    rustix::io::ioctl_fionbio(&stdout, true)?;
    rustix::io::ioctl_fionbio(&stderr, true)?;
    let mut output = ProgramOutput::default();
    let mut open = [true, true];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            end(child)?;
            return Ok(None);
        }
        // A pipe that ended stays readable for ever, so it is not asked any more.
        let mut waited = vec![PollFd::new(&pidfd, PollFlags::IN)];
        waited.extend(open[0].then(|| PollFd::new(&stdout, PollFlags::IN)));
        waited.extend(open[1].then(|| PollFd::new(&stderr, PollFlags::IN)));
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match rustix::event::poll(&mut waited, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        // What a background child writes later is not waited for.
        let ended = waited.first().is_some_and(|first| !first.revents().is_empty());
        drop(waited);
        open = [drain(&mut stdout, &mut output.stdout, most)?, drain(&mut stderr, &mut output.stderr, most)?];
        if ended {
            let status = child.wait()?;
            output.code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            return Ok(Some(output));
        }
    }
}

/// Reads what is there, and no more than fills a pipe several times: who floods us shall not keep us from looking at the
/// time. Keeps the first `most` bytes. `false` at the end of the pipe.
fn drain(pipe: &mut (impl Read + AsFd), kept: &mut Vec<u8>, most: usize) -> std::io::Result<bool> {
    let mut buffer = [0; 8 << 10];
    for _ in 0..DRAIN_READS {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                let room = most.saturating_sub(kept.len()).min(count);
                kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Ends the child and its whole group: asked first, then killed.
fn end(child: &mut Child) -> std::io::Result<()> {
    let group = Pid::from_child(child);
    let _ = rustix::process::kill_process_group(group, Signal::TERM);
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        if child.try_wait()?.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    child.wait().map(drop)
}
