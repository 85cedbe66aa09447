//! Who may sign: the policy files of one commit.

use git2::{ObjectType, Oid, Repository};
use muster_schema::Timestamp;
use ssh_key::public::KeyData;

use super::allowed_signers::{AllowedSigner, parse_allowed_signers};
use super::display::display_text;
use super::limits::{MAX_CERTIFICATES, MAX_POLICY_BYTES};
use super::openpgp::{MAX_CERTIFICATE_BYTES, OpenPgpCertificate, parse_certificate};
use super::revoked_signers::parse_revoked_signers;
use crate::model::Finding;
use crate::policy::{ACCESS_POLICY, AccessPolicy, load_access_policy};

/// Path of the list of signers.
pub(super) const ALLOWED_SIGNERS: &str = "policy/allowed_signers";
/// Path of the list of revoked keys.
pub(super) const REVOKED_SIGNERS: &str = "policy/revoked_signers";
/// Folder of OpenPGP certificates.
const OPENPGP: &str = "policy/openpgp";
/// The namespace of signatures on commits.
pub(super) const GIT_NAMESPACE: &str = "git";
/// The namespace of approvals.
pub const APPROVAL_NAMESPACE: &str = "muster-approval";

/// The signers of one commit and what they may do, for the commits that follow it.
#[derive(Debug)]
pub struct SigningPolicy {
    /// The commit whose files these are.
    pub commit: Oid,
    /// The listed signers.
    pub allowed: Vec<AllowedSigner>,
    /// Keys that count no more.
    pub revoked: Vec<KeyData>,
    /// OpenPGP certificates, judged at the time of loading.
    pub openpgp: Vec<OpenPgpCertificate>,
    /// Who may change what.
    pub access: AccessPolicy,
}

impl SigningPolicy {
    /// Whether somebody of this name could sign at `time`, with whatever key.
    pub fn lists(&self, principal: &str, time: Timestamp) -> bool {
        let is_named = |line: &&AllowedSigner| line.principals.iter().any(|name| name == principal);
        self.allowed.iter().filter(is_named).any(|line| line.is_valid_at(time) && !self.revoked.contains(&line.key))
            || self.openpgp.iter().any(|certificate| certificate.principal == principal && certificate.may_sign())
    }

    /// Whether anyone at all could sign a commit at `time`.
    fn lets_anyone_sign(&self, time: Timestamp) -> bool {
        let mut by_ssh = self.allowed.iter().filter(|signer| {
            signer.covers_namespace(GIT_NAMESPACE) && signer.is_valid_at(time) && !self.revoked.contains(&signer.key)
        });
        by_ssh.next().is_some() || self.openpgp.iter().any(OpenPgpCertificate::may_sign)
    }
}

/// Why the policy files of a commit cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// A policy file is not there, or is no plain file.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: &'static str,
    },
    /// A policy file above its bound.
    #[error("{path} is larger than {MAX_POLICY_BYTES} bytes")]
    TooLarge {
        /// The file.
        path: &'static str,
    },
    /// Lines that cannot be used; one line would be enough to refuse.
    #[error("{path}:{}: {}{}", .lines.first().map_or(0, |l| l.0), .lines.first().map_or("", |l| l.1.as_str()), more_lines(.lines))]
    Malformed {
        /// The file.
        path: &'static str,
        /// Each faulty line's number, from 1, and what is wrong with it.
        lines: Vec<(usize, String)>,
    },
    /// A file in `policy/openpgp/` that is no certificate, or whose name names nobody.
    #[error("{path}: {reason}")]
    Certificate {
        /// The file, cleaned for display.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The policy leaves nobody who could ever sign the next commit, or change the policy again.
    #[error("{why}")]
    NobodyLeft {
        /// What is missing.
        why: String,
    },
    /// A policy file that cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: &'static str,
        /// What git says.
        #[source]
        source: git2::Error,
    },
}

impl PolicyFault {
    /// The stable code, fit as the reason of a condition.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "PolicyMissing",
            Self::TooLarge { .. } => "PolicyTooLarge",
            Self::Malformed { .. } => "PolicyMalformed",
            Self::Certificate { .. } => "PolicyCertificate",
            Self::NobodyLeft { .. } => "PolicyNobodyLeft",
            Self::Unreadable { .. } => "PolicyUnreadable",
        }
    }

    /// What the author can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { path: ACCESS_POLICY } => Some(
                "add it, at the least: `rules: [{who: [YOUR_PRINCIPAL], may: [all]}]`, with the principal of your key in policy/allowed_signers",
            ),
            Self::Missing { .. } => {
                Some("policy/allowed_signers and policy/revoked_signers (it may be empty) must be in every commit")
            }
            Self::Malformed { path: ACCESS_POLICY, .. } => Some("`muster validate` lists all faults of the file"),
            Self::Malformed { .. } => {
                Some("each line is `principals [options] keytype key`; see ALLOWED SIGNERS in ssh-keygen(1)")
            }
            Self::NobodyLeft { .. } => Some(
                "a rule grants it to somebody whose key is listed and valid; keys approve when their line has no namespaces, or \"git,muster-approval\"",
            ),
            Self::Certificate { .. } => Some(
                "policy/openpgp/<principal>.asc holds one certificate: `gpg --armor --export --export-options export-minimal KEY`",
            ),
            _ => None,
        }
    }
}

fn more_lines(lines: &[(usize, String)]) -> String {
    match lines.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more faulty lines)"),
    }
}

/// Loads the policy files of `commit` (with root tree `tree`), refusing what
/// would leave the next commit without a usable policy at `time`.
pub fn load_signing_policy(
    repo: &Repository,
    commit: Oid,
    tree: Oid,
    time: Timestamp,
) -> Result<SigningPolicy, PolicyFault> {
    let allowed_bytes = read_policy_file(repo, tree, ALLOWED_SIGNERS)?;
    let revoked_bytes = read_policy_file(repo, tree, REVOKED_SIGNERS)?;

    let allowed_text = std::str::from_utf8(&allowed_bytes)
        .map_err(|_| PolicyFault::Malformed { path: ALLOWED_SIGNERS, lines: vec![(1, "not UTF-8".into())] })?;
    let (allowed, lines) = parse_allowed_signers(allowed_text);
    if !lines.is_empty() {
        return Err(PolicyFault::Malformed { path: ALLOWED_SIGNERS, lines });
    }
    let (revoked, lines) = parse_revoked_signers(&revoked_bytes);
    if !lines.is_empty() {
        return Err(PolicyFault::Malformed { path: REVOKED_SIGNERS, lines });
    }
    let access_bytes = read_policy_file(repo, tree, ACCESS_POLICY)?;
    let access = load_access_policy(&ACCESS_POLICY.into(), &access_bytes)
        .map_err(|found| PolicyFault::Malformed { path: ACCESS_POLICY, lines: found.iter().map(line_of).collect() })?;
    let openpgp = load_certificates(repo, tree, time)?;
    let policy = SigningPolicy { commit, allowed, revoked, openpgp, access };
    if policy.lets_anyone_sign(time) {
        Ok(policy)
    } else {
        Err(PolicyFault::NobodyLeft { why: format!("{ALLOWED_SIGNERS} and {OPENPGP}/ leave nobody who may sign") })
    }
}

fn line_of(finding: &Finding) -> (usize, String) {
    let hint = finding.hint.as_ref().map_or_else(String::new, |hint| format!(", {hint}"));
    (finding.place.line as usize, format!("{}{hint}", finding.reason))
}

/// Object and mode of the policy files, and of the folder that may not be there.
pub(super) type PolicyBlobs = ([(Oid, i32); 3], Option<(Oid, i32)>);

/// The blobs that make up a tree's policy, to notice that nothing changed.
pub(super) fn policy_blobs(repo: &Repository, tree: Oid) -> Option<PolicyBlobs> {
    let tree = repo.find_tree(tree).ok()?;
    let blob = |path: &str| tree.get_path(path.as_ref()).ok().map(|entry| (entry.id(), entry.filemode_raw()));
    Some(([blob(ALLOWED_SIGNERS)?, blob(REVOKED_SIGNERS)?, blob(ACCESS_POLICY)?], blob(OPENPGP)))
}

fn read_policy_file(repo: &Repository, tree: Oid, path: &'static str) -> Result<Vec<u8>, PolicyFault> {
    let unreadable = |source| PolicyFault::Unreadable { path, source };
    let tree = repo.find_tree(tree).map_err(unreadable)?;
    let entry = match tree.get_path(path.as_ref()) {
        Ok(entry) => entry,
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Err(PolicyFault::Missing { path }),
        Err(error) => return Err(unreadable(error)),
    };
    // A link or a folder in its place is no policy.
    if entry.kind() != Some(ObjectType::Blob) || !matches!(entry.filemode_raw(), 0o100_644 | 0o100_755) {
        return Err(PolicyFault::Missing { path });
    }
    let odb = repo.odb().map_err(unreadable)?;
    let (size, _) = odb.read_header(entry.id()).map_err(unreadable)?;
    if size > MAX_POLICY_BYTES {
        return Err(PolicyFault::TooLarge { path });
    }
    Ok(odb.read(entry.id()).map_err(unreadable)?.data().to_vec())
}

/// Loads all certificates. A folder that is not there holds none; a file that
/// is no certificate is a fault, and so is a key that two files claim.
fn load_certificates(repo: &Repository, tree: Oid, time: Timestamp) -> Result<Vec<OpenPgpCertificate>, PolicyFault> {
    let unreadable = |source| PolicyFault::Unreadable { path: OPENPGP, source };
    let root = repo.find_tree(tree).map_err(unreadable)?;
    let folder = match root.get_path(OPENPGP.as_ref()) {
        Ok(entry) if entry.kind() == Some(ObjectType::Tree) => repo.find_tree(entry.id()).map_err(unreadable)?,
        Ok(_) => return Err(PolicyFault::Certificate { path: OPENPGP.to_owned(), reason: "it is no folder" }),
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let odb = repo.odb().map_err(unreadable)?;
    let mut certificates: Vec<OpenPgpCertificate> = Vec::new();
    for entry in &folder {
        let path = display_text(&[OPENPGP.as_bytes(), b"/", entry.name_bytes()].concat());
        let refuse = |reason| PolicyFault::Certificate { path: path.clone(), reason };
        let principal = entry.name().ok().and_then(|name| name.strip_suffix(".asc")).unwrap_or_default();
        if principal.is_empty()
            || principal.contains(|c: char| c.is_control() || c.is_whitespace() || ",*?!\"".contains(c))
        {
            return Err(refuse("its name is not <principal>.asc"));
        }
        if entry.kind() != Some(ObjectType::Blob) || !matches!(entry.filemode_raw(), 0o100_644 | 0o100_755) {
            return Err(refuse("it is no plain file"));
        }
        if certificates.len() == MAX_CERTIFICATES {
            return Err(refuse("there are too many certificates"));
        }
        if odb.read_header(entry.id()).map_err(unreadable)?.0 > MAX_CERTIFICATE_BYTES {
            return Err(refuse("it is too large"));
        }
        let text = odb.read(entry.id()).map_err(unreadable)?;
        let certificate = parse_certificate(principal, text.data(), time).map_err(refuse)?;
        if certificates.iter().any(|other| other.fingerprint == certificate.fingerprint) {
            return Err(refuse("another file holds the same certificate"));
        }
        certificates.push(certificate);
    }
    Ok(certificates)
}
