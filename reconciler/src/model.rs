//! The state repository as data: documents with places, findings, layers. No I/O, no clock.

mod application;
mod contents;
mod document;
mod exceptions;
mod extension;
mod extensions;
mod files;
mod finding;
mod fleet;
mod hint;
mod layer;
mod layout;
mod load;
mod merge;
mod node;
mod place;
mod resources;
mod scope;
mod secrets;
mod shape;
mod token;
mod yaml;

#[cfg(test)]
pub(crate) mod tests;

pub use application::{Application, Parameter};
pub use contents::{Content, ContentFault, Contents};
pub use extension::Extension;
pub use extensions::Extensions;
pub use files::{BlobError, BlobSource, FileEntry, RepositoryFiles};
pub use finding::{Finding, Scope};
pub use fleet::{Host, Model};
pub use hint::did_you_mean;
pub use layer::Layer;
pub(crate) use layout::TOP;
pub use load::{ModelCache, load_model};
pub use merge::{merge, without_nulls};
pub use muster_schema::BlobId;
pub use node::{Entry, Map, Node, NodeValue, Text, Unfit};
pub use place::Place;
pub use secrets::{RECIPIENTS_FILE, Secret, Secrets, Unreadable, ciphertext_path, recipients_path};
pub use shape::{Shape, check::Templates};
pub use token::{EnrolmentToken, LONGEST_TOKEN_LIFE, TokenHosts, token_path};
pub use yaml::{MAX_DOCUMENT_BYTES, load_yaml};

pub(crate) use exceptions::{attributes_of as exception_attributes, is_waiver, load_until, no_such_resource};
pub(crate) use merge::brief;
pub(crate) use node::entries_deserializer;
pub(crate) use resources::{attributes_shape, bad_id};
pub(crate) use scope::application_of;
