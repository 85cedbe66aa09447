//! Certificates of a test's own authority.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// An authority, and the folder of what it signed.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, each in a file.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one, with its certificate in `ca.pem` of this folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two of one name would be told apart by their signatures only.
        params.distinguished_name.push(DnType::CommonName, format!("authority {}", folder.display()));
        let key = KeyPair::generate()?;
        fs::write(folder.join("ca.pem"), params.self_signed(&key)?.pem())?;
        Ok(Authority { folder: folder.to_owned(), issuer: Issuer::new(params, key) })
    }

    /// The file of its certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Signs a certificate for these host names and addresses, in `<stem>.pem` and `<stem>.key`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn issue(&self, stem: &str, names: &[&str]) -> Result<Pair> {
        self.write(stem, CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?)
    }

    /// As [`Authority::issue`]; it ended years ago.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue_expired(&self, stem: &str, names: &[&str]) -> Result<Pair> {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        self.write(stem, params)
    }

    fn write(&self, stem: &str, mut params: CertificateParams) -> Result<Pair> {
        params.distinguished_name.push(DnType::CommonName, stem);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let path = |end: &str| self.folder.join(format!("{stem}.{end}"));
        let pair = Pair { certificate: path("pem"), key: path("key") };
        fs::write(&pair.key, key.serialize_pem())?;
        fs::write(&pair.certificate, certificate.pem())?;
        Ok(pair)
    }
}
