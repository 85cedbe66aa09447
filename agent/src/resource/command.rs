//! Commands with guards.
//!
//! What a command did cannot be seen, so its state is what its guards say: `done`, and the value of `once` for which
//! it last ran, which the ledger remembers. The way back of a command that ran is its `undo`.

use super::{Attributes, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted};
use crate::host::{Accounts, HostPath, Program, ProgramOutput, Scope};
use muster_schema::Sha256Digest;
use muster_schema::content::BlobRef;
use muster_schema::resource::{CommandSpec, Existence};
use std::borrow::Cow;

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
            _ => run(self, self.argv.as_deref(), self.script, self.stdin, hands),
        }
    }

    fn react(&self, _: &str, _: super::Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
        run(self, self.argv.as_deref(), self.script, self.stdin, hands)
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
    let form = serde_json::to_vec(spec).unwrap_or_default();
    Some(format!("sha256:{}", Sha256Digest::of(&form)))
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
        let program = dress(spec, Program::new(argv.iter().cloned()), &accounts)?;
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
    stdin: Option<BlobRef>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let load = |content: Option<BlobRef>| -> Result<Option<Vec<u8>>, ResourceError> {
        let Some(content) = content else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = hands.contents.open(&content)?.read_to_end(&mut bytes);
        read.map_err(|_| ResourceError::NoContent(content.sha256.to_string()))?;
        Ok(Some(bytes))
    };
    let program = Program {
        stdin: load(stdin)?.unwrap_or_default(),
        script: load(script)?,
        timeout: hands.timeout,
        ..Program::new(argv.unwrap_or_default().iter().cloned())
    };
    let program = dress(spec, program, &hands.accounts()?)?;
    check_code(spec, &program, &hands.host.run(&program)?)
}

fn check_code(spec: &CommandSpec, program: &Program, output: &ProgramOutput) -> Result<(), ResourceError> {
    if spec.ok_codes.as_deref().unwrap_or(&[0]).contains(&output.code) {
        return Ok(());
    }
    Err(ResourceError::Program {
        program: program.argv.first().cloned().unwrap_or_else(|| "script".to_owned()),
        code: output.code,
        message: output.last_words(),
    })
}

/// Adds where, as whom and with which variables it runs.
fn dress(spec: &CommandSpec, mut program: Program, accounts: &Accounts) -> Result<Program, ResourceError> {
    program.cwd.clone_from(&spec.cwd);
    program.env = spec.env.clone().unwrap_or_default();
    if let Some(user) = &spec.user {
        let login = accounts.login(user).ok_or_else(|| ResourceError::Blocked(format!("there is no user {user}")))?;
        program.user = Some((login.uid, login.gid));
        program.env.entry("HOME".to_owned()).or_insert_with(|| login.home.clone());
    }
    Ok(program)
}
