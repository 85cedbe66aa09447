//! What a module says of itself when it ends.
//!
//! The form is that of ansible-core's `AnsibleModule.exit_json` and `fail_json`: one JSON object on standard output with
//! `changed`, and perhaps `failed`, `skipped`, `msg`, `rc`, `diff`. Whatever is missing or strange is a failure here:
//! Ansible itself takes silence for `changed: false`, and nothing here may be compliant by silence.

use super::{Mask, ModuleError, ModuleName, diff};
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// How a module ended, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleOutput {
    /// Its exit code; minus n when signal n ended it.
    pub code: i32,
    /// What it wrote.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

/// What a module says in check mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// It would change nothing.
    InDesiredState,
    /// It would change something.
    Differs {
        /// What, as far as it shows that: bounded, without secrets.
        diff: Option<String>,
    },
    /// It cannot tell, for this reason: it has no check mode.
    CannotTell(String),
}

/// Reads what a module said in check mode.
///
/// # Errors
/// When it failed or was not understood.
pub(super) fn read_check(module: &ModuleName, output: &ModuleOutput, mask: &Mask) -> Result<CheckResult, ModuleError> {
    let result = read_object(module, output, mask)?;
    if result.get("skipped").is_some_and(|skipped| *skipped != Value::Bool(false)) {
        let reason = mask.text(message_of(&result).unwrap_or("it was skipped"));
        return Ok(CheckResult::CannotTell(reason));
    }
    match changed(module, &result)? {
        false => Ok(CheckResult::InDesiredState),
        true => Ok(CheckResult::Differs { diff: result.get("diff").and_then(diff::show).map(|text| mask.text(&text)) }),
    }
}

/// Reads whether a module that ran changed something.
///
/// # Errors
/// When it failed or was not understood.
pub(super) fn read_change(module: &ModuleName, output: &ModuleOutput, mask: &Mask) -> Result<bool, ModuleError> {
    changed(module, &read_object(module, output, mask)?)
}

fn read_object(module: &ModuleName, output: &ModuleOutput, mask: &Mask) -> Result<Map<String, Value>, ModuleError> {
    let no_result = |reason: String| ModuleError::NoResult { module: module.clone(), reason: mask.text(&reason) };
    let text = output.stdout.trim();
    if text.is_empty() {
        let words = last_line(&output.stderr);
        return Err(no_result(match (output.code, words.is_empty()) {
            (0, true) => "it said nothing; a module whose work is done by a plug-in of Ansible's controller \
                          cannot be used"
                .to_owned(),
            (code, true) => format!("it ended with code {code} and said nothing"),
            (code, false) => format!("it ended with code {code}: {words}"),
        }));
    }
    let result: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| no_result(format!("its result is no JSON object: {error}")))?;
    // As Ansible does: a code of a program that a module ran counts where the module itself says nothing.
    let said = result.get("failed");
    let bad_code = || result.get("rc").is_some_and(|rc| *rc != 0 && rc.as_str() != Some("0"));
    let failed = said.map_or_else(bad_code, |failed| *failed != Value::Bool(false));
    if failed || output.code != 0 {
        let message = match message_of(&result) {
            Some(message) => message.to_owned(),
            None => format!("it ended with code {} and does not say why", output.code),
        };
        let message: String =
            mask.text(&message).chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
        return Err(ModuleError::Failed { module: module.clone(), message });
    }
    Ok(result)
}

fn changed(module: &ModuleName, result: &Map<String, Value>) -> Result<bool, ModuleError> {
    result.get("changed").and_then(Value::as_bool).ok_or_else(|| ModuleError::NoResult {
        module: module.clone(),
        reason: "it does not say whether it changes anything; it only looks, or is no module of this kind".to_owned(),
    })
}

fn message_of(result: &Map<String, Value>) -> Option<&str> {
    result.get("msg").and_then(Value::as_str).filter(|message| !message.is_empty())
}

fn last_line(text: &str) -> String {
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().filter(|c| !c.is_control()).take(300).collect()
}
