//! Programs that run on the host.

use std::collections::BTreeMap;
use std::time::Duration;

/// A program to run. No shell, and nothing of the agent's own environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// The program and its arguments; searched in PATH when it has no slash.
    pub argv: Vec<String>,
    /// A script, in a private file whose path follows `argv`; without `argv` its own first line says what runs it.
    pub script: Option<Vec<u8>>,
    /// What it reads; nothing where empty.
    pub stdin: Vec<u8>,
    /// Working directory; `/` where nothing is said.
    pub cwd: Option<String>,
    /// The user to run as: user and group number; the agent's own where nothing is said.
    pub user: Option<(u32, u32)>,
    /// Variables beside PATH, HOME and LANG.
    pub env: BTreeMap<String, String>,
    /// It is not ended together with the agent: half of it must not be left behind.
    pub outlives: bool,
    /// How long it may run.
    pub timeout: Option<Duration>,
    /// How many bytes of its output are kept, where more than usual matter.
    pub max_output: Option<usize>,
}

/// Where programs are searched.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a program may run where nothing is said.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// The most that is kept of a program's output where nothing is said, in bytes.
pub(super) const MAX_OUTPUT: usize = 256 << 10;

impl Program {
    /// The program `argv`, all else as usual.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Program {
        Program { argv: argv.into_iter().map(Into::into).collect(), ..Program::default() }
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgramOutput {
    /// Its exit code; 128 + n when signal n ended it.
    pub code: i32,
    /// What it wrote, at most as many bytes as its program says.
    pub stdout: Vec<u8>,
    /// What it complained, at most as many bytes as its program says.
    pub stderr: Vec<u8>,
}

impl ProgramOutput {
    /// Whether it ended with code 0.
    pub fn success(&self) -> bool {
        self.code == 0
    }

    /// Its last words for a message: the end of stderr, or of stdout, in one line.
    pub fn last_words(&self) -> String {
        let told = if self.stderr.is_empty() { &self.stdout } else { &self.stderr };
        let text = String::from_utf8_lossy(told);
        let line = text.lines().rev().find(|line| !line.trim().is_empty());
        line.unwrap_or_default().trim().chars().filter(|c| !c.is_control()).take(300).collect()
    }
}
