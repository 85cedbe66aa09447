//! Commands with guards.
//!
//! What a command did cannot be seen, so its state is what its guards say: `done`, and the value of `once` for which
//! it last ran, which the ledger remembers. The way back of a command that ran is its `undo`.

use super::sealed_text::{check_filled, filled_bytes, filled_text};
use super::{Attributes, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted};
use crate::host::{Accounts, HostPath, HostRead, Program, ProgramOutput, Scope};
use muster_schema::Sha256Digest;
use muster_schema::content::BlobRef;
use muster_schema::resource::{CommandSpec, Existence, ResourceSpec};
use muster_schema::secret::Content;
use std::borrow::Cow;
use zeroize::Zeroize;

#[cfg(test)]
mod tests;

const DONE: &str = "done";
const ONCE: &str = "once";

impl ResourceType for CommandSpec {
    fn wanted(&self, _: Existence, _: Scope) -> Wanted {
        Wanted::default().with(DONE, Some(true)).with(ONCE, once_value(self))
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        Ok(State::present([(DONE, guards_say_done(self, view)?.into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state.get(DONE) == Some(&Value::Bool(false)) {
            // It leaves, and we ran it.
            let undone = Change { before: done(true), after: done(false) };
            let stays = || ResourceError::Retained("what it did has no `undo`".to_owned());
            return self.undo.as_ref().map(|_| Some(undone)).ok_or_else(stays);
        }
        check_filled(self.secrets())?;
        let asked = wanted.state.get(ONCE);
        let ran_for_this = asked.is_some() && asked == observed.get(ONCE);
        let nothing_asked = wanted.state.get(DONE).is_none();
        if nothing_asked || ran_for_this || observed.get(DONE) == Some(&Value::Bool(true)) {
            return Ok(None);
        }
        Ok(Some(Change { before: done(false), after: wanted.state.clone() }))
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        match (&self.undo, change.after(DONE)) {
            (Some(undo), Some(Value::Bool(false))) => run(self, undo.argv.as_deref(), undo.script, None, hands),
            _ => run(self, self.argv.as_deref(), self.script, self.stdin.as_ref(), hands),
        }
    }

    fn react(&self, _: &str, _: super::Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
        run(self, self.argv.as_deref(), self.script, self.stdin.as_ref(), hands)
    }

    fn starts(&self, change: &Change) -> bool {
        change.after(DONE) == Some(&Value::Bool(true))
    }

    fn can_tell(&self) -> bool {
        self.creates.is_some() || self.unless.is_some() || self.only_if.is_some() || self.once.is_some()
    }

    fn remembered(&self, change: &Change) -> Attributes {
        let once = change.after(ONCE).cloned();
        once.map(|value| (Cow::Borrowed(ONCE), value)).into_iter().collect()
    }
}

fn done(done: bool) -> State {
    State::present([(DONE, done.into())])
}

/// Without any guard it runs once for each form that it takes.
fn once_value(spec: &CommandSpec) -> Option<String> {
    if spec.once.is_some() || spec.can_tell() {
        return spec.once.clone();
    }
    // Another ciphertext of the same secret is no other form.
    let mut form = spec.clone();
    let filled: Vec<_> = spec.secrets().into_iter().map(|(slot, content)| (slot, content.filled)).collect();
    form.secret_contents().into_iter().for_each(|content| content.segments.clear());
    let form = match filled.is_empty() {
        true => serde_json::to_vec(&form),
        false => serde_json::to_vec(&(&form, filled)),
    };
    Some(format!("sha256:{}", Sha256Digest::of(&form.unwrap_or_default())))
}

/// Whether a guard says that there is nothing to do.
fn guards_say_done(spec: &CommandSpec, view: &View<'_>) -> Result<bool, ResourceError> {
    if let Some(path) = &spec.creates {
        let path = HostPath::new(path).map_err(|error| ResourceError::Failed(error.to_string()))?;
        if view.reader().meta(&path)?.is_some() {
            return Ok(true);
        }
    }
    let accounts = view.accounts()?;
    let ask = |argv: &[String]| -> Result<bool, ResourceError> {
        let program = dress(spec, Program::new(argv.iter().cloned()), &accounts, view.host())?;
        Ok(view.host().query(&program)?.success())
    };
    if let Some(argv) = &spec.unless
        && ask(argv)?
    {
        return Ok(true);
    }
    if let Some(argv) = &spec.only_if
        && !ask(argv)?
    {
        return Ok(true);
    }
    Ok(false)
}

fn run(
    spec: &CommandSpec,
    argv: Option<&[String]>,
    script: Option<BlobRef>,
    stdin: Option<&Content>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let load = |content: Option<BlobRef>| -> Result<Option<Vec<u8>>, ResourceError> {
        let Some(content) = content else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = hands.contents.open(&content)?.read_to_end(&mut bytes);
        read.map_err(|_| ResourceError::NoContent(content.sha256.to_string()))?;
        Ok(Some(bytes))
    };
    let stdin = match stdin {
        Some(Content::Secret(content)) => filled_bytes(content, hands.host.as_read())?.to_vec(),
        Some(Content::Blob(blob)) => load(Some(*blob))?.unwrap_or_default(),
        None => Vec::new(),
    };
    let program = Program {
        stdin,
        script: load(script)?,
        timeout: hands.timeout,
        ..Program::new(argv.unwrap_or_default().iter().cloned())
    };
    let mut program = dress(spec, program, &hands.accounts()?, hands.host.as_read())?;
    let ran = hands.host.run(&program);
    program.stdin.zeroize();
    program.env.values_mut().for_each(Zeroize::zeroize);
    check_code(spec, &program, &ran?)
}

fn check_code(spec: &CommandSpec, program: &Program, output: &ProgramOutput) -> Result<(), ResourceError> {
    if spec.ok_codes.as_deref().unwrap_or(&[0]).contains(&output.code) {
        return Ok(());
    }
    let error = ResourceError::Program {
        program: program.argv.first().cloned().unwrap_or_else(|| "script".to_owned()),
        code: output.code,
        message: output.last_words(),
    };
    // It may say what it was given.
    Err(if spec.secrets().is_empty() { error } else { error.without_words() })
}

/// Adds where, as whom and with which variables it runs.
fn dress(
    spec: &CommandSpec,
    mut program: Program,
    accounts: &Accounts,
    host: &dyn HostRead,
) -> Result<Program, ResourceError> {
    program.cwd.clone_from(&spec.cwd);
    for (name, text) in spec.env.iter().flatten() {
        let text = filled_text(text, host)?;
        if text.contains('\0') {
            return Err(ResourceError::Blocked(format!("the variable {name} has a NUL, which no variable can")));
        }
        program.env.insert(name.clone(), text.to_string());
    }
    if let Some(user) = &spec.user {
        let login = accounts.login(user).ok_or_else(|| ResourceError::Blocked(format!("there is no user {user}")))?;
        program.user = Some((login.uid, login.gid));
        program.env.entry("HOME".to_owned()).or_insert_with(|| login.home.clone());
    }
    Ok(program)
}
