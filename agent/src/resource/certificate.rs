//! Certificates and their keys. A key is made where none is, and neither replaced nor removed; of it the state says kind
//! and digest of the public half, and no more.
//!
//! `certificate_lacks` and `request_lacks` say why a new one is due; `waits` why none is made.

use super::entry::path_of;
use super::ownership::{GROUP, MODE, OWNER, access_of, access_to_set, new_attributes, observe_ownership, wanted_owner};
use super::system_text::load_text;
use super::{Attributes, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, check_sense};
use crate::host::{FileKind, FileWrite, HostPath, NewAttributes, Scope};
use crate::io::clock;
use crate::vault::Vault;
use muster_schema::Timestamp;
use muster_schema::content::BlobRef;
use muster_schema::resource::{CertificateSpec, Existence, KeyType};
use rcgen::KeyPair;
use std::borrow::Cow;
use std::io::{Cursor, Read};
use x509::Fault;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;
mod x509;

const KEY: &str = "key";
const CERTIFICATE: &str = "certificate";
const REQUEST: &str = "request";
/// Who reads and writes the two; nothing is asked of it, but it comes back with what was removed.
const CERTIFICATE_ACCESS: &str = "certificate_access";
const REQUEST_ACCESS: &str = "request_access";
const CERTIFICATE_LACKS: &str = "certificate_lacks";
const REQUEST_LACKS: &str = "request_lacks";
const WAITS: &str = "waits";
const BLOCKED: &str = "blocked";
const NEW: &str = "new";
const KEY_MODE: &str = "0600";
const PUBLIC_MODE: u32 = 0o644;

impl ResourceType for CertificateSpec {
    /// What is asked for as `true` is to be there and to fit; what that is follows from the specification.
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        let fits = |is: bool| is.then_some(true);
        let (file, access) = file_names(self);
        if existence == Existence::Absent {
            return Wanted::default().with(file, Some(Value::Nothing)).with(access, Some(Value::Nothing));
        }
        let wanted = Wanted::default()
            .with(KEY, Some(true))
            .with(CERTIFICATE, fits(self.request.is_none()))
            .with(REQUEST, fits(self.request.is_some()))
            .with(access, Some(true))
            .with(OWNER, wanted_owner(&self.owner, scope))
            .with(GROUP, wanted_owner(&self.group, scope))
            .with(MODE, self.mode.map(|mode| mode.to_string()))
            .or_on_creation(MODE, KEY_MODE);
        if scope.owners { wanted.or_on_creation(OWNER, "root").or_on_creation(GROUP, "root") } else { wanted }
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        observe_at(self, view, clock::now())
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state.get(KEY) == Some(&Value::Bool(true)) {
            check_sense(self)?;
            if let Some(reason) = observed.get(BLOCKED).and_then(Value::text) {
                return Err(ResourceError::Blocked(reason.to_owned()));
            }
        }
        let found = |name: &str| observed.get(name).unwrap_or(&Value::Nothing);
        let State::Present(asked) = &wanted.state else { return leave(self, observed) };
        let mut after = Attributes::new();
        for (name, goal) in asked {
            let put = match (name.as_ref(), goal) {
                (KEY, Value::Nothing) => None,
                (KEY, Value::Text(text)) if !text.starts_with(NEW) => None,
                (KEY, _) => (*found(KEY) == Value::Nothing).then(|| new_key(self).into()),
                (CERTIFICATE, Value::Bool(_) | Value::Text(_)) => reason_for(observed, CERTIFICATE_LACKS),
                (REQUEST, Value::Bool(_) | Value::Text(_)) => reason_for(observed, REQUEST_LACKS),
                (CERTIFICATE | REQUEST, goal) => (goal != found(name)).then(|| goal.clone()),
                (CERTIFICATE_ACCESS | REQUEST_ACCESS, Value::Bool(_)) => None,
                (CERTIFICATE_ACCESS | REQUEST_ACCESS, goal) => (goal != found(name)).then(|| goal.clone()),
                // Access to a key that is not there comes with it.
                (_, goal) => (goal != found(name) && *found(KEY) != Value::Nothing).then(|| goal.clone()),
            };
            after.extend(put.map(|value| (name.clone(), value)));
        }
        if after.contains_key(KEY) {
            let access = wanted.on_new();
            let access = access.attributes().into_iter().flatten();
            after.extend(
                access
                    .filter(|(name, _)| [OWNER, GROUP, MODE].contains(&name.as_ref()))
                    .map(|(n, v)| (n.clone(), v.clone())),
            );
        }
        if !after.is_empty() {
            let State::Present(all) = observed else {
                return Ok(Some(Change { before: State::Absent, after: State::Present(after) }));
            };
            let before = all.iter().filter(|(name, _)| after.contains_key(*name));
            let before = before.map(|(name, value)| (name.clone(), value.clone())).collect();
            return Ok(Some(Change { before: State::Present(before), after: State::Present(after) }));
        }
        settled(self, asked, observed)
    }

    fn foresee(&self, _: &str, change: &Change, _: &View<'_>) -> Option<String> {
        (change.removes() && has(&change.before, KEY)).then(|| key_stays(self))
    }

    fn keep(&self, _: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        let State::Present(attributes) = &mut before else { return Ok(before) };
        // Neither the key nor what was noticed comes back.
        attributes.retain(|name, _| ![CERTIFICATE_LACKS, REQUEST_LACKS, WAITS, BLOCKED].contains(&name.as_ref()));
        for (name, path) in [(CERTIFICATE, &self.certificate), (REQUEST, &self.request)] {
            if let Some(found @ Value::Content(_)) = attributes.get_mut(name) {
                let path = file_of(path)?;
                let kept: BlobRef = vault.keep(|to| view.reader().copy(&path, to).map_err(ResourceError::from))?;
                *found = kept.into();
            }
        }
        Ok(before)
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let (key_path, certificate_path) = (file_of(&self.key)?, file_of(&self.certificate)?);
        if change.removes() {
            if has(&change.before, CERTIFICATE) {
                hands.host.remove(&certificate_path, FileKind::File)?;
            }
            if has(&change.before, REQUEST) {
                hands.host.remove(&file_of(&self.request)?, FileKind::File)?;
            }
            return if has(&change.before, KEY) { Err(ResourceError::Retained(key_stays(self))) } else { Ok(()) };
        }
        let access = new_attributes(&change.after, || hands.accounts())?;
        if change.after(KEY).is_some() {
            write_key(self, &key_path, access, hands)?;
        } else if access != NewAttributes::default() {
            hands.host.set_attributes(&key_path, &access)?;
        }
        let failed = |reason: String| ResourceError::Failed(format!("{key_path}: {reason}"));
        if let Some(goal) = change.after(CERTIFICATE) {
            put(&certificate_path, goal, access_to(change, CERTIFICATE_ACCESS, hands), hands, || {
                let mut serial = [0; 16];
                getrandom::fill(&mut serial).map_err(|error| ResourceError::Failed(error.to_string()))?;
                let key = load_key_of(self, hands)?;
                x509::make_certificate(self, &key, clock::now(), serial).map_err(failed)
            })?;
        }
        if let Some(goal) = change.after(REQUEST) {
            put(&file_of(&self.request)?, goal, access_to(change, REQUEST_ACCESS, hands), hands, || {
                x509::make_request(self, &load_key_of(self, hands)?).map_err(failed)
            })?;
        }
        for (file, access, path) in
            [(CERTIFICATE, CERTIFICATE_ACCESS, &self.certificate), (REQUEST, REQUEST_ACCESS, &self.request)]
        {
            if change.after(file).is_none() && change.after(access).and_then(Value::text).is_some() {
                hands.host.set_attributes(&file_of(path)?, &access_to(change, access, hands))?;
            }
        }
        Ok(())
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn next_change(&self, view: &View<'_>, now: Timestamp) -> Option<Timestamp> {
        let text = load_file(&self.certificate, view).ok()??;
        x509::next_change(self, &x509::load_certificate(&text)?, now)
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        [&self.key, &self.certificate, &self.request]
            .into_iter()
            .flatten()
            .filter_map(|p| HostPath::new(p).ok())
            .collect()
    }
}

fn new_key(spec: &CertificateSpec) -> String {
    format!("{NEW} {}", x509::name_of(kind_of(spec)))
}

fn key_stays(spec: &CertificateSpec) -> String {
    format!("the key {} stays: nothing else has it", spec.key.as_deref().unwrap_or_default())
}

/// Nothing was there before. A certificate that an authority's hands put there is not ours.
fn leave(spec: &CertificateSpec, observed: &State) -> Result<Option<Change>, ResourceError> {
    let mut ours = observed.attributes().cloned().unwrap_or_default();
    ours.retain(|name, value| {
        let is_ours = name == KEY || (name == CERTIFICATE && spec.request.is_none()) || name == REQUEST;
        is_ours && *value != Value::Nothing
    });
    if ours.keys().any(|name| name != KEY) {
        return Ok(Some(Change { before: State::Present(ours), after: State::Absent }));
    }
    if ours.is_empty() { Ok(None) } else { Err(ResourceError::Retained(key_stays(spec))) }
}

/// All is there that can be made. Whether it is enough.
fn settled(spec: &CertificateSpec, asked: &Attributes, observed: &State) -> Result<Option<Change>, ResourceError> {
    let made = asked.get(KEY).is_some_and(|was| *was != Value::Bool(true) && Some(was) != observed.get(KEY));
    if made && has(observed, KEY) && !asked.get(KEY).and_then(Value::text).is_some_and(|was| was.starts_with(NEW)) {
        return Err(ResourceError::Retained(key_stays(spec)));
    }
    if asked.get(KEY) != Some(&Value::Bool(true)) {
        return Ok(None);
    }
    if let Some(reason) = observed.get(WAITS).and_then(Value::text) {
        return Err(ResourceError::Waits(reason.to_owned()));
    }
    match observed.get(CERTIFICATE_LACKS).and_then(Value::text) {
        Some(reason) => Err(ResourceError::Blocked(reason.to_owned())),
        None => Ok(None),
    }
}

fn write_key(
    spec: &CertificateSpec,
    path: &HostPath,
    access: NewAttributes,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    if hands.host.reader().meta(path)?.is_some() {
        return Err(ResourceError::Blocked(format!("{path}: something stands there by now; no key is replaced")));
    }
    let failed = |reason: String| ResourceError::Failed(format!("{path}: {reason}"));
    let key = Zeroizing::new(x509::make_key(kind_of(spec)).map_err(failed)?.serialize_pem());
    let access = NewAttributes { mode: access.mode.or(Some(0o600)), ..access };
    write(path, Box::new(Cursor::new(key.as_bytes())), access, hands)
}

fn load_key_of(spec: &CertificateSpec, hands: &Hands<'_>) -> Result<KeyPair, ResourceError> {
    let path = file_of(&spec.key)?;
    let text = Zeroizing::new(load_text(&path, hands.host.reader().as_mut())?.unwrap_or_default());
    x509::load_key(&text).map_err(|reason| ResourceError::Blocked(format!("{path} {reason}")))
}

/// What is there, judged by this time.
fn observe_at(spec: &CertificateSpec, view: &View<'_>, now: Timestamp) -> Result<State, ResourceError> {
    let key_path = file_of(&spec.key)?;
    let mut attributes = Attributes::new();
    let mut note = |name: &'static str, value: Value| drop(attributes.insert(Cow::Borrowed(name), value));
    let text = load_text(&key_path, view.reader().as_mut())?.map(Zeroizing::new);
    let key = match text.as_ref().map(|text| x509::load_key(text)) {
        None => None,
        Some(Ok(key)) => {
            let kind = x509::kind_of(&key);
            if let Some(asked) = spec.key_type.map(x509::name_of).filter(|asked| *asked != kind) {
                let hint = "no key is replaced: move it away, or name another path";
                note(BLOCKED, format!("{key_path} is a key of the kind {kind}, not {asked}; {hint}").into());
            }
            note(KEY, x509::describe_key(&key).into());
            Some(key)
        }
        Some(Err(reason)) => {
            note(KEY, "unreadable".into());
            note(BLOCKED, format!("{key_path} {reason}").into());
            None
        }
    };
    let certificate = load_file(&spec.certificate, view)?;
    let request = if spec.request.is_some() { load_file(&spec.request, view)? } else { None };
    if text.is_none() && certificate.is_none() && request.is_none() {
        return Ok(State::Absent);
    }
    let meta = view.reader().meta(&key_path)?;
    if let Some(meta) = meta {
        let accounts = view.accounts()?;
        for (name, value) in observe_ownership(&meta, spec.owner.as_deref(), spec.group.as_deref(), &accounts) {
            attributes.insert(name, value);
        }
    }
    let mut note = |name: &'static str, value: Value| drop(attributes.insert(Cow::Borrowed(name), value));
    let content =
        |text: &Option<String>| text.as_ref().map_or(Value::Nothing, |text| BlobRef::of(text.as_bytes()).into());
    if text.is_none() {
        note(KEY, Value::Nothing);
    }
    note(CERTIFICATE, content(&certificate));
    let (name, access) = file_names(spec);
    let made = file_of(if name == REQUEST { &spec.request } else { &spec.certificate })?;
    note(access, view.reader().meta(&made)?.map_or(Value::Nothing, |meta| access_of(&meta).into()));
    if let Some(path) = &spec.request {
        note(REQUEST, content(&request));
        let fits = key.as_ref().zip(request.as_ref()).is_some_and(|(key, text)| x509::is_request_for(text, spec, key));
        if !fits {
            let why = if request.is_none() { "there is none" } else { "it is for another key or other names" };
            note(REQUEST_LACKS, why.into());
        }
        match judge(spec, key.as_ref(), certificate.as_deref(), now) {
            None => {}
            Some(_) if certificate.is_none() => {
                let at = spec.certificate.as_deref().unwrap_or_default();
                note(WAITS, format!("a certificate is awaited at {at}; the request is {path}").into());
            }
            Some(Fault::Due(why)) => {
                note(WAITS, format!("a new certificate is due: {why}; the request is {path}").into())
            }
            Some(Fault::Waits(why)) => note(WAITS, format!("the certificate: {why}").into()),
            Some(Fault::Unfit(why)) => {
                note(CERTIFICATE_LACKS, format!("the certificate: {why}; the request is {path}").into());
            }
        }
    } else {
        match judge(spec, key.as_ref(), certificate.as_deref(), now) {
            None => {}
            Some(Fault::Due(why) | Fault::Unfit(why)) => note(CERTIFICATE_LACKS, why.into()),
            Some(Fault::Waits(why)) => note(WAITS, format!("the certificate: {why}").into()),
        }
    }
    Ok(State::Present(attributes))
}

fn judge(spec: &CertificateSpec, key: Option<&KeyPair>, certificate: Option<&str>, now: Timestamp) -> Option<Fault> {
    let unfit = |reason: &str| Some(Fault::Unfit(reason.to_owned()));
    let Some(text) = certificate else { return unfit("there is none") };
    let Some(found) = x509::load_certificate(text) else { return unfit("it cannot be read") };
    let Some(key) = key else { return unfit("its key is not there") };
    if spec.request.is_some() && found.is_self_signed {
        return Some(Fault::Waits("it is self-signed, and one of an authority is awaited".to_owned()));
    }
    x509::judge_certificate(spec, key, &found, now)
}

/// The new value of a part that is to be made anew, with the reason.
fn reason_for(observed: &State, lacks: &str) -> Option<Value> {
    match observed {
        State::Absent => Some(NEW.into()),
        State::Present(_) => Some(format!("{NEW}, for {}", observed.get(lacks)?.text()?).into()),
    }
}

fn has(state: &State, name: &str) -> bool {
    state.get(name).is_some_and(|value| *value != Value::Nothing)
}

fn kind_of(spec: &CertificateSpec) -> KeyType {
    spec.key_type.unwrap_or(KeyType::EcdsaP256)
}

fn file_of(path: &Option<String>) -> Result<HostPath, ResourceError> {
    path_of(path.as_deref().unwrap_or_default())
}

fn load_file(path: &Option<String>, view: &View<'_>) -> Result<Option<String>, ResourceError> {
    load_text(&file_of(path)?, view.reader().as_mut())
}

/// The file that the specification has made, and who has access to it.
fn file_names(spec: &CertificateSpec) -> (&'static str, &'static str) {
    if spec.request.is_some() { (REQUEST, REQUEST_ACCESS) } else { (CERTIFICATE, CERTIFICATE_ACCESS) }
}

/// The access that a file gets back.
fn access_to(change: &Change, name: &str, hands: &Hands<'_>) -> NewAttributes {
    let access = access_to_set(change.after(name));
    if hands.host.scope().owners { access } else { NewAttributes { mode: access.mode, ..NewAttributes::default() } }
}

/// Makes a file as it is to be: gone, as it was found, or new.
fn put(
    path: &HostPath,
    goal: &Value,
    access: NewAttributes,
    hands: &Hands<'_>,
    make: impl FnOnce() -> Result<String, ResourceError>,
) -> Result<(), ResourceError> {
    match goal {
        Value::Nothing => Ok(hands.host.remove(path, FileKind::File)?),
        Value::Content(content) => write(path, hands.contents.open(content)?, access, hands),
        _ => {
            let text = make()?;
            let is_new = hands.host.reader().meta(path)?.is_none();
            let access = NewAttributes { mode: is_new.then_some(PUBLIC_MODE), ..NewAttributes::default() };
            write(path, Box::new(Cursor::new(text.as_bytes())), access, hands)
        }
    }
}

fn write<'a>(
    path: &HostPath,
    content: Box<dyn Read + 'a>,
    access: NewAttributes,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    Ok(hands.host.write(FileWrite::new(path.clone(), content, access))?)
}
