//! Keyrings that a package manager has for all its repositories.

use crate::host::Program;
use crate::provider::package::package_program;
use std::time::Duration;

/// Where keys are to be known, beside their files. What is in it counts for every repository of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyring {
    /// That of rpm: each key is a package named by the last eight digits of its fingerprint.
    Rpm,
    /// That of pacman: a key is added, and then signed, which makes it trusted.
    Pacman,
}

impl Keyring {
    /// Succeeds when the key is known.
    pub fn look_program(self, fingerprint: &str, timeout: Duration) -> Program {
        match self {
            Keyring::Rpm => program(["rpm", "--query", &package_of(fingerprint)], timeout),
            Keyring::Pacman => program(["pacman-key", "--list-keys", fingerprint], timeout),
        }
    }

    /// Makes the keys of a file known and trusted.
    pub fn add_programs(self, path: &str, fingerprints: &[String], timeout: Duration) -> Vec<Program> {
        match self {
            Keyring::Rpm => vec![program(["rpm", "--import", path], timeout)],
            Keyring::Pacman => {
                let add = program(["pacman-key", "--add", path], timeout);
                let sign = |fingerprint: &String| program(["pacman-key", "--lsign-key", fingerprint], timeout);
                std::iter::once(add).chain(fingerprints.iter().map(sign)).collect()
            }
        }
    }

    /// Makes a key unknown.
    pub fn remove_program(self, fingerprint: &str, timeout: Duration) -> Program {
        match self {
            Keyring::Rpm => program(["rpm", "--erase", "--allmatches", &package_of(fingerprint)], timeout),
            Keyring::Pacman => program(["pacman-key", "--delete", fingerprint], timeout),
        }
    }
}

fn program<const N: usize>(argv: [&str; N], timeout: Duration) -> Program {
    package_program(argv.map(str::to_owned), timeout)
}

fn package_of(fingerprint: &str) -> String {
    let start = fingerprint.len().saturating_sub(8);
    format!("gpg-pubkey-{}", fingerprint.get(start..).unwrap_or_default().to_ascii_lowercase())
}
