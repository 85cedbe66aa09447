//! Plug-ins: programs of the host that stay, and answer one line of JSON with one.
//!
//! What they say is described in docs/reference/plugin-protocol.md. A plug-in is never believed: each answer has a
//! deadline, a limit and the number of its request; one that breaks a rule is ended with its group, and rests before it
//! is started again.
#![allow(clippy::disallowed_methods, reason = "looks for plug-ins in their folder")]

mod folder;
mod message;
mod session;
#[cfg(test)]
mod tests;

use super::{ExtensionRead, ExtensionWrite, Thing};
use crate::resource::{Change, REMOVABLE, ResourceError, State, Value, json_of, load_attributes};
use message::{Found, Listed};
use muster_schema::ExtensionName;
use muster_schema::resource::{ExtensionProvider, ExtensionSpec};
use serde_json::{Value as Json, json};
use session::{Failure, Session};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where plug-ins are looked for where nothing is set.
pub const PLUGINS: &str = "/usr/lib/muster/plugins";

/// How long a question may take where nothing is said.
const LOOK: Duration = Duration::from_secs(30);
/// How long a change may take where nothing is said.
const APPLY: Duration = Duration::from_secs(300);
/// After so long without a question a plug-in is ended.
const IDLE: Duration = Duration::from_secs(60);
const SHORTEST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The plug-ins of a host. Each is started when it is asked for, and ends when nobody asks for it any more.
pub struct Plugins {
    folder: PathBuf,
    look: Duration,
    slots: Mutex<BTreeMap<String, Arc<Mutex<Slot>>>>,
}

/// One plug-in.
#[derive(Default)]
struct Slot {
    session: Option<Session>,
    failures: u32,
    /// It broke a rule: until then it rests, for this reason.
    rests: Option<(Instant, String)>,
}

impl Plugins {
    /// Those in a folder. Nothing is looked at yet.
    pub fn new(folder: PathBuf) -> Plugins {
        Plugins { folder, look: LOOK, slots: Mutex::default() }
    }

    /// The same, with another time for each question.
    #[must_use]
    pub fn with_patience(self, look: Duration) -> Plugins {
        Plugins { look, ..self }
    }

    fn slot(&self, name: &str) -> Arc<Mutex<Slot>> {
        self.lock().entry(name.to_owned()).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Mutex<Slot>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a plug-in, which is started if it does not run.
    fn ask<T>(
        &self,
        provider: &ExtensionProvider,
        question: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, ResourceError> {
        let ExtensionProvider::Plugin(name) = provider else { return Err(super::not_here(provider)) };
        let slot = self.slot(name);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, reason)) = &slot.rests
            && Instant::now() < *until
        {
            return Err(ResourceError::Failed(format!("{provider} rests after a failure: {reason}")));
        }
        let mut session = match slot.session.take().filter(Session::is_alive) {
            Some(session) => session,
            None => {
                let path = folder::find(&self.folder, name).map_err(ResourceError::Blocked)?;
                match Session::begin(&path, self.look) {
                    Ok(session) => session,
                    Err(failure) => return Err(slot.note(provider, failure)),
                }
            }
        };
        match question(&mut session) {
            Ok(answer) => {
                *slot = Slot { session: Some(session), ..Slot::default() };
                Ok(answer)
            }
            Err(Failure::Refused(error)) => {
                slot.session = Some(session);
                Err(error)
            }
            Err(failure) => {
                // It ends with its group.
                drop(session);
                Err(slot.note(provider, failure))
            }
        }
    }
}

impl Slot {
    /// A failure: the next start waits a while, longer each time.
    fn note(&mut self, provider: &ExtensionProvider, failure: Failure) -> ResourceError {
        match failure {
            Failure::Refused(error) => error,
            Failure::Blocked(reason) => ResourceError::Blocked(format!("{provider} {reason}")),
            Failure::Broken(reason) => {
                let rest = SHORTEST_REST.saturating_mul(1 << self.failures.min(8)).min(LONGEST_REST);
                self.failures = self.failures.saturating_add(1);
                self.rests = Some((Instant::now() + rest, reason.clone()));
                tracing::warn!(reason, "{provider} failed and was ended");
                ResourceError::Failed(format!("{provider} failed: {reason}"))
            }
        }
    }
}

impl ExtensionRead for Plugins {
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError> {
        let timeout = thing.timeout.unwrap_or(self.look);
        self.ask(&thing.spec.provider, |session| get(session, thing.id, thing.spec, timeout))
    }

    fn list(&self, collection: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError> {
        self.ask(provider, |session| {
            if !session.offers("list") {
                return Err(Failure::Refused(ResourceError::Blocked(format!("{provider} cannot list things"))));
            }
            let listed: Listed = session.ask("list", json!({"collection": collection}), self.look)?;
            Ok(listed.ids)
        })
    }

    fn end_idle(&self) {
        for slot in self.lock().values() {
            if let Ok(mut slot) = slot.try_lock()
                && slot.session.as_ref().is_some_and(|session| session.is_idle(IDLE))
            {
                slot.session = None;
            }
        }
    }
}

impl ExtensionWrite for Plugins {
    fn apply(&self, thing: &Thing<'_>, change: &Change) -> Result<(), ResourceError> {
        let Thing { id, spec, .. } = *thing;
        self.ask(&spec.provider, |session| {
            let mut asked = json!({"collection": spec.collection, "thing": id});
            match &change.after {
                State::Absent => asked["state"] = "absent".into(),
                State::Present(attributes) => {
                    asked["state"] = "present".into();
                    asked["attributes"] = Json::Object(json_of(attributes));
                }
            }
            let _: message::Done = session.ask("apply", asked, thing.timeout.unwrap_or(APPLY))?;
            // It is not believed.
            let found = get(session, id, spec, self.look)?;
            let differs = match (&change.after, &found) {
                (State::Absent, State::Absent) => None,
                (State::Absent, State::Present(_)) => Some("is still there".to_owned()),
                (State::Present(_), State::Absent) => Some("is not there".to_owned()),
                (State::Present(after), State::Present(found)) => {
                    let other = after.iter().find(|(name, value)| {
                        spec.attributes.contains_key(name.as_ref()) && found.get(*name) != Some(*value)
                    });
                    other.map(|(name, _)| format!("has another '{name}'"))
                }
            };
            let lied = |how| ResourceError::Failed(format!("{} said that it is done, and it {how}", spec.provider));
            differs.map_or(Ok(()), |how| Err(Failure::Refused(lied(how))))
        })
    }
}

/// What there is of a thing.
fn get(session: &mut Session, id: &str, spec: &ExtensionSpec, timeout: Duration) -> Result<State, Failure> {
    let names: Vec<&String> = spec.attributes.keys().collect();
    let asked = json!({"collection": spec.collection, "thing": id, "attributes": names});
    let found: Found = session.ask("get", asked, timeout)?;
    if !found.present {
        return Ok(State::Absent);
    }
    if let Some(untold) = names.into_iter().find(|name| !found.attributes.contains_key(*name)) {
        let error = ResourceError::Failed(format!("{} does not know the attribute '{untold}'", spec.provider));
        return Err(Failure::Refused(error));
    }
    let mut attributes = load_attributes(&found.attributes);
    attributes.remove(REMOVABLE);
    if !session.offers("remove") {
        attributes.insert(Cow::Borrowed(REMOVABLE), Value::Bool(false));
    }
    Ok(State::Present(attributes))
}
