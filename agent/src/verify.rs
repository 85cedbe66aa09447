//! What the agent believes: root, head, manifest and blobs, in the order of checks that the protocol sets. Pure.
//!
//! Signatures are checked before anything is parsed. Each `Verified*` has one constructor, which checks all.

mod head;
mod manifest;
mod reject;
mod resources;

pub use head::{HeadContext, Marks, VerifiedHead, verify_head};
pub use manifest::{VerifiedManifest, verify_blob, verify_manifest};
pub use reject::{Reject, RejectCode};
pub use resources::check_resources;
