//! What the orchestrator shows a broker, and whom it trusts there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::pem::{TlsFileError, certificates, private_key, read};

/// The files; they are read for each connection, so that what was renewed is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// Certificates of those who may sign for the other end; nobody else may.
    pub ca: PathBuf,
    /// Our certificate, with those between it and their CA, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl ClientFiles {
    /// Reads them.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn load(&self) -> Result<OwnedTLSConfig, TlsFileError> {
        let ca = read(&self.ca)?;
        certificates(&self.ca, &ca)?;
        let identity = match &self.identity {
            Some((certificate, key)) => {
                let (pem, key_pem) = (read(certificate)?, read(key)?);
                certificates(certificate, &pem)?;
                private_key(key, &key_pem)?;
                Some(OwnedIdentity::PKCS8 { pem: pem.to_vec(), key: key_pem.to_vec() })
            }
            None => None,
        };
        Ok(OwnedTLSConfig { identity, cert_chain: Some(String::from_utf8_lossy(&ca).into_owned()) })
    }
}

/// For HTTP to an orchestrator of which those in the file `ca` may sign, and nobody else.
///
/// # Errors
/// When the file cannot be used.
pub fn trust_for_http(ca: &Path) -> Result<TlsConfig, TlsFileError> {
    let trusted = certificates(ca, &read(ca)?)?;
    let trusted = trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(trusted))).build())
}
