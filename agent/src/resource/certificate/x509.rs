//! Keys, certificates (RFC 5280) and requests (PKCS#10, RFC 2986), made and judged. Pure.

use muster_schema::resource::{CertificateSpec, KeyType};
use muster_schema::{Sha256Digest, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PublicKeyData,
    SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const DAY_SECONDS: i64 = 24 * 60 * 60;
const MAX_COMMON_NAME: usize = 64;

/// Why a certificate is not as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A new one helps.
    Unfit(String),
    /// It fits still, and it is time for a new one.
    Due(String),
    /// It is not the time to judge it.
    Waits(String),
}

/// What of a certificate is to be known.
pub(super) struct Found {
    /// Whose key it is for, in DER.
    spki: Vec<u8>,
    names: BTreeSet<String>,
    not_before: i64,
    not_after: i64,
    /// Whether its issuer is its subject.
    pub(super) is_self_signed: bool,
}

/// Reads a key in PEM and PKCS#8. The error says nothing of its content.
pub(super) fn load_key(pem: &str) -> Result<KeyPair, String> {
    KeyPair::from_pem(pem).map_err(|_| {
        "is no private key in the form PKCS#8 without a passphrase; openssl pkcs8 -topk8 -nocrypt makes one of others"
            .to_owned()
    })
}

/// What kind a key is, as `key_type` has it.
pub(super) fn kind_of(key: &KeyPair) -> &'static str {
    let algorithm = key.algorithm();
    if *algorithm == rcgen::PKCS_ED25519 {
        "ed25519"
    } else if *algorithm == rcgen::PKCS_ECDSA_P256_SHA256 {
        "ecdsa_p256"
    } else if *algorithm == rcgen::PKCS_ECDSA_P384_SHA384 {
        "ecdsa_p384"
    } else {
        "rsa"
    }
}

/// The name of a kind of keys.
pub(super) fn name_of(kind: KeyType) -> &'static str {
    match kind {
        KeyType::EcdsaP256 => "ecdsa_p256",
        KeyType::EcdsaP384 => "ecdsa_p384",
        KeyType::Ed25519 => "ed25519",
    }
}

/// A key by its kind and the digest of its public half.
pub(super) fn describe_key(key: &KeyPair) -> String {
    format!("{} {}", kind_of(key), Sha256Digest::of(&key.subject_public_key_info()))
}

/// Makes a key.
pub(super) fn make_key(kind: KeyType) -> Result<KeyPair, String> {
    let algorithm: &'static SignatureAlgorithm = match kind {
        KeyType::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        KeyType::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        KeyType::Ed25519 => &rcgen::PKCS_ED25519,
    };
    KeyPair::generate_for(algorithm).map_err(|error| error.to_string())
}

/// Makes a self-signed certificate, in PEM.
pub(super) fn make_certificate(
    spec: &CertificateSpec,
    key: &KeyPair,
    now: Timestamp,
    serial: [u8; 16],
) -> Result<String, String> {
    let mut params = params_of(spec)?;
    let begin = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.0 / 1000);
    params.not_before = begin;
    params.not_after = begin + Duration::from_millis(u64::from(spec.valid_days()) * DAY_MS);
    // A positive number: RFC 5280, 4.1.2.2.
    let mut serial = serial;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.self_signed(key).map(|certificate| certificate.pem()).map_err(|error| error.to_string())
}

/// Makes a request for a certificate, in PEM.
pub(super) fn make_request(spec: &CertificateSpec, key: &KeyPair) -> Result<String, String> {
    let request = params_of(spec)?.serialize_request(key).map_err(|error| error.to_string())?;
    request.pem().map_err(|error| error.to_string())
}

fn params_of(spec: &CertificateSpec) -> Result<CertificateParams, String> {
    let names = spec.names.clone().unwrap_or_default();
    let mut subject = DistinguishedName::new();
    // X.520 has no room for a longer one; the alternative names hold it.
    if let Some(first) = names.iter().find(|name| name.len() <= MAX_COMMON_NAME) {
        subject.push(DnType::CommonName, first.as_str());
    }
    let mut params = CertificateParams::new(names).map_err(|error| error.to_string())?;
    params.distinguished_name = subject;
    Ok(params)
}

/// Reads a certificate in PEM: the first, where a chain follows.
pub(super) fn load_certificate(pem: &str) -> Option<Found> {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names_of(&names.value.general_names)).unwrap_or_default();
    Some(Found {
        spki: certificate.public_key().raw.to_vec(),
        names,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        is_self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
    })
}

/// What is wrong with a certificate, if anything.
pub(super) fn judge_certificate(spec: &CertificateSpec, key: &KeyPair, found: &Found, now: Timestamp) -> Option<Fault> {
    if found.spki != key.subject_public_key_info() {
        return Some(Fault::Unfit("it is for another key".to_owned()));
    }
    if found.names != wanted_names(spec) {
        let names: Vec<&str> = found.names.iter().map(String::as_str).collect();
        return Some(Fault::Unfit(format!("it is for the names [{}]", names.join(", "))));
    }
    let now = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX);
    if now < found.not_before {
        return Some(Fault::Waits(format!("it is valid from {} on, by this host's clock", time(found.not_before))));
    }
    let end = time(found.not_after);
    if now >= found.not_after {
        return Some(Fault::Unfit(format!("it ended at {end}")));
    }
    let long = found.not_after - found.not_before;
    let differs = |days: u32| (long - i64::from(days) * DAY_SECONDS).abs() > 60;
    if let Some(days) = spec.days.filter(|days| found.is_self_signed && differs(*days)) {
        return Some(Fault::Unfit(format!("it is not valid for {days} days")));
    }
    (now >= renewal_of(spec, found)).then(|| Fault::Due(format!("it ends at {end}")))
}

/// From when on a new one is due, in seconds.
fn renewal_of(spec: &CertificateSpec, found: &Found) -> i64 {
    let third = (found.not_after - found.not_before) / 3;
    found.not_after - spec.renew_before.map_or(third, |days| i64::from(days) * DAY_SECONDS)
}

/// When a certificate is judged otherwise than at `now`.
pub(super) fn next_change(spec: &CertificateSpec, found: &Found, now: Timestamp) -> Option<Timestamp> {
    let times = [found.not_before, renewal_of(spec, found), found.not_after];
    let times = times.into_iter().filter_map(|seconds| u64::try_from(seconds).ok()?.checked_mul(1000).map(Timestamp));
    times.filter(|time| *time > now).min()
}

/// Whether a request in PEM is for this key and these names.
pub(super) fn is_request_for(pem: &str, spec: &CertificateSpec, key: &KeyPair) -> bool {
    let Ok((_, pem)) = parse_x509_pem(pem.as_bytes()) else { return false };
    let Ok((_, request)) = X509CertificationRequest::from_der(&pem.contents) else { return false };
    let mut names = BTreeSet::new();
    for extension in request.requested_extensions().into_iter().flatten() {
        if let ParsedExtension::SubjectAlternativeName(found) = extension {
            names = names_of(&found.general_names);
        }
    }
    request.certification_request_info.subject_pki.raw == key.subject_public_key_info() && names == wanted_names(spec)
}

fn wanted_names(spec: &CertificateSpec) -> BTreeSet<String> {
    let plain = |name: &String| name.parse::<IpAddr>().map_or_else(|_| name.clone(), |address| address.to_string());
    spec.names.iter().flatten().map(plain).collect()
}

fn names_of(names: &[GeneralName<'_>]) -> BTreeSet<String> {
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => name.to_ascii_lowercase(),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let any = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            any.map_or_else(|_| "a broken address".to_owned(), |address| address.to_string())
        }
        other => format!("{other:?}"),
    };
    names.iter().map(text).collect()
}

fn time(seconds: i64) -> String {
    Timestamp(u64::try_from(seconds).unwrap_or_default().saturating_mul(1000)).to_string()
}
