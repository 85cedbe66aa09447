//! The state repository as data: documents with places, findings, layers. No I/O, no clock.

mod files;
mod finding;
mod hint;
mod node;
mod place;
mod shape;
mod yaml;

pub use files::{BlobError, BlobId, BlobSource, FileEntry, RepositoryFiles};
pub use finding::{Finding, Scope};
pub use hint::did_you_mean;
pub use node::{Entry, Map, Node, NodeValue, Text};
pub use place::Place;
pub use shape::{Shape, check::Templates};
pub use yaml::{MAX_DOCUMENT_BYTES, load_yaml};
