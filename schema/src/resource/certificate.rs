//! Certificates and their keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::check_edited_path;
use crate::address::IdForm;
use crate::mode::Mode;
use crate::resource::{Meta, NamedAccounts, OrderClass, OwnPath, ResourceSpec};

/// A private key, and a certificate for it: self-signed, or from an authority that is given a request. The id is a free
/// name.
///
/// ```yaml
/// certificates:
///   web:
///     key: /etc/ssl/private/web.key
///     certificate: /etc/ssl/web.pem
///     names: [web.example.org, 192.0.2.7]
///     days: 90
///     renew_before: 30
/// services:
///   nginx: {reload_on: [certificates/web]}
/// ```
///
/// The key never leaves the host: it is in no manifest, ledger, report or log, and nothing keeps a copy of it. It is
/// made when nothing stands in its place, for root's eyes alone where nothing else is said. A key that was there before is
/// used. **A key is never replaced and never removed.** So it stays when the resource leaves, also one that was made for
/// it, and the plan says so; `state: absent` takes away certificate and request, and no key. For a new key, move the old
/// one away or name another path. A key is read in the form PKCS#8 (`BEGIN PRIVATE KEY`).
///
/// Without `request` the certificate is self-signed. It is made anew when it is missing, is for another key or other
/// names, is broken, or ends within `renew_before` days, by the host's clock; and for other `days`. A certificate that fits
/// is taken as it is, whoever signed it. One that is not valid yet is left alone: the clock may be wrong. The agent
/// looks at it when it is due by the clock, and with every sweep.
///
/// With `request` a request for a certificate (PKCS#10) is written to that path, to be carried to an authority. Somebody
/// else puts the certificate at `certificate`; it is checked there and never written. Until one is there that fits, the
/// resource is `pending`, and so is what requires it; one that is for another key or other names, or has ended, is
/// `blocked`, with the reason.
///
/// When the resource leaves, certificate, request and access go back to what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateSpec {
    /// The file with the private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The file with the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The file for the request, where an authority signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Names of hosts, and addresses. The first is the common name too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// The kind of a new key; `ecdsa_p256` where nothing is said. Where it is said, a key of another kind is `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<KeyType>,
    /// For how long a self-signed certificate is valid; 365 days where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// How many days before its end it is made anew; a third of its time where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<u32>,
    /// The owner of the key: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group of the key: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission bits of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// The kind of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// ECDSA on the curve P-256.
    EcdsaP256,
    /// ECDSA on the curve P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
}

/// For how long a certificate is valid where nothing is said.
const DEFAULT_DAYS: u32 = 365;
const MAX_DAYS: u32 = 36_500;
const MAX_NAMES: usize = 100;

impl CertificateSpec {
    /// For how many days a new certificate is valid.
    pub fn valid_days(&self) -> u32 {
        self.days.unwrap_or(DEFAULT_DAYS)
    }
}

impl ResourceSpec for CertificateSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const HAS_PERMISSIONS: bool = true;
    const OWN_PATH: OwnPath = OwnPath::Whole("certificate");
    const FURTHER_PATHS: &'static [&'static str] = &["key", "request"];

    fn own_path(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    fn further_paths(&self) -> Vec<&str> {
        [&self.key, &self.request].into_iter().flatten().map(String::as_str).collect()
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_owner(&self.owner, &self.group)
    }

    fn place(&self) -> Option<String> {
        let paths = [&self.certificate, &self.key, &self.request].map(|path| path.as_deref().unwrap_or_default());
        Some(paths.join(" "))
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let paths = [("key", &self.key), ("certificate", &self.certificate), ("request", &self.request)];
        for (name, path) in paths {
            if path.is_none() {
                if name == "request" {
                    continue;
                }
                return Some(format!("needs a '{name}': the path of its file"));
            }
            if let Some(reason) = check_edited_path(path) {
                return Some(format!("has a '{name}' that is no path of a file: it {reason}"));
            }
        }
        if self.key == self.certificate || [&self.key, &self.certificate].contains(&&self.request) {
            return Some("has one path for two of key, certificate and request".to_owned());
        }
        let names = self.names.as_deref().unwrap_or_default();
        if names.is_empty() || names.len() > MAX_NAMES {
            return Some(format!("needs 1 to {MAX_NAMES} 'names': names of hosts, or addresses"));
        }
        if let Some(bad) = names.iter().find(|name| !is_name(name)) {
            return Some(format!("has the name {bad:?}, which is neither a name of a host nor an address"));
        }
        if self.request.is_some() && self.days.is_some() {
            return Some("has 'days' and a 'request': the authority says how long a certificate is valid".to_owned());
        }
        let days = self.valid_days();
        if days == 0 || days > MAX_DAYS {
            return Some(format!("has 'days' that are not between 1 and {MAX_DAYS}"));
        }
        let too_early = self.request.is_none() && self.renew_before.is_some_and(|before| before >= days);
        too_early.then(|| format!("has a 'renew_before' that is not less than its {days} days: it would always be due"))
    }
}

/// Whether it is an address, or a name of a host, which may begin with `*.`.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let host = name.strip_prefix("*.").unwrap_or(name);
    name.parse::<std::net::IpAddr>().is_ok() || (name.len() <= 253 && host.split('.').all(label))
}
