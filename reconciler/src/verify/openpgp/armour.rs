//! ASCII armour (RFC 9580, section 6.2): one block and nothing around it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Length of the line that may hold a checksum, `=` and four digits. It guards
/// against accidents only, and RFC 9580 tells readers to ignore it.
const CHECKSUM_LINE: usize = 5;

/// Reads one armoured block of this kind (`SIGNATURE`, `PUBLIC KEY BLOCK`).
pub(super) fn read_armour(text: &[u8], kind: &str, most: usize) -> Result<Vec<u8>, &'static str> {
    if text.len() > most {
        return Err("it is too large");
    }
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    let mut lines = text.trim_ascii().lines().map(str::trim_ascii_end);
    if lines.next() != Some(&format!("-----BEGIN PGP {kind}-----")) {
        return Err("it does not begin as armour of its kind does");
    }
    if lines.next_back() != Some(&format!("-----END PGP {kind}-----")) {
        return Err("something follows its armour, or its end is missing");
    }
    let mut headers = lines.by_ref().take_while(|line| !line.is_empty());
    if !headers.all(|line| line.contains(": ")) {
        return Err("its armour has no empty line after the headers");
    }
    let mut body: Vec<&str> = lines.collect();
    if body.last().is_some_and(|line| line.len() == CHECKSUM_LINE && line.starts_with('=')) {
        body.pop();
    }
    STANDARD.decode(body.concat()).map_err(|_| "its armour is no base64")
}
