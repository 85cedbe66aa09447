//! Free TCP ports.

use std::net::{IpAddr, TcpListener};

use anyhow::{Context, Result};

/// `N` different ports that nothing listens on at `address` now.
///
/// # Errors
/// When the address is not of this machine or no port is free.
pub fn free_ports<const N: usize>(address: IpAddr) -> Result<[u16; N]> {
    // All are held until the last is known, so that no port is given twice.
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((address, 0)).with_context(|| format!("bind a free port at {address}"))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
