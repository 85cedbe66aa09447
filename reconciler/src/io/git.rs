//! Git at the edge: repositories, watching, fetching, and commits of our own.
//!
//! Objects are read and written in-process by libgit2, with fsync. Remotes are
//! reached through the installed `git`, so that people's ssh and credential
//! set-up works. Nothing here checks a work tree out to read it.

mod approval;
mod bundle_file;
mod error;
mod facts_branch;
mod fsync;
mod line_origin;
mod operator;
mod program;
mod remote_url;
mod repository;
mod secret_history;
mod signed_commit;
mod signed_merge;
mod signing_program;
mod status_branch;
mod status_history;
mod tree_edit;
mod watch;

pub use approval::store_approval;
pub use bundle_file::{pack_bundle, unpack_bundle};
pub use error::GitError;
pub use facts_branch::load_facts_branch;
pub use line_origin::{CommitOrigin, Origins, read_origin};
pub use operator::{load_operator, load_signer, load_signing_key};
pub use program::{fetch_remote, list_remote, push_refs};
pub use remote_url::{BadRemoteUrl, RemoteUrl};
pub use repository::{init_bare_repository, list_references, open_repository, read_tip};
pub use secret_history::SecretHistory;
pub use signed_commit::{CommitAuthor, CommitSigner, commit_signed};
pub use signed_merge::{advance_branch, store_merge};
pub use signing_program::{GpgSigner, OperatorSigner, SshKeygenSigner};
pub use status_branch::{StatusBranch, StatusTree, load_status_tree, load_status_tree_at};
pub use status_history::{StatusHistory, load_status_history, walk_status_history};
pub use watch::{BranchWatch, StateSource, wait_for_change};

#[cfg(test)]
mod tests;
