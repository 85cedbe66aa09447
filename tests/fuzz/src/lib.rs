//! Fuzz targets: every parser that takes bytes from outside, each as a function of bytes.
//!
//! A target panics when a law does not hold. `make fuzz` runs them under libFuzzer, with bounds on time and memory
//! (`main.rs`); a test of this crate replays the samples in `corpus/<target>/`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod git;
mod host;
mod memory_host;
mod memory_repository;
mod own_files;
mod repository;
mod secret;
mod signed;
mod words;

/// A parser, under the name of its folder of samples.
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Parses the bytes, and checks the laws that hold for what came out.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    // What the wire and the published tree carry.
    Target { name: "envelope", run: signed::envelope },
    Target { name: "facts", run: signed::facts },
    Target { name: "frame", run: signed::frame },
    Target { name: "head", run: signed::head },
    Target { name: "json", run: signed::json },
    Target { name: "manifest", run: signed::manifest },
    Target { name: "message", run: signed::message },
    Target { name: "published_path", run: words::published_path },
    Target { name: "report", run: signed::report },
    Target { name: "root", run: signed::root },
    Target { name: "secret", run: secret::secret },
    Target { name: "words", run: words::words },
    // What people write.
    Target { name: "host_file", run: repository::host_file },
    Target { name: "repository", run: repository::repository },
    Target { name: "selector", run: words::selector },
    Target { name: "template", run: repository::template },
    Target { name: "yaml", run: repository::yaml },
    // What Git holds.
    Target { name: "access_policy", run: git::access_policy },
    Target { name: "approval", run: git::approval },
    Target { name: "commit", run: git::commit },
    Target { name: "openpgp", run: git::openpgp },
    Target { name: "signers", run: git::signers },
    Target { name: "status_branch", run: git::status_branch },
    Target { name: "tree", run: git::tree },
    // What stands on a managed host.
    Target { name: "accounts", run: host::accounts },
    Target { name: "dpkg", run: host::dpkg },
    Target { name: "host_facts", run: host::host_facts },
    Target { name: "host_words", run: host::host_words },
    // What the two programs keep for themselves.
    Target { name: "agent_settings", run: own_files::agent_settings },
    Target { name: "inbox", run: own_files::inbox },
    Target { name: "ledger", run: own_files::ledger },
    Target { name: "records", run: own_files::records },
    Target { name: "signing_key", run: own_files::signing_key },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
