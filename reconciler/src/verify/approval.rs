//! Approvals: what somebody signs so that a change that others made may come onto the watched branch.
//!
//! An approval is a statement of one line of JSON, and an SSH signature of it (namespace
//! `muster-approval`), in one blob under `refs/muster/approvals/<commit>/<key>`. By hand:
//! `git cat-file blob REF | tee A | head -n1 >S; tail -n+2 A >S.sig; ssh-keygen -Y verify -n
//! muster-approval -f policy/allowed_signers -I PRINCIPAL -s S.sig <S`.

use git2::{ErrorCode, ObjectType, Oid, Repository};
use muster_schema::json::load_strict;
use muster_schema::{CommitId, FleetName};
use serde::{Deserialize, Serialize};
use ssh_key::HashAlg;
use ssh_key::public::KeyData;

use super::fault::CommitFault;
use super::policy::{APPROVAL_NAMESPACE, SigningPolicy};
use super::revision::{Signer, commit_id};
use super::signature::verify_signature;
use super::terms::Terms;

/// Where approvals are.
pub const APPROVAL_REFERENCES: &str = "refs/muster/approvals/";
/// Most bytes of an approval.
const MAX_BYTES: usize = 16 * 1024;

/// What an approver signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStatement {
    /// Always the same, so that no other document can be taken for one.
    pub r#type: ApprovalType,
    /// The fleet.
    pub fleet: FleetName,
    /// The watched branch in full.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The commit that may be merged into it.
    pub commit: CommitId,
}

/// The type of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalType {
    /// The only value.
    #[serde(rename = "approval")]
    Is,
}

impl ApprovalStatement {
    /// The statement that `commit` may be merged, under `terms`.
    pub fn new(commit: Oid, terms: &Terms<'_>) -> Self {
        ApprovalStatement {
            r#type: ApprovalType::Is,
            fleet: terms.fleet.clone(),
            reference: terms.reference.to_owned(),
            commit: commit_id(commit),
        }
    }

    /// The bytes that are signed: one line.
    ///
    /// # Errors
    /// Never for what [`ApprovalStatement::new`] makes.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// The reference of the approval of `commit` by `key`.
pub fn approval_reference(commit: Oid, key: &KeyData) -> String {
    let fingerprint = key.fingerprint(HashAlg::Sha256);
    let id: String = fingerprint.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{APPROVAL_REFERENCES}{commit}/{id}")
}

/// The commit whose approval is kept at this reference; none of what is no approval's name.
pub fn approved_commit(reference: &str) -> Option<Oid> {
    let (commit, key) = reference.strip_prefix(APPROVAL_REFERENCES)?.split_once('/')?;
    let is_id = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id(key) { commit.parse().ok() } else { None }
}

/// Why an approval does not count.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalFault {
    /// Not a blob of a statement and a signature.
    #[error("it is no signed statement")]
    Malformed,
    /// The signature does not count.
    #[error("{0}")]
    Signature(#[source] CommitFault),
    /// The key may not sign approvals.
    #[error("its key is not listed for the namespace {APPROVAL_NAMESPACE}")]
    NotForApprovals,
    /// It states something else.
    #[error("it is for another {0}")]
    Other(&'static str),
}

/// Verifies an approval: that a listed signer states that `commit` may be merged.
pub fn verify_approval(
    bytes: &[u8],
    commit: Oid,
    policy: &SigningPolicy,
    terms: &Terms<'_>,
) -> Result<Signer, ApprovalFault> {
    let end = bytes.iter().position(|&byte| byte == b'\n').filter(|_| bytes.len() <= MAX_BYTES);
    let (line, armoured) = bytes.split_at(end.ok_or(ApprovalFault::Malformed)? + 1);
    let signer =
        verify_signature(APPROVAL_NAMESPACE, line, armoured, policy, terms.receipt).map_err(|fault| match fault {
            CommitFault::UnknownSigner { .. } => ApprovalFault::NotForApprovals,
            fault => ApprovalFault::Signature(fault),
        })?;
    let stated: ApprovalStatement = load_strict(line, MAX_BYTES).map_err(|_| ApprovalFault::Malformed)?;
    let expected = ApprovalStatement::new(commit, terms);
    if stated.fleet != expected.fleet {
        return Err(ApprovalFault::Other("fleet"));
    }
    if stated.reference != expected.reference {
        return Err(ApprovalFault::Other("branch"));
    }
    if stated.commit != expected.commit {
        return Err(ApprovalFault::Other("commit"));
    }
    Ok(signer)
}

/// Who approves; or the fingerprint of the key whose approval does not count, and why.
pub(super) type Found = Result<Signer, (String, ApprovalFault)>;

/// The approvals of `commit` by listed keys: who approves, or by which key and why it does not count.
/// References of other keys are not looked at, however many there are.
pub(super) fn load_approvals(
    repo: &Repository,
    commit: Oid,
    policy: &SigningPolicy,
    terms: &Terms<'_>,
) -> Result<Vec<Found>, CommitFault> {
    let unreadable = |source| CommitFault::Unreadable { id: commit, source };
    let mut approvals = Vec::new();
    let mut keys: Vec<&KeyData> = Vec::new();
    for key in policy.allowed.iter().map(|line| &line.key) {
        if keys.contains(&key) {
            continue;
        }
        keys.push(key);
        let id = match repo.refname_to_id(&approval_reference(commit, key)) {
            Ok(id) => id,
            Err(error) if error.code() == ErrorCode::NotFound => continue,
            Err(source) => return Err(unreadable(source)),
        };
        let odb = repo.odb().map_err(unreadable)?;
        let verified = match odb.read_header(id) {
            Ok((size, ObjectType::Blob)) if size <= MAX_BYTES => {
                verify_approval(odb.read(id).map_err(unreadable)?.data(), commit, policy, terms)
            }
            _ => Err(ApprovalFault::Malformed),
        };
        approvals.push(verified.map_err(|fault| (key.fingerprint(HashAlg::Sha256).to_string(), fault)));
    }
    Ok(approvals)
}
