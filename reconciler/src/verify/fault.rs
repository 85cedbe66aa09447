//! Why a commit is refused.

mod hint;

use git2::Oid;
use muster_schema::document::Verb;

use super::policy::PolicyFault;

/// One reason to refuse a commit. Each has a stable [`code`](Self::code).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitFault {
    /// The new tip does not have the anchor among its ancestors.
    #[error("it does not descend from the last verified commit {anchor}")]
    NotDescendant {
        /// The last verified commit.
        anchor: Oid,
    },
    /// More commits than one step may bring.
    #[error("more than {limit} commits at once")]
    TooManyCommits {
        /// The limit.
        limit: usize,
    },
    /// The object is no commit, or its bytes are not what git writes.
    #[error("malformed commit object: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// A header that git does not write into commits that count here.
    #[error("commit header '{name}' is not allowed")]
    ForeignHeader {
        /// The header, cleaned for display.
        name: String,
    },
    /// More than one signature.
    #[error("more than one signature")]
    DoubleSignature,
    /// No signature.
    #[error("not signed")]
    Unsigned {
        /// Whether the commit is a merge.
        merge: bool,
    },
    /// The OpenPGP signature is not as git and gpg make it.
    #[error("the OpenPGP signature is malformed: {reason}")]
    MalformedOpenPgp {
        /// What is wrong.
        reason: &'static str,
    },
    /// An OpenPGP signature over a digest that is broken.
    #[error("the OpenPGP signature is over a {digest} digest, which does not count")]
    WeakDigest {
        /// The kind of digest, cleaned for display.
        digest: String,
    },
    /// An OpenPGP key that no certificate in `policy/openpgp/` holds.
    #[error("signed by the OpenPGP key {key}, which no certificate in policy/openpgp/ at {policy} holds")]
    UnknownOpenPgpKey {
        /// Fingerprint or id of the key, in hexadecimal.
        key: String,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// An OpenPGP key or its certificate had expired at receipt.
    #[error("the OpenPGP key {fingerprint} of {principal} has expired")]
    OpenPgpKeyExpired {
        /// Fingerprint of the key.
        fingerprint: String,
        /// Who it is listed for.
        principal: String,
    },
    /// An OpenPGP key or its certificate that is revoked, whenever it signed.
    #[error("the OpenPGP key {fingerprint} of {principal} is revoked")]
    OpenPgpKeyRevoked {
        /// Fingerprint of the key.
        fingerprint: String,
        /// Who it is listed for.
        principal: String,
    },
    /// An OpenPGP key that its certificate does not let sign, or that nothing binds to it.
    #[error("the OpenPGP key {fingerprint} of {principal} may not sign: {reason}")]
    OpenPgpKeyNotForSigning {
        /// Fingerprint of the key.
        fingerprint: String,
        /// Who it is listed for.
        principal: String,
        /// Why.
        reason: &'static str,
    },
    /// An OpenPGP signature that is dated before its key or more than a day ahead of receipt, or that has ended.
    #[error("the OpenPGP signature by {fingerprint} is of a time that does not count")]
    OpenPgpSignatureTime {
        /// Fingerprint of the key.
        fingerprint: String,
    },
    /// Neither SSH nor OpenPGP.
    #[error("the signature has an unknown format")]
    UnknownSignatureFormat,
    /// The SSH signature does not decode.
    #[error("the SSH signature is malformed")]
    MalformedSignature,
    /// A signature that was made for something else than git.
    #[error("the SSH signature was made for namespace '{namespace}'")]
    WrongNamespace {
        /// The namespace in the signature, cleaned for display.
        namespace: String,
    },
    /// A kind of key that does not count.
    #[error("keys of type {algorithm} do not count: {reason}")]
    KeyNotAccepted {
        /// The kind of key, cleaned for display.
        algorithm: String,
        /// Why.
        reason: &'static str,
    },
    /// A security key that was not touched.
    #[error("the security key {fingerprint} signed without a touch")]
    NoTouch {
        /// SHA-256 fingerprint of the key.
        fingerprint: String,
    },
    /// The signature does not fit the commit.
    #[error("the signature by {fingerprint} does not match the commit")]
    BadSignature {
        /// SHA-256 fingerprint of the key.
        fingerprint: String,
    },
    /// A key that `policy/allowed_signers` does not list for git.
    #[error("signed by {fingerprint}, which policy/allowed_signers at {policy} does not list")]
    UnknownSigner {
        /// SHA-256 fingerprint of the key.
        fingerprint: String,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// A listed key outside its time, judged at receipt.
    #[error("the key {fingerprint} of {principal} is not valid now")]
    SignerNotValidNow {
        /// SHA-256 fingerprint of the key.
        fingerprint: String,
        /// Who it is listed for.
        principal: String,
    },
    /// A key in `policy/revoked_signers`.
    #[error("the key {fingerprint} is revoked by policy/revoked_signers at {policy}")]
    RevokedSigner {
        /// SHA-256 fingerprint of the key.
        fingerprint: String,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// A change that no rule of `policy/access.yaml` lets its signer make.
    #[error("{who} may not {verb} {}{}, by policy/access.yaml at {policy}: {why}", shown_path(.path), more_paths(*.more))]
    NotAllowed {
        /// The signer's principals, cleaned for display.
        who: String,
        /// What was done.
        verb: Verb,
        /// Where, cleaned for display; empty for a commit that changes nothing.
        path: String,
        /// How many further paths are concerned.
        more: usize,
        /// How far the rules go.
        why: String,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// A change that would bring about something on hosts or in collections where no rule lets its signer.
    #[error("{who} may not {verb} what changes {}, by policy/access.yaml at {policy}: {bounds}", first_effects(.effects, *.more))]
    EffectNotAllowed {
        /// The principals of those who answer for it, cleaned for display.
        who: String,
        /// What was done.
        verb: Verb,
        /// What would change, in the words of people: `users/root on db-1`; the first few.
        effects: Vec<String>,
        /// How many further things.
        more: usize,
        /// The rules that come nearest, and their bounds.
        bounds: String,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// A change by somebody with bounds of which cannot be told what it brings about.
    #[error("{who} may change some hosts or collections only, and what this changes cannot be told: {why}")]
    EffectUnknown {
        /// The principals of those who answer for it, cleaned for display.
        who: String,
        /// The fault that it brings, or what else keeps it from being rendered.
        why: String,
    },
    /// A commit by a forge that is not the automatic merge of two parents.
    #[error("signed by the forge {who}, whose key counts on a clean merge alone, and {reason}")]
    ForgeNotCleanMerge {
        /// The forge's principals, cleaned for display.
        who: String,
        /// What else it is.
        reason: String,
    },
    /// A clean merge by a forge, where nobody who signed for all of it may merge it.
    #[error("a forge merged it, and neither {who}, who signed its newest commit, nor anybody who approved {merged} may merge {}{}, by policy/access.yaml at {policy}", shown_path(.path), more_paths(*.more))]
    ForgeMergeNotAllowed {
        /// Who signed the newest commit of the branch, cleaned for display.
        who: String,
        /// Where, cleaned for display; empty for a merge that changes nothing.
        path: String,
        /// How many further paths are concerned.
        more: usize,
        /// The commit that was merged.
        merged: Oid,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// Too few other people have approved the commit that was merged.
    #[error("'{path}' needs {needs} approvals by policy/access.yaml:{line} at {policy}, and {}{notes}", approvals_of(.merged.as_ref(), *.has))]
    ApprovalsMissing {
        /// A changed path, cleaned for display.
        path: String,
        /// How many are needed.
        needs: usize,
        /// How many count.
        has: usize,
        /// The line that asks for them.
        line: u32,
        /// The commit that was merged, if one was.
        merged: Option<Oid>,
        /// Which approvals do not count, and why.
        notes: String,
        /// The commit whose policy counts.
        policy: Oid,
    },
    /// The commit's own policy cannot be used for what comes after it.
    #[error(transparent)]
    Policy(#[from] PolicyFault),
    /// A submodule.
    #[error("'{path}' is a submodule")]
    Submodule {
        /// Where, cleaned for display.
        path: String,
    },
    /// A link that leads out of the repository.
    #[error("the link '{path}' leads out of the repository")]
    LinkLeavesTree {
        /// Where, cleaned for display.
        path: String,
    },
    /// A name that is unsafe as a path.
    #[error("'{path}' is not a safe path: {reason}")]
    UnsafePath {
        /// Where, cleaned for display.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// A file, folder, link or the whole tree above its bound.
    #[error("'{path}' is too large: more than {limit} {unit}")]
    TooLarge {
        /// Where, cleaned for display.
        path: String,
        /// The bound.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// An object that cannot be read. The only fault that may pass by itself.
    #[error("object {id} cannot be read")]
    Unreadable {
        /// The object.
        id: Oid,
        /// What git says.
        #[source]
        source: git2::Error,
    },
}

impl CommitFault {
    /// The stable code, fit as the reason of a condition.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotDescendant { .. } => "NotDescendant",
            Self::TooManyCommits { .. } => "TooManyCommits",
            Self::Malformed { .. } => "MalformedCommit",
            Self::ForeignHeader { .. } => "ForeignHeader",
            Self::DoubleSignature => "DoubleSignature",
            Self::Unsigned { .. } => "UnsignedCommit",
            Self::MalformedOpenPgp { .. } => "MalformedOpenPgp",
            Self::WeakDigest { .. } => "WeakDigest",
            Self::UnknownOpenPgpKey { .. } => "UnknownOpenPgpKey",
            Self::OpenPgpKeyExpired { .. } => "OpenPgpKeyExpired",
            Self::OpenPgpKeyRevoked { .. } => "OpenPgpKeyRevoked",
            Self::OpenPgpKeyNotForSigning { .. } => "OpenPgpKeyNotForSigning",
            Self::OpenPgpSignatureTime { .. } => "OpenPgpSignatureTime",
            Self::UnknownSignatureFormat => "UnknownSignatureFormat",
            Self::MalformedSignature => "MalformedSignature",
            Self::WrongNamespace { .. } => "WrongNamespace",
            Self::KeyNotAccepted { .. } => "KeyNotAccepted",
            Self::NoTouch { .. } => "NoTouch",
            Self::BadSignature { .. } => "BadSignature",
            Self::UnknownSigner { .. } => "UnknownSigner",
            Self::SignerNotValidNow { .. } => "SignerNotValidNow",
            Self::RevokedSigner { .. } => "RevokedSigner",
            Self::NotAllowed { .. } => "NotAllowed",
            Self::EffectNotAllowed { .. } => "EffectNotAllowed",
            Self::EffectUnknown { .. } => "EffectUnknown",
            Self::ForgeNotCleanMerge { .. } => "ForgeNotCleanMerge",
            Self::ForgeMergeNotAllowed { .. } => "ForgeMergeNotAllowed",
            Self::ApprovalsMissing { .. } => "ApprovalsMissing",
            Self::Policy(fault) => fault.code(),
            Self::Submodule { .. } => "Submodule",
            Self::LinkLeavesTree { .. } => "LinkLeavesTree",
            Self::UnsafePath { .. } => "UnsafePath",
            Self::TooLarge { .. } => "TooLarge",
            Self::Unreadable { .. } => "UnreadableObject",
        }
    }

    /// Whether the same commit may pass when it is tried again unchanged.
    pub fn may_pass_later(&self) -> bool {
        matches!(
            self,
            Self::Unreadable { .. }
                | Self::ForgeMergeNotAllowed { .. }
                | Self::ApprovalsMissing { merged: Some(_), .. }
        )
    }
}

fn approvals_of(merged: Option<&Oid>, has: usize) -> String {
    match merged {
        Some(merged) => format!("the merged commit {merged} has {has}"),
        None => "a commit that merges no branch can have none".to_owned(),
    }
}

fn shown_path(path: &str) -> String {
    if path.is_empty() { "anything".to_owned() } else { format!("'{path}'") }
}

fn more_paths(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(" (nor {more} more paths)"),
    }
}

fn first_effects(effects: &[String], unlisted: usize) -> String {
    let first = effects.first().map_or("anything", String::as_str);
    match effects.len().saturating_sub(1) + unlisted {
        0 => first.to_owned(),
        more => format!("{first} (nor {more} more)"),
    }
}
