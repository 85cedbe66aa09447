//! The files of a commit, as the host's own git gives them.
//!
//! A repository of the run's own takes what is fetched, and is gone afterwards. Neither the configuration of the host or
//! of a user nor hooks have a say in it.

use super::transfer::MAX_BYTES;
use super::unpacked::Unpacked;
use super::{Hands, ResourceError};
use crate::host::{HostError, Program, open_scratch, scratch_folder, shown_url};
use muster_schema::Collection;
use muster_schema::resource::CheckoutSpec;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(600);
/// Digits of a commit's id in repositories that count by SHA-256.
const SHA256_DIGITS: usize = 64;
/// The tar's name in the repository's folder.
const TREE: &str = "tree.tar";
/// What replaces questions and settings of others; see git(1), "ENVIRONMENT VARIABLES".
const ENVIRONMENT: [(&str, &str); 5] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ALLOW_PROTOCOL", "https:http:ssh:file"),
    ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes"),
];

impl Unpacked for CheckoutSpec {
    const COLLECTION: Collection = Collection::Checkouts;
    const WHOLE: &str = "revision";

    fn identity(&self) -> String {
        self.revision.clone().unwrap_or_default()
    }

    fn ownership(&self) -> (&Option<String>, &Option<String>) {
        (&self.owner, &self.group)
    }

    fn max_entries(&self) -> Option<u32> {
        self.max_entries
    }

    fn open_tar(&self, hands: &Hands<'_>) -> Result<File, ResourceError> {
        let (url, revision) = (self.url.as_deref().unwrap_or_default(), self.identity());
        let folder = scratch_folder().map_err(|error| failed(&error))?;
        let git = Git { repository: folder.path(), hands };
        let format = if revision.len() == SHA256_DIGITS { "sha256" } else { "sha1" };
        git.run(["init", "--quiet", &format!("--object-format={format}")])?;
        git.fetch(url, &revision)?;
        let output = format!("--output={}", folder.path().join(TREE).display());
        git.run(["-c", "tar.umask=0022", "archive", "--format=tar", &output, &revision])?;
        let tar = open_scratch(&folder, TREE).map_err(|error| failed(&error))?;
        let most = self.max_bytes.unwrap_or(MAX_BYTES);
        if tar.metadata().map_err(|error| failed(&error))?.len() > most {
            return Err(ResourceError::Blocked("its files are larger than `max_bytes` allows".to_owned()));
        }
        Ok(tar)
    }
}

/// A bare repository of its own.
struct Git<'a> {
    repository: &'a Path,
    hands: &'a Hands<'a>,
}

impl Git<'_> {
    /// The commit alone, or, from servers that give none by its id, all that they have.
    fn fetch(&self, url: &str, revision: &str) -> Result<(), ResourceError> {
        let fetch = ["-c", "fetch.fsckObjects=true", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules"];
        let one = fetch.into_iter().chain(["--depth=1", "--", url, revision]);
        match self.run(one) {
            Err(ResourceError::Program { .. }) => {}
            other => return other,
        }
        let shown = shown_url(url);
        self.run(fetch.into_iter().chain(["--", url, "+refs/*:refs/*"])).map_err(|error| match error {
            ResourceError::Program { message, .. } => {
                ResourceError::Failed(format!("{shown} gives nothing: {message}"))
            }
            other => other,
        })?;
        let commit = format!("{revision}^{{commit}}");
        match self.run(["cat-file", "-e", &commit]) {
            Err(ResourceError::Program { .. }) => {
                Err(ResourceError::Failed(format!("{shown} has no commit {revision}")))
            }
            other => other,
        }
    }

    fn run<'s>(&self, arguments: impl IntoIterator<Item = &'s str>) -> Result<(), ResourceError> {
        let env = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let own = ("GIT_DIR".to_owned(), self.repository.display().to_string());
        let env: BTreeMap<String, String> = env.into_iter().chain([own]).collect();
        let argv = ["git", "--bare"].into_iter().chain(arguments);
        let timeout = Some(self.hands.timeout.unwrap_or(TIMEOUT));
        match self.hands.run(&Program { env, timeout, ..Program::new(argv) }) {
            Err(ResourceError::Host(HostError::Program { source, .. })) if source.kind() == io::ErrorKind::NotFound => {
                Err(ResourceError::Blocked("needs the program git: add packages/git to what it requires".to_owned()))
            }
            other => other.map(drop),
        }
    }
}

fn failed(error: &io::Error) -> ResourceError {
    ResourceError::Failed(format!("the files of the commit cannot be read: {error}"))
}
