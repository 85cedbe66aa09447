//! TLS of the orchestrator's own addresses. Its files are looked at now and then: one that was renewed is used for the
//! next connections, one that cannot be used is told, and the old one stays.
#![allow(clippy::disallowed_methods, reason = "looks at the files' times")]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::pem::{TlsFileError, certificates, private_key, read};
use tokio::time::Instant;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

/// The files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFiles {
    /// The certificate, with those between it and the clients' CA.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Certificates of those who sign for hosts. With it, agents have to show a certificate.
    pub client_ca: Option<PathBuf>,
}

/// When each file was changed.
type Times = Vec<Option<SystemTime>>;

/// What connections are begun with.
#[derive(Debug)]
pub struct ServerTls {
    files: ServerFiles,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    config: Arc<ServerConfig>,
    times: Times,
    looked: Instant,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn load(files: ServerFiles) -> Result<Self, TlsFileError> {
        let held = Held { times: files.times(), config: Arc::new(files.load()?), looked: Instant::now() };
        Ok(ServerTls { files, held: Mutex::new(held) })
    }

    /// Whether agents have to show a certificate.
    pub fn is_mutual(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// What the next connection begins with.
    pub fn config(&self) -> Arc<ServerConfig> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked.elapsed() >= LOOK {
            held.looked = Instant::now();
            let times = self.files.times();
            if times != held.times {
                held.times = times;
                match self.files.load() {
                    Ok(config) => {
                        held.config = Arc::new(config);
                        tracing::info!(certificate = %self.files.certificate.display(), "the certificate was renewed");
                    }
                    Err(error) => {
                        tracing::error!(error = &error as &dyn std::error::Error, "the old certificate is used on");
                    }
                }
            }
        }
        held.config.clone()
    }
}

impl ServerFiles {
    fn times(&self) -> Times {
        let paths = [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()];
        let changed = |path: &PathBuf| fs::metadata(path).and_then(|meta| meta.modified()).ok();
        paths.into_iter().flatten().map(changed).collect()
    }

    fn load(&self) -> Result<ServerConfig, TlsFileError> {
        let unusable = |source| TlsFileError::Unusable { path: self.certificate.clone(), source };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let config = match &self.client_ca {
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(ca, &read(ca)?)?);
                // Whoever shows none gets as far as people do, see `ClientCertificate`.
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|source| TlsFileError::NoAuthority { path: ca.clone(), source })?;
                config.with_client_cert_verifier(verifier)
            }
            None => config.with_no_client_auth(),
        };
        let chain = certificates(&self.certificate, &read(&self.certificate)?)?;
        let mut config =
            config.with_single_cert(chain, private_key(&self.key, &read(&self.key)?)?).map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
