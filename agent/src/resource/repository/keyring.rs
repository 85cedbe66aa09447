//! Keys that came into a keyring of the package manager's with a repository, and go from there with it.

use crate::host::Program;
use crate::plan::Purpose;
use crate::provider::repository::Keyring;
use crate::resource::{Hands, ResourceError};
use muster_schema::resource::{Existence, Spec};
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;

/// Which keys were not known before.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    added: Vec<String>,
}

/// The keyring, on one host.
pub(super) struct HostKeyring<'a> {
    pub(super) keyring: Keyring,
    pub(super) hands: &'a Hands<'a>,
    pub(super) timeout: Duration,
}

impl HostKeyring<'_> {
    /// Makes the keys of a file trusted, and those of an earlier specification unknown.
    pub(super) fn trust(&self, id: &str, path: &str, fingerprints: &[String]) -> Result<(), ResourceError> {
        let mut note = self.load_note(id)?;
        for fingerprint in fingerprints {
            if !note.added.contains(fingerprint)
                && !self.succeeds(&self.keyring.look_program(fingerprint, self.timeout))?
            {
                note.added.push(fingerprint.clone());
            }
        }
        self.save_note(id, &note)?;
        for program in self.keyring.add_programs(path, fingerprints, self.timeout) {
            self.hands.run(&program)?;
        }
        self.forget_where(id, |fingerprint| !fingerprints.contains(fingerprint))
    }

    /// Makes the keys unknown that came with the repository.
    pub(super) fn forget(&self, id: &str) -> Result<(), ResourceError> {
        self.forget_where(id, |_| true)
    }

    fn forget_where(&self, id: &str, goes: impl Fn(&String) -> bool) -> Result<(), ResourceError> {
        let mut note = self.load_note(id)?;
        let (go, stay): (Vec<String>, Vec<String>) = note.added.into_iter().partition(|one| goes(one));
        for fingerprint in go {
            match self.heir_of(id, &fingerprint) {
                Some(heir) => {
                    let mut its = self.load_note(heir)?;
                    its.added.push(fingerprint);
                    self.save_note(heir, &its)?;
                }
                None => {
                    let removed = self.succeeds(&self.keyring.remove_program(&fingerprint, self.timeout))?;
                    if !removed {
                        tracing::warn!(repository = id, %fingerprint, "a key stays in the package manager's keyring");
                    }
                }
            }
        }
        note.added = stay;
        self.save_note(id, &note)
    }

    /// Another repository that needs the key as well.
    fn heir_of(&self, id: &str, fingerprint: &String) -> Option<&str> {
        let stays =
            self.hands.schedule.targets.iter().filter(|target| {
                target.purpose == Purpose::Enforce && target.resource.meta.state == Existence::Present
            });
        let others = stays.filter_map(|target| match &target.resource.spec {
            Spec::Repository(spec) if target.address().id() != id => Some((target.address().id(), spec)),
            _ => None,
        });
        let mut heirs = others.filter(|(_, spec)| spec.all_fingerprints().contains(fingerprint));
        heirs.next().map(|(id, _)| id)
    }

    fn succeeds(&self, program: &Program) -> Result<bool, ResourceError> {
        Ok(self.hands.host.run(program)?.success())
    }

    fn load_note(&self, id: &str) -> Result<Note, ResourceError> {
        let Some(notes) = self.hands.host.notes() else { return Ok(Note::default()) };
        address_of(id).and_then(|address| notes.load(&address)).map(Option::unwrap_or_default).map_err(unkept)
    }

    fn save_note(&self, id: &str, note: &Note) -> Result<(), ResourceError> {
        let Some(notes) = self.hands.host.notes() else { return Ok(()) };
        let address = address_of(id).map_err(unkept)?;
        if note.added.is_empty() { notes.forget(&address) } else { notes.save(&address, note) }.map_err(unkept)
    }
}

fn address_of(id: &str) -> io::Result<Address> {
    Address::new(Collection::Repositories, id).map_err(io::Error::other)
}

fn unkept(error: io::Error) -> ResourceError {
    ResourceError::Failed(format!("which keys came with it cannot be kept: {error}"))
}
