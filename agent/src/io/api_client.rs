//! Asks the running agent by its socket, for commands on the host.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// So long an answer is waited for: longer than the agent waits itself.
const PATIENCE: Duration = Duration::from_secs(90);
/// The largest answer.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Posts to `target`, and gives status and body.
///
/// # Errors
/// When there is no agent behind the socket, or it does not answer as it should.
pub fn post(socket: &Path, target: &str) -> io::Result<(u16, String)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
    let mut text = String::new();
    stream.take(MAX_BYTES).read_to_string(&mut text)?;
    let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    });
    parsed.ok_or_else(|| io::Error::other("what answered is no agent"))
}
