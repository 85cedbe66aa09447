//! One plug-in that runs.
#![allow(clippy::disallowed_methods, reason = "reads the clock")]

use super::message::{Answer, Code, Description, Refusal};
use crate::host::Program;
use crate::io::child_lines::{ChildError, ChildLines};
use crate::resource::ResourceError;
use muster_schema::json::load_strict;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

/// The protocol that is spoken here.
const PROTOCOL: u32 = 1;
/// What a plug-in may offer.
const FEATURES: [&str; 2] = ["list", "remove"];
/// The longest line, in bytes.
const MAX_LINE: usize = 1 << 20;
/// How long a plug-in that was told to stop may take for it.
const CANCEL: Duration = Duration::from_secs(2);

/// Why a question has no answer.
pub(super) enum Failure {
    /// The plug-in said so, and goes on.
    Refused(ResourceError),
    /// It cannot be used here, as the end of a sentence.
    Blocked(String),
    /// It broke a rule, and is of no use any more.
    Broken(String),
}

pub(super) struct Session {
    lines: ChildLines,
    features: Vec<String>,
    last: u64,
    used: Instant,
}

impl Session {
    /// Starts a plug-in and asks it what it is.
    pub(super) fn begin(path: &Path, timeout: Duration) -> Result<Session, Failure> {
        let program = Program::new([path.to_string_lossy()]);
        let lines = ChildLines::start(&program, MAX_LINE).map_err(broken)?;
        let mut session = Session { lines, features: Vec::new(), last: 0, used: Instant::now() };
        // There is no feature that this agent could not do without.
        let asked = json!({"protocol": PROTOCOL, "features": []});
        let description: Description = session.ask("describe", asked, timeout)?;
        if description.protocol != PROTOCOL {
            let reason = format!("speaks protocol {}, and this agent {PROTOCOL}", description.protocol);
            return Err(Failure::Blocked(reason));
        }
        if let Some(other) = description.features.iter().find(|one| !FEATURES.contains(&one.as_str())) {
            return Err(Failure::Blocked(format!("has the feature {other:?}, which this agent does not know")));
        }
        session.features = description.features;
        Ok(session)
    }

    /// Whether it offers a feature.
    pub(super) fn offers(&self, feature: &str) -> bool {
        self.features.iter().any(|one| one == feature)
    }

    /// Whether nobody asked it anything for so long.
    pub(super) fn is_idle(&self, time: Duration) -> bool {
        self.used.elapsed() > time
    }

    /// Whether its process is still there.
    pub(super) fn is_alive(&self) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", self.lines.id()))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
    }

    /// Asks one thing. One that takes too long is told to stop, and then ended.
    pub(super) fn ask<T: DeserializeOwned>(
        &mut self,
        op: &str,
        mut asked: Value,
        timeout: Duration,
    ) -> Result<T, Failure> {
        self.last += 1;
        self.used = Instant::now();
        asked["id"] = self.last.into();
        asked["op"] = op.into();
        let line = self.lines.ask(asked.to_string().as_bytes(), timeout).map_err(|error| {
            if matches!(error, ChildError::TimedOut(_)) {
                let cancel = json!({"id": self.last + 1, "op": "cancel", "request": self.last});
                let _ = self.lines.ask(cancel.to_string().as_bytes(), CANCEL);
            }
            broken_while(op, error)
        })?;
        let answer: Answer = load_strict(&line, MAX_LINE)
            .map_err(|error| Failure::Broken(format!("its answer to {op} cannot be read: {}", chain(&error))))?;
        if answer.id != Some(self.last) {
            return Err(Failure::Broken(format!("it answered to {op} under another number")));
        }
        match (answer.ok, answer.error) {
            (Some(ok), None) => serde_json::from_value(Value::Object(ok))
                .map_err(|error| Failure::Broken(format!("its answer to {op} has another form: {error}"))),
            (None, Some(refusal)) => Err(Failure::Refused(error_of(&refusal))),
            _ => Err(Failure::Broken(format!("its answer to {op} is neither ok nor error"))),
        }
    }
}

/// What a refusal means. What it says is shown to people.
fn error_of(refusal: &Refusal) -> ResourceError {
    let message: String = refusal.message.chars().filter(|c| !c.is_control()).take(300).collect();
    match refusal.code {
        Code::Blocked | Code::Unsupported => ResourceError::Blocked(message),
        Code::Retained => ResourceError::Retained(message),
        Code::Unknown => ResourceError::Unknown(message),
        Code::Failed | Code::Cancelled => ResourceError::Failed(message),
    }
}

fn broken(error: ChildError) -> Failure {
    Failure::Broken(chain(&error))
}

fn broken_while(op: &str, error: ChildError) -> Failure {
    Failure::Broken(format!("asked to {op}, {}", chain(&error)))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
