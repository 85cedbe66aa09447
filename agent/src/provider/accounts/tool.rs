//! Running the tools that change accounts.

use crate::host::{HostError, HostWrite, Program, ProgramOutput};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long another tool's lock on the files is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `useradd`, `groupmod` or the like with what it is to read; waits while another one holds the files.
///
/// # Errors
/// When it does not run or takes too long.
pub fn run_tool(host: &dyn HostWrite, argv: Vec<String>, stdin: Vec<u8>) -> Result<ProgramOutput, HostError> {
    let program = Program { stdin, timeout: Some(TIMEOUT), ..Program::new(argv) };
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        let output = host.run(&program)?;
        let locked = String::from_utf8_lossy(&output.stderr).contains("cannot lock");
        if output.success() || !locked || Instant::now() >= deadline {
            return Ok(output);
        }
        sleep(Duration::from_millis(500));
    }
}
