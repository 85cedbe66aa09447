//! systemd's private socket, in a form that a D-Bus library takes.
//!
//! On it systemd names itself as sender by its well-known name. The D-Bus specification has unique names there, and
//! zbus drops such a connection at once. A pump between the two puts a unique name of the same length in its place.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

#[cfg(test)]
mod tests;

/// How the header field of a sender begins: its code, and the signature of its value.
const SENDER: &[u8] = b"\x07\x01s\0";
const WELL_KNOWN: &[u8] = b"org.freedesktop.systemd1\0";
const UNIQUE: &[u8] = b":1.systemd-private-bus-0\0";
/// The fixed part of a message's header.
const HEADER: usize = 16;
/// The longest message of D-Bus.
const MAX_MESSAGE: usize = 128 << 20;

/// Passes everything on in both directions until one side ends.
pub(super) async fn pump(systemd: UnixStream, library: UnixStream) {
    let (mut from_systemd, mut to_systemd) = systemd.into_split();
    let (mut from_library, mut to_library) = library.into_split();
    let asked = async { tokio::io::copy(&mut from_library, &mut to_systemd).await.map(drop) };
    let told = async {
        let mut pending = Vec::new();
        let mut buffer = [0; 8 << 10];
        loop {
            let count = from_systemd.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
            while let Some(length) = whole_piece(&pending)? {
                let rest = pending.split_off(length);
                let mut piece = std::mem::replace(&mut pending, rest);
                name_sender(&mut piece);
                to_library.write_all(&piece).await?;
            }
        }
    };
    let ended: std::io::Result<()> = tokio::select! { ended = asked => ended, ended = told => ended };
    if let Err(error) = ended {
        tracing::debug!(%error, "the connection to systemd ended");
    }
}

/// The length of the first piece, when all of it is there: a line of the handshake, or a message.
fn whole_piece(pending: &[u8]) -> std::io::Result<Option<usize>> {
    if !matches!(pending.first(), Some(b'l' | b'B')) {
        return Ok(pending.iter().position(|byte| *byte == b'\n').map(|end| end + 1));
    }
    let (Some(body), Some(fields)) = (number(pending, 4), number(pending, 12)) else { return Ok(None) };
    let length = HEADER.saturating_add(fields.next_multiple_of(8)).saturating_add(body);
    if length > MAX_MESSAGE {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    Ok((pending.len() >= length).then_some(length))
}

/// Puts a unique name in the place of systemd's, in the header of a message.
fn name_sender(piece: &mut [u8]) {
    let Some(fields) = number(piece, 12).filter(|_| matches!(piece.first(), Some(b'l' | b'B'))) else { return };
    let Some(header) = piece.get_mut(HEADER..HEADER.saturating_add(fields)) else { return };
    // Code and signature, the name's length in four bytes, the name.
    let name_at = SENDER.len() + 4;
    let is_sender = |field: &[u8]| field.starts_with(SENDER) && field.get(name_at..) == Some(WELL_KNOWN);
    let place = header.windows(name_at + WELL_KNOWN.len()).position(is_sender);
    let name = place.and_then(|place| header.get_mut(place + name_at..place + name_at + UNIQUE.len()));
    if let Some(name) = name {
        name.copy_from_slice(UNIQUE);
    }
}

/// A number of a message's header, in the byte order that its first byte names.
fn number(message: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 4] = message.get(at..at + 4)?.try_into().ok()?;
    let number = if message.first() == Some(&b'l') { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
    usize::try_from(number).ok()
}
