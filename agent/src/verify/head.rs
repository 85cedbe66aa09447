//! Heads.

use super::{Reject, RejectCode};
use muster_schema::envelope::Signature;
use muster_schema::head::{Head, MAX_HEAD_BYTES, MAX_HEAD_LIFE};
use muster_schema::manifest::HostIdentity;
use muster_schema::root::{RoleName, Root, check_signed};
use muster_schema::{PublicKey, Sha256Digest, Timestamp, json};
use serde::{Deserialize, Serialize};

mod breakglass;

pub use breakglass::{BreakGlassContext, verify_breakglass_head};

/// What was accepted last. Nothing older is accepted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The epoch of the accepted head.
    pub epoch: u64,
    /// Its serial.
    pub serial: u64,
    /// When it was signed.
    pub issued: Timestamp,
    /// The manifest that it names.
    pub manifest: Sha256Digest,
}

/// What a head is checked against.
#[derive(Debug, Clone, Copy)]
pub struct HeadContext<'a> {
    /// The newest verified root.
    pub root: &'a Root,
    /// This host.
    pub host: &'a HostIdentity,
    /// What was accepted last; none at first.
    pub marks: Option<&'a Marks>,
    /// The later of the system's clock and the last trusted time.
    pub now: Timestamp,
    /// What the head was asked for with. A head that holds it is new, whatever our clock says.
    pub nonce: Option<&'a str>,
}

/// On whose word a head stands, and so its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// `fresh` signed the head; `render`, and witnesses where they are demanded, are to have signed the manifest.
    Orchestrator,
    /// These keys of `breakglass` signed the head; as many of them as must are to have signed the manifest.
    BreakGlass(Vec<PublicKey>),
}

/// A head that may be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedHead {
    head: Head,
    marks: Marks,
    authority: Authority,
}

impl VerifiedHead {
    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// On whose word it stands.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What to remember once it is followed.
    pub fn marks(&self) -> Marks {
        self.marks
    }
}

/// Checks a head: size, signature, then what it says.
///
/// # Errors
/// With the code of the first check that failed.
pub fn verify_head(bytes: &[u8], signatures: &[Signature], context: HeadContext<'_>) -> Result<VerifiedHead, Reject> {
    let (head, _) = load_signed(RoleName::Fresh, bytes, signatures, context.root, context.host)?;
    if head.expires > head.issued.plus(MAX_HEAD_LIFE) {
        return Err(Reject::new(RejectCode::HeadLifeTooLong, "it is valid for more than a day"));
    }
    let marks = marks_of(&head);
    check_not_older(&marks, context)?;
    match (context.nonce, &head.nonce) {
        (Some(asked), Some(held)) if asked == held => {}
        (Some(_), _) => return Err(Reject::new(RejectCode::HeadNonce, "it does not hold our nonce")),
        (None, _) if head.expires <= context.now => {
            return Err(Reject::new(RejectCode::HeadExpired, "it has expired"));
        }
        (None, _) => {}
    }
    Ok(VerifiedHead { head, marks, authority: Authority::Orchestrator })
}

/// A head that enough keys of `role` signed, for this host of this fleet: size, signature, and only then its fields.
/// With the keys that did.
fn load_signed(
    role: RoleName,
    bytes: &[u8],
    signatures: &[Signature],
    root: &Root,
    host: &HostIdentity,
) -> Result<(Head, Vec<PublicKey>), Reject> {
    if bytes.len() > MAX_HEAD_BYTES {
        return Err(Reject::new(RejectCode::HeadTooLarge, format_args!("{} bytes", bytes.len())));
    }
    let signers = check_signed(role.as_str(), root.roles.get(role), bytes, signatures)
        .map_err(|error| Reject::new(RejectCode::HeadSignature, error))?;
    let head: Head = json::load_strict(bytes, MAX_HEAD_BYTES)
        .map_err(|error| Reject::new(RejectCode::HeadMalformed, chain(&error)))?;
    if head.fleet != root.fleet {
        return Err(Reject::new(RejectCode::HeadOtherFleet, format_args!("it is of fleet {}", head.fleet)));
    }
    if head.host != *host {
        return Err(Reject::new(RejectCode::HeadOtherHost, format_args!("it is for {}", head.host.id)));
    }
    Ok((head, signers))
}

fn marks_of(head: &Head) -> Marks {
    Marks { epoch: head.epoch, serial: head.serial, issued: head.issued, manifest: head.manifest }
}

fn check_not_older(found: &Marks, context: HeadContext<'_>) -> Result<(), Reject> {
    if found.epoch < context.root.epoch {
        return Err(Reject::new(
            RejectCode::HeadOlder,
            format_args!("its epoch is {}, the root's {}", found.epoch, context.root.epoch),
        ));
    }
    let Some(marks) = context.marks else { return Ok(()) };
    if (found.epoch, found.serial, found.issued) < (marks.epoch, marks.serial, marks.issued) {
        return Err(Reject::new(
            RejectCode::HeadOlder,
            format_args!(
                "serial {} of epoch {} is behind {} of {}",
                found.serial, found.epoch, marks.serial, marks.epoch
            ),
        ));
    }
    if (found.epoch, found.serial) == (marks.epoch, marks.serial) && found.manifest != marks.manifest {
        return Err(Reject::new(
            RejectCode::HeadSerialConflict,
            format_args!("serial {} was given to two manifests", found.serial),
        ));
    }
    Ok(())
}

/// An error with its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
