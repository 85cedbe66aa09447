//! What proves what a host was told and what it said: a folder of signed files, checked without a network.
//!
//! Each step adds to a [`Proof`] what is shown and by whom, and what is not shown. A file that does not hold, or that
//! nothing accounts for, is a fault: then nothing is proved. Reads the bundle's Git objects through git2 and nothing
//! else: no file, no clock.

mod bundle;
mod commits;
mod documents;
mod hand_checks;
mod proof;
mod record;
mod reports;

pub use bundle::{Attestation, AttestationType, Bundle, BundleReader, INDEX, MAX_INDEX_BYTES};
pub use commits::{CommitTerms, verify_render, verify_revision, verify_verbatim};
pub use documents::{Documents, choose_heads, verify_documents};
pub use hand_checks::{commit_files, key_files};
pub use proof::{AttestFault, Claim, Proof};
pub use record::{AUDIT, BUNDLE, STATUS, find_record, object_file, verify_record};
pub use reports::{choose_reports, load_reports};
