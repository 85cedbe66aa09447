//! How a secret is written where it stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_schema::secret::Encode;
use zeroize::Zeroizing;

/// The secret as it is to be written.
///
/// # Errors
/// When it cannot be written so: why, for people, without a byte of it.
pub(super) fn encode(secret: &[u8], encode: Option<Encode>) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    // Buffers of the largest size that may be needed: one that grows leaves copies behind.
    let text = || std::str::from_utf8(secret).map_err(|_| "it is no UTF-8 text, which encode='json' needs");
    Ok(Zeroizing::new(match encode {
        None => secret.to_vec(),
        Some(Encode::Base64) => STANDARD.encode(secret).into_bytes(),
        Some(Encode::Url) => {
            let mut written = Vec::with_capacity(3 * secret.len());
            for byte in secret {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => written.push(*byte),
                    other => written.extend_from_slice(format!("%{other:02X}").as_bytes()),
                }
            }
            written
        }
        Some(Encode::Shell) if secret.contains(&0) => return Err("it holds a NUL, which no word of a shell can"),
        Some(Encode::Shell) => {
            let mut written = Vec::with_capacity(2 + 4 * secret.len());
            written.push(b'\'');
            for byte in secret {
                match byte {
                    b'\'' => written.extend_from_slice(br"'\''"),
                    other => written.push(*other),
                }
            }
            written.push(b'\'');
            written
        }
        Some(Encode::Json) => {
            // A control character takes six bytes.
            let mut written = Vec::with_capacity(2 + 6 * secret.len());
            serde_json::to_writer(&mut written, text()?).map_err(|_| "it cannot be written as JSON")?;
            written
        }
    }))
}
