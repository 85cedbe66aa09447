//! What a key of a role may sign. Pure.
//!
//! A signer that goes by this cannot be made to sign for another role: a
//! document is of exactly one type, and is read strictly.

use muster_schema::FleetName;
use muster_schema::head::{Head, MAX_HEAD_BYTES, MAX_HEAD_LIFE};
use muster_schema::json::load_strict;
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::message::{MAX_MESSAGE_BYTES, Message, Party};
use muster_schema::root::RoleName;

#[cfg(test)]
mod tests;

/// Why bytes are not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// The role signs nothing here.
    #[error("role {0} signs nothing for a program")]
    Role(RoleName),
    /// Not a document that keys of the role sign.
    #[error("role {0} does not sign this: it is no {1}")]
    OtherDocument(RoleName, &'static str),
    /// Of another fleet.
    #[error("it is of fleet {0}")]
    OtherFleet(FleetName),
    /// A head that agents would refuse.
    #[error("the head is valid for more than a day")]
    HeadLife,
    /// A message that the orchestrator does not send.
    #[error("the message is not from the orchestrator")]
    Sender,
}

/// Checks that a key of `role` may sign `bytes`: `render` manifests, `fresh` heads and the orchestrator's messages.
///
/// # Errors
/// Otherwise, with the reason.
pub fn check_signable(role: RoleName, fleet: &FleetName, bytes: &[u8]) -> Result<(), Unsignable> {
    let found = match role {
        // A witness signs on a machine of its own what it rendered itself.
        RoleName::Root | RoleName::Witness | RoleName::BreakGlass => return Err(Unsignable::Role(role)),
        RoleName::Render => {
            let manifest = load_strict::<Manifest>(bytes, MAX_MANIFEST_BYTES);
            manifest.map_err(|_| Unsignable::OtherDocument(role, "manifest"))?.fleet
        }
        RoleName::Fresh => match load_strict::<Head>(bytes, MAX_HEAD_BYTES) {
            Ok(head) if head.expires > head.issued.plus(MAX_HEAD_LIFE) => return Err(Unsignable::HeadLife),
            Ok(head) => head.fleet,
            Err(_) => {
                let message = bytes.len() <= MAX_MESSAGE_BYTES;
                let message = message.then(|| Message::load(bytes).ok()).flatten();
                let message = message.ok_or(Unsignable::OtherDocument(role, "head and no message"))?;
                if message.from != Party::Orchestrator {
                    return Err(Unsignable::Sender);
                }
                message.fleet
            }
        },
    };
    if found == *fleet { Ok(()) } else { Err(Unsignable::OtherFleet(found)) }
}
