//! Reads interfaces and addresses from the kernel by rtnetlink(7).

use std::io;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{netlink::SocketAddrNetlink, recv, sendto, socket_with};

use crate::facts::interface::{Interface, InterfaceAddress, NEW_ADDRESS, NEW_LINK, load_address, load_interface};

#[cfg(test)]
mod tests;

const GET_LINK: u16 = 18;
const GET_ADDRESS: u16 = 22;
const REQUEST_DUMP: u16 = 0x0301;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const HEADER: usize = 16;
/// The kernel fills at most 32 KiB into one message of a dump.
const BUFFER: usize = 32 * 1024;

/// The interfaces of this network namespace.
///
/// # Errors
/// When the kernel has no netlink or refuses it.
pub fn fetch_interfaces() -> io::Result<Vec<Interface>> {
    let mut interfaces = Vec::new();
    dump(GET_LINK, NEW_LINK, |payload| interfaces.extend(load_interface(payload)))?;
    Ok(interfaces)
}

/// The addresses of this network namespace.
///
/// # Errors
/// When the kernel has no netlink or refuses it.
pub fn fetch_addresses() -> io::Result<Vec<InterfaceAddress>> {
    let mut addresses = Vec::new();
    dump(GET_ADDRESS, NEW_ADDRESS, |payload| addresses.extend(load_address(payload)))?;
    Ok(addresses)
}

/// Asks for all objects of one type and gives the payload of each answer of type `answer` to `take`.
fn dump(request: u16, answer: u16, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    // Length, type, flags, sequence, sender; then a family of 0, which means all.
    let mut message = Vec::with_capacity(HEADER + 4);
    message.extend((HEADER as u32 + 4).to_ne_bytes());
    message.extend(request.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 12]);
    sendto(&socket, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut buffer = vec![0u8; BUFFER];
    loop {
        let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while let Some((kind, payload, next)) = split_message(rest) {
            match kind {
                DONE => return Ok(()),
                ERROR => return Err(error_of(payload)),
                kind if kind == answer => take(payload),
                _ => {}
            }
            rest = next;
        }
    }
}

/// Type and payload of the first message, and what follows it.
fn split_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let payload = bytes.get(HEADER..length)?;
    Some((kind, payload, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// The payload of an error message starts with the negated error number.
fn error_of(payload: &[u8]) -> io::Error {
    payload.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or_else(
        || io::ErrorKind::InvalidData.into(),
        |bytes| io::Error::from_raw_os_error(i32::from_ne_bytes(bytes).wrapping_neg()),
    )
}
