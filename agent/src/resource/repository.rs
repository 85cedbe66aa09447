//! Repositories of packages: a few files each, written in the form of the host's package manager.
//!
//! What is wanted of each file is written `true`, for "as specified": its bytes depend on the manager, which only a
//! look at the host tells. What was found is written as it is: by size and digest, or `Nothing`.

use super::ownership::access_of;
use super::system_text::{load_text, system_path};
use super::{Attributes, Batch, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, check_sense};
use crate::host::{FileKind, HostPath, Scope};
use crate::provider::package::NoManager;
use crate::provider::repository::{Places, RepositoryForm, all_forms, choose_form};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{Existence, RepositorySpec, ResourceSpec};
use std::borrow::Cow;

mod apply;
mod keyring;
#[cfg(test)]
mod tests;

/// What the manager calls it, and which manager it was read from.
const NAME: &str = "name";
const MANAGER: &str = "manager";
/// The line that has the file read, where the manager needs one.
const INCLUDE: &str = "include";
const FILE: &str = "file";
const KEY: &str = "key";
const PREFERENCES: &str = "preferences";
/// The attributes of its files, content and owner with permissions, in the order in which they are written.
const FILES: [(&str, &str); 3] = [(KEY, "key_access"), (PREFERENCES, "preferences_access"), (FILE, "file_access")];
/// Who writes them, and who reads them.
const ACCESS: &str = "0:0 0644";

/// The form of the host's manager: found out once in a pass.
struct Chosen(&'static dyn RepositoryForm);

impl ResourceType for RepositorySpec {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let all = FILES.into_iter().fold(Wanted::default(), |wanted, (content, access)| {
            wanted.with(content, Some(true)).with(access, scope.owners.then_some(true))
        });
        all.with(INCLUDE, Some(true))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let form = form_of_host(view)?;
        let places = form.places(id, self);
        let mut attributes = Attributes::new();
        let mut put = |name: &'static str, value: Value| attributes.insert(Cow::Borrowed(name), value);
        put(NAME, id.to_owned().into());
        put(MANAGER, form.manager().name().into());
        for (content, access) in FILES {
            let Some(path) = path_of(&places, content)? else { continue };
            let found = view.reader().digest(&path)?;
            let (bytes, who) = match found {
                None => (Value::Nothing, Value::Nothing),
                Some((meta, Some(bytes))) if meta.kind == FileKind::File => (bytes.into(), access_of(&meta).into()),
                Some((meta, _)) => {
                    return Err(ResourceError::Blocked(format!("{path} is a {}, not a file", meta.kind)));
                }
            };
            put(content, bytes);
            put(access, who);
        }
        if let Some(include) = &places.include {
            let text = load_text(&system_path(include.path)?, view.reader().as_mut())?.unwrap_or_default();
            let has = text.lines().any(|line| line.trim() == include.line);
            put(INCLUDE, if has { include.line.clone().into() } else { Value::Nothing });
        }
        Ok(State::Present(attributes))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let State::Present(found) = observed else { return Ok(None) };
        let text = |name: &str| found.get(name).and_then(Value::text);
        let form = all_forms().into_iter().find(|form| Some(form.manager().name()) == text(MANAGER));
        let specified = match form.filter(|_| asks_as_specified(wanted)) {
            Some(form) => self.specified(form, text(NAME).unwrap_or_default())?,
            None => Attributes::new(),
        };
        let goal = |name: &str| match &wanted.state {
            State::Absent => Some(Value::Nothing),
            State::Present(asked) => match asked.get(name) {
                Some(Value::Bool(true)) => specified.get(name).cloned(),
                other => other.cloned(),
            },
        };
        let parts = || found.iter().filter(|(name, _)| !matches!(name.as_ref(), NAME | MANAGER));
        let after: Attributes = parts()
            .filter_map(|(name, value)| Some((name.clone(), goal(name).filter(|goal| goal != value)?)))
            .collect();
        if after.is_empty() {
            return Ok(None);
        }
        let is_nothing = |value: &Value| *value == Value::Nothing;
        if parts().all(|(name, value)| is_nothing(after.get(name).unwrap_or(value))) {
            return Ok(Some(Change { before: observed.clone(), after: State::Absent }));
        }
        let before = parts().filter(|(name, _)| after.contains_key(*name));
        let before: Attributes = before.map(|(name, value)| (name.clone(), value.clone())).collect();
        let none = parts().all(|(_, value)| is_nothing(value));
        let before = if none { State::Absent } else { State::Present(before) };
        Ok(Some(Change { before, after: State::Present(after) }))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        let State::Present(attributes) = &mut before else { return Ok(before) };
        let places = form_of_host(view)?.places(id, self);
        for (content, _) in FILES {
            if let (Some(found @ Value::Content(_)), Some(path)) =
                (attributes.get_mut(content), path_of(&places, content)?)
            {
                let kept: BlobRef = vault.keep(|to| view.reader().copy(&path, to).map_err(ResourceError::from))?;
                *found = kept.into();
            }
        }
        Ok(before)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        apply::apply_repositories(&[(id, self, change)], hands).pop().unwrap_or(Ok(()))
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply::apply_batch)
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        let includes = all_forms().into_iter().filter_map(|form| form.places(id, self).include);
        let includes = includes.map(|include| include.path.to_owned());
        let paths = RepositorySpec::paths_of(id).into_iter().chain(includes);
        paths.filter_map(|path| HostPath::new(&path).ok()).collect()
    }
}

/// What a specification says of every part, in the form of a manager.
trait Specified {
    fn specified(&self, form: &dyn RepositoryForm, id: &str) -> Result<Attributes, ResourceError>;
}

impl Specified for RepositorySpec {
    fn specified(&self, form: &dyn RepositoryForm, id: &str) -> Result<Attributes, ResourceError> {
        check_sense(self)?;
        if let Some(lack) = form.lacks(self) {
            return Err(ResourceError::Blocked(format!("{} {lack}", form.manager().name())));
        }
        let rendered = form.render(id, self);
        let text = |text: &str| BlobRef::of(text.as_bytes());
        let contents = [self.key, rendered.preferences.as_deref().map(text), Some(text(&rendered.file))];
        let mut attributes = Attributes::new();
        for ((content, access), bytes) in FILES.into_iter().zip(contents) {
            attributes.insert(Cow::Borrowed(content), bytes.map_or(Value::Nothing, Value::from));
            attributes.insert(Cow::Borrowed(access), bytes.map_or(Value::Nothing, |_| ACCESS.into()));
        }
        let include = form.places(id, self).include.filter(|_| rendered.included);
        attributes.insert(Cow::Borrowed(INCLUDE), include.map_or(Value::Nothing, |include| include.line.into()));
        Ok(attributes)
    }
}

fn asks_as_specified(wanted: &Wanted) -> bool {
    wanted.state.get(FILE) == Some(&Value::Bool(true))
}

fn form_of_host(view: &View<'_>) -> Result<&'static dyn RepositoryForm, ResourceError> {
    let chosen = view.once(|view| choose_form(view.reader().as_mut()).map(Chosen).map_err(no_manager))?;
    Ok(chosen.0)
}

fn no_manager(error: NoManager) -> ResourceError {
    match error {
        NoManager::Host(error) => ResourceError::Host(error),
        other => ResourceError::Failed(other.to_string()),
    }
}

/// Where the file of an attribute is, if the manager has such a file.
fn path_of(places: &Places, content: &str) -> Result<Option<HostPath>, ResourceError> {
    let path = match content {
        FILE => Some(&places.file),
        KEY => Some(&places.key),
        _ => places.preferences.as_ref(),
    };
    path.map(|path| system_path(path)).transpose()
}
