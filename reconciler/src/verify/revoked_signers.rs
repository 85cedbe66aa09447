//! `policy/revoked_signers`: public keys that count no more, one a line, as
//! in git's `gpg.ssh.revocationFile`. An empty file revokes nothing.

use ssh_key::public::KeyData;

use super::allowed_signers::parse_public_key;

/// Start of OpenSSH's binary key revocation lists.
const BINARY_LIST: &[u8] = b"SSHKRL\n";

/// Reads the whole file: the keys, and each faulty line with its number
/// (from 1) and reason.
pub fn parse_revoked_signers(bytes: &[u8]) -> (Vec<KeyData>, Vec<(usize, String)>) {
    if bytes.starts_with(BINARY_LIST) {
        let reason = "a binary revocation list is not supported yet; list the public keys, one a line";
        return (Vec::new(), vec![(1, reason.into())]);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return (Vec::new(), vec![(1, "not UTF-8".into())]);
    };
    let mut keys = Vec::new();
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_public_key(line) {
            Ok(key) => keys.push(key),
            Err(reason) => faults.push((index + 1, reason)),
        }
    }
    (keys, faults)
}
