//! A program that stays, and is talked to in lines: one line asks, one line answers.
//!
//! Every word has a deadline and every line a limit, so that a program that hangs, floods or dies costs one error. It
//! ends with its group when this is dropped.
#![allow(clippy::disallowed_methods, reason = "starts a program")]

use crate::host::{PATH, Program};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// How much of its complaints is kept for a message, in bytes: the end of them.
const COMPLAINTS: usize = 4 << 10;
/// How long it is waited for after its last words, before it is killed.
const GRACE: Duration = Duration::from_millis(200);

/// A program that runs and is talked to.
pub struct ChildLines {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    /// What it said and nobody took yet.
    said: Vec<u8>,
    complained: Vec<u8>,
    max_line: usize,
}

/// Why there is no answer. The program is of no use after it.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It cannot be started.
    #[error("it cannot be started")]
    Start(#[source] std::io::Error),
    /// It ended.
    #[error("it ended with {how}{words}")]
    Ended {
        /// Its exit code or signal.
        how: String,
        /// Its last words, if it had any.
        words: String,
    },
    /// It did not answer, or did not listen, in time.
    #[error("it took longer than {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It said more in one line than it may.
    #[error("it said more than {0} bytes in one line")]
    TooMuch(usize),
    /// The system refused.
    #[error("it cannot be talked to")]
    Io(#[from] std::io::Error),
}

impl ChildLines {
    /// Starts `program` by its arguments, without a shell and with nothing of the agent's own environment. Of what it
    /// says, lines of at most `max_line` bytes are taken. Its `stdin`, `script` and `timeout` do not count here.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Program, max_line: usize) -> Result<ChildLines, ChildError> {
        let mut argv = program.argv.iter();
        let mut command = Command::new(argv.next().map_or("", String::as_str));
        command.args(argv).env_clear().env("PATH", PATH).env("HOME", "/root").env("LANG", "C.UTF-8");
        command.envs(&program.env).current_dir(program.cwd.as_deref().unwrap_or("/"));
        if let Some((uid, gid)) = program.user {
            command.uid(uid).gid(gid);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(ChildError::Start)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(ChildError::Io(Errno::PIPE.into()));
        };
        rustix::io::ioctl_fionbio(&stdin, true).map_err(std::io::Error::from)?;
        rustix::io::ioctl_fionbio(&stdout, true).map_err(std::io::Error::from)?;
        rustix::io::ioctl_fionbio(&stderr, true).map_err(std::io::Error::from)?;
        let (said, complained) = (Vec::new(), Vec::new());
        Ok(ChildLines { child, stdin, stdout, stderr: Some(stderr), said, complained, max_line })
    }

    /// Says one line, which has no line break in it, within this time.
    ///
    /// # Errors
    /// When it does not listen.
    pub fn say(&mut self, line: &[u8], within: Duration) -> Result<(), ChildError> {
        let deadline = Instant::now() + within;
        let whole = [line, b"\n"].concat();
        let mut left = whole.as_slice();
        while !left.is_empty() {
            match self.stdin.write(left) {
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(deadline, within, true)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(self.ended()),
                Err(error) => return Err(error.into()),
            }
            self.listen()?;
        }
        Ok(())
    }

    /// Takes its next line, without the line break, within this time.
    ///
    /// # Errors
    /// When there is none.
    pub fn hear(&mut self, within: Duration) -> Result<Vec<u8>, ChildError> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.said.drain(..=end).collect();
                line.pop();
                return Ok(line);
            }
            if self.said.len() > self.max_line {
                return Err(ChildError::TooMuch(self.max_line));
            }
            let more = self.listen()?;
            if self.said.contains(&b'\n') || self.said.len() > self.max_line {
                continue;
            }
            if !more {
                return Err(self.ended());
            }
            self.wait(deadline, within, false)?;
        }
    }

    /// Asks with one line and takes one for the answer; the time is for both.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(&mut self, line: &[u8], within: Duration) -> Result<Vec<u8>, ChildError> {
        let begin = Instant::now();
        self.say(line, within)?;
        self.hear(within.saturating_sub(begin.elapsed())).map_err(|error| match error {
            ChildError::TimedOut(_) => ChildError::TimedOut(within),
            other => other,
        })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says something, or listens where `to_say`.
    fn wait(&mut self, deadline: Instant, within: Duration, to_say: bool) -> Result<(), ChildError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ChildError::TimedOut(within));
        }
        let mut polled = vec![PollFd::new(&self.stdout, PollFlags::IN)];
        polled.extend(self.stderr.as_ref().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
        polled.extend(to_say.then(|| PollFd::new(&self.stdin, PollFlags::OUT)));
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match rustix::event::poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(ChildError::Io(errno.into())),
        }
    }

    /// Takes what it has said and complained. `false` when it will say nothing more.
    fn listen(&mut self) -> Result<bool, ChildError> {
        let mut buffer = [0; 8 << 10];
        while let Some(stderr) = &mut self.stderr {
            match stderr.read(&mut buffer) {
                Ok(0) => self.stderr = None,
                Ok(count) => {
                    self.complained.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    let more = self.complained.len().saturating_sub(COMPLAINTS);
                    self.complained.drain(..more);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        // What is beyond the limit stays in the pipe, and holds the program up.
        while self.said.len() <= self.max_line {
            match self.stdout.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => self.said.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn ended(&mut self) -> ChildError {
        let deadline = Instant::now() + GRACE;
        let status = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                Ok(status) => break status,
                Err(error) => return error.into(),
            }
        };
        // A failure to read its complaints must not hide that it ended.
        let _ = self.listen();
        let how = match status {
            None => "closed pipes".to_owned(),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("code {code}"),
                (None, signal) => format!("signal {}", signal.unwrap_or(0)),
            },
        };
        let text = String::from_utf8_lossy(&self.complained);
        let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let line: String = line.trim().chars().filter(|c| !c.is_control()).take(300).collect();
        let words = if line.is_empty() { line } else { format!(": {line}") };
        ChildError::Ended { how, words }
    }
}

impl Drop for ChildLines {
    fn drop(&mut self) {
        // Once it is waited for, its number may belong to another.
        if let Ok(None) = self.child.try_wait() {
            let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}
