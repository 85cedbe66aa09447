//! What the agent believes: root, head, manifest and blobs, in the order of checks that the protocol sets. Pure.
//!
//! Signatures are checked before anything is parsed. Each `Verified*` is made by what checks all of it and by nothing else.

mod head;
mod manifest;
mod reject;
mod resources;

pub use head::{Authority, BreakGlassContext, HeadContext, Marks, VerifiedHead, verify_breakglass_head, verify_head};
pub use manifest::{VerifiedManifest, verify_blob, verify_manifest};
pub use reject::{Reject, RejectCode};
pub use resources::check_resources;
