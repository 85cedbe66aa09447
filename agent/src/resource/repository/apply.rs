//! Changing repositories: the key is checked, the files are written, and the lists are fetched. Where they cannot be
//! had, everything is as before.

use super::keyring::HostKeyring;
use super::{FILE, FILES, INCLUDE, KEY, no_manager, path_of};
use crate::host::{FileKind, FileWrite, HostPath, NewAttributes, Program};
use crate::provider::package::{PackageError, Transaction};
use crate::provider::repository::{Include, Places, RepositoryForm, check_key, choose_form};
use crate::resource::ownership::access_to_set;
use crate::resource::system_text::{append_line, load_text, make_folder, remove_made_folder, system_path, write_text};
use crate::resource::{BatchItem, Change, Hands, ResourceError, Value};
use muster_schema::content::BlobRef;
use muster_schema::resource::{RepositorySpec, Spec};
use std::io::{Cursor, Read};

/// A repository, what is asked of it, and what is to change.
type Work<'a> = (&'a str, &'a RepositorySpec, &'a Change);

pub(super) fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let work = items.iter().filter_map(|item| match &item.resource.spec {
        Spec::Repository(spec) => Some((item.resource.address.id(), &**spec, item.change)),
        _ => None,
    });
    apply_repositories(&work.collect::<Vec<_>>(), hands)
}

/// Makes all changes. Lists that go with what left go once, after all.
pub(super) fn apply_repositories(work: &[Work<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let form = match choose_form(hands.host.reader().as_mut()) {
        Ok(form) => form,
        Err(error) => {
            let told = no_manager(error).chain();
            return work.iter().map(|_| Err(ResourceError::Failed(told.clone()))).collect();
        }
    };
    let transaction = Transaction::new(form.manager(), hands.host, hands.timeout);
    let session = Session { form, hands, transaction };
    let answers = work.iter().map(|one| session.change_one(*one)).collect();
    let goes_back = |(_, _, change): &Work<'_>| !hands.validate || change.removes();
    if form.refreshes_without() && work.iter().any(goes_back) {
        let refresh = form.manager().refresh_program(session.transaction.timeout());
        if let Err(error) = session.transaction.run(&refresh) {
            tracing::warn!(%error, "lists of a repository that left may stay until the package manager makes them anew");
        }
    }
    answers
}

struct Session<'a> {
    form: &'static dyn RepositoryForm,
    hands: &'a Hands<'a>,
    transaction: Transaction<'a>,
}

/// A file: its bytes, and whose it was.
type FoundFile = (Vec<u8>, NewAttributes);

/// What stood in the places of a repository, to be put back.
struct Found {
    files: Vec<(HostPath, Option<FoundFile>)>,
    settings: Option<(HostPath, String)>,
}

impl Session<'_> {
    fn change_one(&self, (id, spec, change): Work<'_>) -> Result<(), ResourceError> {
        let places = self.form.places(id, spec);
        if !self.hands.validate || change.removes() {
            self.forget_lists(id);
            self.write(id, spec, change, &places)?;
            return self.keyring().map_or(Ok(()), |keyring| keyring.forget(id));
        }
        if let Some(key) = &spec.key {
            let key = self.load(key)?;
            check_key(&key, self.form.key_kind(), &spec.all_fingerprints())
                .map_err(|error| ResourceError::Blocked(error.to_string()))?;
        }
        let found = self.load_found(&places)?;
        let changed = |name: &&str| change.after(name).is_some();
        let is_used = spec.enabled != Some(false) && [FILE, KEY, INCLUDE].iter().any(changed);
        let done = self.write(id, spec, change, &places).and_then(|()| self.trust(id, spec, &places));
        let done = done.and_then(|()| if is_used { self.fetch_lists(id) } else { Ok(()) });
        if done.is_err() {
            self.put_back(&found)?;
            if let Some(keyring) = self.keyring().filter(|_| change.creates()) {
                keyring.forget(id)?;
            }
        }
        done
    }

    /// Fetches the lists of one repository, and makes sure that the manager can still read all of its files.
    fn fetch_lists(&self, id: &str) -> Result<(), ResourceError> {
        let timeout = self.transaction.timeout();
        if let Some(check) = self.form.check_program(timeout) {
            self.run(&check)?;
        }
        self.run(&self.form.refresh_program(id, timeout))
    }

    fn run(&self, program: &Program) -> Result<(), ResourceError> {
        let told = |error| match error {
            PackageError::Host(error) => ResourceError::Host(error),
            other => ResourceError::Failed(format!("it cannot be used, and nothing of it stays: {other}")),
        };
        self.transaction.run(program).map(drop).map_err(told)
    }

    fn trust(&self, id: &str, spec: &RepositorySpec, places: &Places) -> Result<(), ResourceError> {
        let Some(keyring) = self.keyring() else { return Ok(()) };
        match spec.key {
            Some(_) => keyring.trust(id, &places.key, &spec.all_fingerprints()),
            None => keyring.forget(id),
        }
    }

    fn keyring(&self) -> Option<HostKeyring<'_>> {
        let timeout = self.transaction.timeout();
        self.form.keyring().map(|keyring| HostKeyring { keyring, hands: self.hands, timeout })
    }

    /// What cannot be forgotten stays in a cache that nobody reads.
    fn forget_lists(&self, id: &str) {
        if let Some(program) = self.form.forget_program(id, self.transaction.timeout())
            && let Err(error) = self.transaction.run(&program)
        {
            tracing::debug!(%error, repository = id, "its cached lists stay");
        }
        for path in self.form.cached_files(id).iter().filter_map(|path| HostPath::new(path).ok()) {
            if let Err(error) = self.hands.host.remove(&path, FileKind::File) {
                tracing::debug!(error = &error as &dyn std::error::Error, %path, "cached lists stay");
            }
        }
    }

    /// Writes what changes, the key first; and the line that has it all read last, or away first.
    fn write(&self, id: &str, spec: &RepositorySpec, change: &Change, places: &Places) -> Result<(), ResourceError> {
        let rendered = self.form.render(id, spec);
        let include = places.include.as_ref().zip(goal(change, INCLUDE));
        if let Some((include, Value::Nothing)) = &include {
            self.set_include(include, false)?;
        }
        for (content, access) in FILES {
            let Some(path) = path_of(places, content)? else { continue };
            let access = access_to_set(goal(change, access).as_ref());
            match goal(change, content) {
                Some(Value::Content(blob)) => {
                    let texts = [Some(&rendered.file), rendered.preferences.as_ref()];
                    let own = texts.into_iter().flatten().find(|text| BlobRef::of(text.as_bytes()) == blob);
                    let bytes = own.map_or_else(|| self.load(&blob), |text| Ok(text.clone().into_bytes()))?;
                    self.write_file(&path, &bytes, access)?;
                }
                Some(_) => self.remove_file(&path)?,
                None if access != NewAttributes::default() => self.hands.host.set_attributes(&path, &access)?,
                None => {}
            }
        }
        match include {
            Some((include, Value::Text(_))) => self.set_include(include, true),
            _ => Ok(()),
        }
    }

    fn set_include(&self, include: &Include, included: bool) -> Result<(), ResourceError> {
        let path = system_path(include.path)?;
        let found = load_text(&path, self.hands.host.reader().as_mut())?;
        let Some(found) = found else {
            return Err(ResourceError::Blocked(format!("{path} is missing")));
        };
        let others = found.split_inclusive('\n').filter(|line| line.trim() != include.line);
        let mut text: String = others.collect();
        if included {
            append_line(&mut text, &include.line);
        }
        write_text(&path, &text, NewAttributes::default(), self.hands)
    }

    fn write_file(&self, path: &HostPath, bytes: &[u8], access: NewAttributes) -> Result<(), ResourceError> {
        if let Some(folder) = path.parent() {
            make_folder(&folder, self.hands)?;
        }
        Ok(self.hands.host.write(FileWrite::new(path.clone(), Box::new(Cursor::new(bytes)), access))?)
    }

    fn remove_file(&self, path: &HostPath) -> Result<(), ResourceError> {
        self.hands.host.remove(path, FileKind::File)?;
        path.parent().map_or(Ok(()), |folder| remove_made_folder(&folder, self.hands))
    }

    fn load(&self, blob: &BlobRef) -> Result<Vec<u8>, ResourceError> {
        let mut bytes = Vec::new();
        let read = self.hands.contents.open(blob)?.read_to_end(&mut bytes);
        read.map_err(|error| ResourceError::Failed(format!("a content cannot be read: {error}")))?;
        Ok(bytes)
    }

    fn load_found(&self, places: &Places) -> Result<Found, ResourceError> {
        let mut reader = self.hands.host.reader();
        let mut files = Vec::new();
        for (content, _) in FILES {
            let Some(path) = path_of(places, content)? else { continue };
            let found = match reader.meta(&path)? {
                None => None,
                Some(meta) => {
                    let mut bytes = Vec::new();
                    reader.copy(&path, &mut bytes)?;
                    let access = NewAttributes { mode: Some(meta.mode), uid: Some(meta.uid), gid: Some(meta.gid) };
                    Some((bytes, access))
                }
            };
            files.push((path, found));
        }
        let settings = match &places.include {
            None => None,
            Some(include) => {
                let path = system_path(include.path)?;
                load_text(&path, reader.as_mut())?.map(|text| (path, text))
            }
        };
        Ok(Found { files, settings })
    }

    fn put_back(&self, found: &Found) -> Result<(), ResourceError> {
        if let Some((path, text)) = &found.settings {
            write_text(path, text, NewAttributes::default(), self.hands)?;
        }
        // The key last: what names it goes first.
        for (path, file) in found.files.iter().rev() {
            match file {
                Some((bytes, access)) => self.write_file(path, bytes, *access)?,
                None => self.remove_file(path)?,
            }
        }
        Ok(())
    }
}

/// What a part is to become, if it changes.
fn goal(change: &Change, name: &str) -> Option<Value> {
    if change.removes() {
        let found = change.before.get(name)?;
        return (*found != Value::Nothing).then_some(Value::Nothing);
    }
    change.after(name).cloned()
}
