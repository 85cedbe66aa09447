//! Bounds on what a pushed commit may bring. A state repository is text: all
//! of them are far above what a fleet of ten thousand hosts needs.

/// Most commits in one step from anchor to tip.
pub(super) const MAX_COMMITS: usize = 100_000;
/// Most bytes of one commit object; signature and message included.
pub(super) const MAX_COMMIT_BYTES: usize = 256 * 1024;
/// Most bytes of one tree object (about 100,000 entries).
pub(super) const MAX_TREE_BYTES: usize = 8 * 1024 * 1024;
/// Most bytes of one file.
pub(super) const MAX_BLOB_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes of a link's target (`PATH_MAX` of Linux).
pub(super) const MAX_LINK_BYTES: usize = 4096;
/// Most files and folders in one tree; stops trees that repeat
/// themselves into billions of paths.
pub(super) const MAX_FILES: u64 = 200_000;
/// Deepest folder.
pub(super) const MAX_DEPTH: usize = 32;
/// Most bytes of a policy file.
pub(super) const MAX_POLICY_BYTES: usize = 1024 * 1024;
/// Most OpenPGP certificates.
pub(super) const MAX_CERTIFICATES: usize = 1000;
/// Most faults listed in one rejection.
pub(super) const MAX_LISTED_FAULTS: usize = 50;
/// Smallest RSA key that counts.
pub(super) const MIN_RSA_BITS: usize = 2048;
