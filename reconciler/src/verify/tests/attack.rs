//! Attacks by commits: each is refused for one stable code, and names its commit.

mod commits;
mod rules;
mod trees;
