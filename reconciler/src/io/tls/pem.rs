//! Reads PEM files.
#![allow(clippy::disallowed_methods, reason = "reads certificates and keys")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// A file for TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFileError {
    /// It cannot be read.
    #[error("{path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no certificate.
    #[error("{0} holds no certificate in PEM form")]
    NoCertificate(PathBuf),
    /// It holds no key.
    #[error("{0} holds no private key in PEM form")]
    NoKey(PathBuf),
    /// Certificate and key are no pair, or of a kind that is not supported.
    #[error("{path} cannot be used", path = path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The CA file cannot be used.
    #[error("{path} holds no certificate of an authority", path = path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::server::VerifierBuilderError,
    },
}

pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsFileError> {
    fs::read(path).map(Zeroizing::new).map_err(|source| TlsFileError::File { path: path.to_owned(), source })
}

pub(super) fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| TlsFileError::NoCertificate(path.to_owned()))
}

pub(super) fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsFileError::NoKey(path.to_owned()))
}
