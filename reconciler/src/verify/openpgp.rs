//! OpenPGP signatures on commits (RFC 9580), strictly.
//!
//! A certificate is a file `policy/openpgp/<principal>.asc`. What counts, and
//! from when until when, is judged here from the certificate's own signatures;
//! the crate `pgp` does the cryptography and takes single packets apart. All is
//! judged at the time of receipt: an expired key does not sign backdated commits.

mod armour;
mod certificate;
mod key;
mod packets;
mod self_signature;
mod signature;

pub use certificate::{OpenPgpCertificate, parse_certificate};
pub use signature::verify_openpgp_signature;

#[cfg(test)]
mod tests;

/// Most bytes of an armoured certificate.
pub(super) const MAX_CERTIFICATE_BYTES: usize = 256 * 1024;
/// Most bytes of an armoured signature.
const MAX_SIGNATURE_BYTES: usize = 16 * 1024;
/// Most packets of a certificate.
const MAX_PACKETS: usize = 1000;
/// How far ahead of receipt a signature may be dated, in seconds: clocks differ.
const SKEW_SECONDS: u64 = 24 * 60 * 60;
