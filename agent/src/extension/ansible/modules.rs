//! Runs modules: looks by the fork server, changes by a process of their own.

use super::result::{CheckResult, ModuleOutput, read_change, read_check};
use super::{Mask, ModuleError, ModuleName};
use crate::host::{HostWrite, Program};
use crate::io::child_lines::{ChildError, ChildLines};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Our own program. Python reads it from its first line of input, so that no file can be exchanged under it.
const FORK_SERVER: &str = include_str!("fork_server.py");
const READ_PROGRAM: &str =
    "import json, sys; exec(compile(json.loads(sys.stdin.buffer.readline()), 'fork_server.py', 'exec'))";
/// The host's Python, without what its environment and its users' folders add, and without writing what it compiled.
const PYTHON: [&str; 5] = ["python3", "-I", "-B", "-c", READ_PROGRAM];
/// How long a module may take where nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
/// How long the fork server may take to load, and to answer beyond the time of its module.
const SERVER_GRACE: Duration = Duration::from_secs(30);
/// The most that a module may say, in bytes. As JSON within JSON it may be several times as long.
const MAX_OUTPUT: usize = 1 << 20;
const MAX_LINE: usize = 8 << 20;
/// How long the fork server stays without work.
const IDLE: Duration = Duration::from_secs(60);

/// Runs modules of the ansible-core of this host.
pub struct AnsibleModules {
    shared: Arc<Shared>,
}

struct Shared {
    running: Mutex<Option<Running>>,
    idle: Duration,
}

struct Running {
    server: ChildLines,
    used: Instant,
}

#[derive(Serialize)]
struct Request<'a> {
    module: &'a str,
    arguments: &'a Map<String, Value>,
    timeout: f64,
    output: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reply {
    Ran(ModuleOutput),
    Refused { refused: String },
}

#[derive(Deserialize)]
struct Hello {
    ansible_core: String,
}

impl Default for AnsibleModules {
    fn default() -> AnsibleModules {
        AnsibleModules::with_idle(IDLE)
    }
}

impl AnsibleModules {
    fn with_idle(idle: Duration) -> AnsibleModules {
        AnsibleModules { shared: Arc::new(Shared { running: Mutex::default(), idle }) }
    }

    /// Asks a module what it would change. It changes nothing: a module that has no check mode says so and does nothing.
    ///
    /// # Errors
    /// When there is no ansible-core or no such module, or the module fails, hangs, floods or dies.
    pub fn check(
        &self,
        module: &ModuleName,
        arguments: &Map<String, Value>,
        timeout: Option<Duration>,
    ) -> Result<CheckResult, ModuleError> {
        let arguments = with_switches(arguments, true);
        let output = self.ask(module, &arguments, timeout.unwrap_or(DEFAULT_TIMEOUT))?;
        read_check(module, &output, &Mask::of(&arguments))
    }

    /// Lets a module make its change, in a process that does not end together with the agent. Whether it changed
    /// anything.
    ///
    /// # Errors
    /// When it cannot be run or fails.
    pub fn apply(
        &self,
        module: &ModuleName,
        arguments: &Map<String, Value>,
        timeout: Option<Duration>,
        host: &dyn HostWrite,
    ) -> Result<bool, ModuleError> {
        let arguments = with_switches(arguments, false);
        let arguments_as_json = serde_json::to_vec(&arguments).unwrap_or_default();
        let program = Program {
            stdin: [program_line().as_slice(), b"\n", &arguments_as_json].concat(),
            outlives: true,
            timeout: Some(timeout.unwrap_or(DEFAULT_TIMEOUT)),
            max_output: Some(MAX_OUTPUT),
            ..Program::new(PYTHON.into_iter().chain(["--once", module.as_str()]))
        };
        let ran = host.run(&program).map_err(|source| ModuleError::Host { module: module.clone(), source })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let output = ModuleOutput { code: ran.code, stdout: text(&ran.stdout), stderr: text(&ran.stderr) };
        read_change(module, &output, &Mask::of(&arguments))
    }

    fn ask(
        &self,
        module: &ModuleName,
        arguments: &Map<String, Value>,
        timeout: Duration,
    ) -> Result<ModuleOutput, ModuleError> {
        let request =
            Request { module: module.as_str(), arguments, timeout: timeout.as_secs_f64(), output: MAX_OUTPUT };
        let line = serde_json::to_vec(&request).unwrap_or_default();
        let mut running = self.shared.lock();
        let known = running.take();
        let fresh = known.is_none();
        let mut server = known.map_or_else(start, |known| Ok(known.server))?;
        let mut answer = server.ask(&line, timeout + SERVER_GRACE);
        // That it ended since the last call is not this module's fault. One that kills it is found out by the second.
        if !fresh && matches!(answer, Err(ChildError::Ended { .. } | ChildError::Io(_))) {
            server = start()?;
            answer = server.ask(&line, timeout + SERVER_GRACE);
        }
        let answer = answer.map_err(|source| ModuleError::Server { module: module.clone(), source })?;
        let no_result = |reason: String| ModuleError::NoResult { module: module.clone(), reason };
        let reply: Reply = serde_json::from_slice(&answer).map_err(|error| no_result(error.to_string()))?;
        *running = Some(Running { server, used: Instant::now() });
        drop(running);
        if fresh {
            self.end_when_idle();
        }
        match reply {
            Reply::Ran(output) => Ok(output),
            Reply::Refused { refused } => Err(no_result(refused)),
        }
    }

    /// Ends the fork server once nobody has used it for a while. One such watch runs for each server; it holds nothing.
    fn end_when_idle(&self) {
        let shared = Arc::downgrade(&self.shared);
        let idle = self.shared.idle;
        let watch = move || {
            let mut left = Some(idle);
            while let Some(wait) = left {
                std::thread::sleep(wait);
                left = Weak::upgrade(&shared).and_then(|shared| shared.end_if_idle());
            }
        };
        // Without the watch it stays until the agent ends.
        let _ = std::thread::Builder::new().name("ansible-idle".to_owned()).stack_size(128 << 10).spawn(watch);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it is still to be waited, or `None` once there is no server any more.
    fn end_if_idle(&self) -> Option<Duration> {
        let mut running = self.lock();
        let left = self.idle.saturating_sub(running.as_ref()?.used.elapsed());
        if left.is_zero() {
            *running = None;
            return None;
        }
        Some(left)
    }
}

fn start() -> Result<ChildLines, ModuleError> {
    let mut server = ChildLines::start(&Program::new(PYTHON), MAX_LINE).map_err(ModuleError::Start)?;
    server.say(&program_line(), SERVER_GRACE).map_err(ModuleError::Start)?;
    let hello = server.hear(SERVER_GRACE).map_err(ModuleError::Start)?;
    let hello: Hello = serde_json::from_slice(&hello)
        .map_err(|error| ModuleError::Start(ChildError::Io(std::io::Error::other(error))))?;
    tracing::debug!(ansible_core = hello.ansible_core, "modules of Ansible are at hand");
    Ok(server)
}

fn program_line() -> Vec<u8> {
    serde_json::to_vec(FORK_SERVER).unwrap_or_default()
}

/// The arguments with those that tell a module how to run. Whoever wrote the arguments cannot set them.
fn with_switches(arguments: &Map<String, Value>, check: bool) -> Map<String, Value> {
    let mut all: Map<String, Value> = arguments.clone();
    all.retain(|name, _| !name.starts_with("_ansible_"));
    for (name, value) in [("check_mode", check), ("diff", true), ("no_log", true)] {
        all.insert(format!("_ansible_{name}"), Value::Bool(value));
    }
    all
}
