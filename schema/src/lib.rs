//! The data of muster and the laws on it.
//!
//! What the orchestrator and the agent have in common: addresses, resource
//! specifications, the signed documents of the published tree, messages and
//! reports. No I/O, no async, no clock; everything here is a value.

pub mod address;
pub mod api;
pub mod blob_id;
pub mod breakglass;
pub mod bus;
pub mod collection;
pub mod commit_id;
pub mod condition;
pub mod content;
pub mod culprit;
pub mod digest;
pub mod document;
mod document_type;
pub mod envelope;
pub mod extension_name;
pub mod facts;
pub mod fleet_api;
pub mod fleet_name;
mod from_text;
pub mod glob;
pub mod head;
pub mod host_id;
pub mod json;
pub mod key;
pub mod manifest;
pub mod message;
pub mod mode;
pub mod name;
pub mod receipt_code;
pub mod report;
pub mod resource;
pub mod root;
pub mod secret;
pub mod state;
pub mod timestamp;
pub mod token_secret;

pub use address::Address;
pub use blob_id::BlobId;
pub use collection::Collection;
pub use commit_id::CommitId;
pub use culprit::Culprit;
pub use digest::Sha256Digest;
pub use extension_name::ExtensionName;
pub use fleet_name::FleetName;
pub use host_id::HostId;
pub use key::{KeyId, PublicKey};
pub use receipt_code::ReceiptCode;
pub use timestamp::Timestamp;
pub use token_secret::TokenSecret;

/// The version of the manifest's schema that this build writes and reads.
pub const SCHEMA_VERSION: u32 = 1;
