//! Whom the agent trusts in TLS, and as whom it shows itself. The files are read for each new client and connection, so
//! that a certificate that was renewed is used without a restart, and an agent that speaks no TLS holds none of it.
#![allow(clippy::disallowed_methods, reason = "reads certificates and a key")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use zeroize::Zeroizing;

/// The files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of those who may sign for the other end; nobody else may.
    pub ca: Option<PathBuf>,
    /// The agent's certificate, with those between it and the other end's CA, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
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
}

impl TlsFiles {
    /// For HTTP. Without a CA file the public authorities are trusted.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn for_http(&self) -> Result<TlsConfig, TlsError> {
        let mut config = TlsConfig::builder();
        if let Some(ca) = &self.ca {
            config = config.root_certs(RootCerts::Specific(Arc::new(certificates(ca, &read(ca)?)?)));
        }
        if let Some((certificate, key)) = &self.identity {
            let chain = certificates(certificate, &read(certificate)?)?;
            let identity = ClientCert::new_with_certs(&chain, private_key(key, &read(key)?)?);
            config = config.client_cert(Some(identity));
        }
        Ok(config.build())
    }

    /// For AMQP, where only the CA file is trusted.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn for_amqp(&self) -> Result<OwnedTLSConfig, TlsError> {
        let cert_chain = match &self.ca {
            Some(ca) => {
                let pem = read(ca)?;
                certificates(ca, &pem)?;
                Some(String::from_utf8_lossy(&pem).into_owned())
            }
            None => None,
        };
        let identity = match &self.identity {
            Some((certificate, key)) => {
                let (pem, key_pem) = (read(certificate)?, read(key)?);
                certificates(certificate, &pem)?;
                private_key(key, &key_pem)?;
                Some(OwnedIdentity::PKCS8 { pem: pem.to_vec(), key: key_pem.to_vec() })
            }
            None => None,
        };
        Ok(OwnedTLSConfig { identity, cert_chain })
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    fs::read(path).map(Zeroizing::new).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<Certificate<'static>>, TlsError> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    let found: Vec<_> = parse_pem(pem).filter_map(certificate).collect();
    if found.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKey<'static>, TlsError> {
    let key = |item| match item {
        Ok(PemItem::PrivateKey(key)) => Some(key),
        _ => None,
    };
    parse_pem(pem).find_map(key).ok_or_else(|| TlsError::NoKey(path.to_owned()))
}
