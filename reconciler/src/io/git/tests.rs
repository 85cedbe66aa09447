#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod remotes;
mod signed_commits;
mod status_commits;
mod watching;
