//! Is a connection accepted?

use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

pub(super) fn probe(endpoint: &str, timeout: Duration) -> Result<(), String> {
    let deadline = Instant::now() + timeout;
    let addresses = endpoint.to_socket_addrs().map_err(|error| format!("{endpoint} has no address: {error}"))?;
    let mut last = format!("{endpoint} has no address");
    for address in addresses {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("{endpoint}: no connection within {} s", timeout.as_secs()));
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                last = format!("{endpoint}: no connection within {} s", timeout.as_secs());
            }
            Err(error) => last = format!("{endpoint}: {error}"),
        }
    }
    Err(last)
}
