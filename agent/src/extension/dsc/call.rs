//! One call of a program of a resource.

use super::catalogue::{Found, check_trust};
use super::manifest::{Argument, Input, Manifest, Method, SecurityContext};
use crate::host::{FileKind, HostPath, Program, ProgramOutput, Reader};
use serde_json::{Map, Value};
use std::time::Duration;

/// The most that a program may print, in bytes.
pub(super) const MAX_OUTPUT: usize = 1 << 20;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
/// Variables that change what a program is, and are never taken from attributes.
const TAKEN: [&str; 3] = ["PATH", "HOME", "LANG"];

/// The program of a method, with the state as the manifest says. There is no shell.
///
/// # Errors
/// Saying why it cannot be called.
pub(super) fn program_of(
    found: &Found,
    method: &Method,
    state: &Map<String, Value>,
    timeout: Option<Duration>,
    reader: &mut dyn Reader,
) -> Result<Program, String> {
    let root = rustix::process::geteuid().is_root();
    match method.require_security_context {
        Some(SecurityContext::Elevated) if !root => return Err("it must run as root".to_owned()),
        Some(SecurityContext::Restricted) if root => return Err("it must not run as root".to_owned()),
        _ => {}
    }
    let json = Value::Object(state.clone()).to_string();
    let mut argv = vec![executable(found, &method.executable, reader)?];
    for argument in &method.args {
        match argument {
            Argument::Plain(text) => argv.push(text.clone()),
            Argument::Json(name) => argv.extend([name.json_input_arg.clone(), json.clone()]),
            Argument::Type(name) => {
                argv.extend([name.resource_type_arg.clone(), found.manifest.resource_type.clone()]);
            }
            Argument::Path(name) => argv.extend([name.resource_path_arg.clone(), found.path.to_string()]),
            Argument::WhatIf(_) => {}
        }
    }
    let mut program = Program::new(argv);
    program.cwd = Some(found.folder.to_string());
    program.timeout = Some(timeout.unwrap_or(DEFAULT_TIMEOUT));
    program.max_output = Some(MAX_OUTPUT);
    match method.input {
        Some(Input::Stdin) => program.stdin = json.into_bytes(),
        Some(Input::Env) => {
            for (name, value) in state {
                if let Some(text) = variable(name, value)? {
                    program.env.insert(name.clone(), text);
                }
            }
        }
        None => {}
    }
    Ok(program)
}

/// A path as it is; a name with slashes from the manifest's folder on; a plain name from that folder, or else as the host
/// finds its programs.
fn executable(found: &Found, name: &str, reader: &mut dyn Reader) -> Result<String, String> {
    let path = match name.strip_prefix("./").unwrap_or(name) {
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("{}/{relative}", found.folder.as_str().trim_end_matches('/')),
    };
    let path = HostPath::new(&path).map_err(|error| error.to_string())?;
    match reader.meta(&path).map_err(|error| error.to_string())? {
        // Links lead to what belongs to the distribution; whose they are was checked on the way.
        Some(meta) if meta.kind == FileKind::Link && meta.uid == 0 => Ok(path.to_string()),
        Some(meta) => {
            check_trust(&meta, FileKind::File).map(|()| path.to_string()).map_err(|fault| format!("{path} {fault}"))
        }
        None if name.contains('/') => Err(format!("there is no {path}")),
        None => Ok(name.to_owned()),
    }
}

/// A property as a variable, as DSC writes it; nothing for null.
fn variable(name: &str, value: &Value) -> Result<Option<String>, String> {
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || TAKEN.contains(&name) || name.starts_with("LD_") {
        return Err(format!("the property '{name}' cannot be a variable"));
    }
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let text = match value {
        Value::Null => return Ok(None),
        Value::Bool(value) => value.to_string(),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(plain).collect();
            items.ok_or_else(|| format!("the list '{name}' cannot be a variable"))?.join(",")
        }
        Value::Object(_) => return Err(format!("the property '{name}' cannot be a variable")),
        other => plain(other).unwrap_or_default(),
    };
    if text.contains('\0') { Err(format!("the property '{name}' cannot be a variable")) } else { Ok(Some(text)) }
}

/// What a program printed, if it says that all went well.
///
/// # Errors
/// Saying how it failed.
pub(super) fn printed(manifest: &Manifest, output: &ProgramOutput) -> Result<String, String> {
    if !output.success() {
        let meaning = manifest.exit_codes.get(&output.code.to_string());
        let meaning = meaning.map(|meaning| format!(" ({meaning})")).unwrap_or_default();
        let words = last_message(&output.stderr);
        let words = if words.is_empty() { words } else { format!(": {words}") };
        return Err(format!("it ended with code {}{meaning}{words}", output.code));
    }
    if output.stdout.len() >= MAX_OUTPUT {
        return Err(format!("it wrote {MAX_OUTPUT} bytes or more"));
    }
    String::from_utf8(output.stdout.clone()).map_err(|_| "it wrote what is not UTF-8".to_owned())
}

/// The last complaint. Resources of DSC complain in lines of JSON, in one of two forms.
fn last_message(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let json: Option<Value> = serde_json::from_str(line).ok();
    let inner = json.as_ref().and_then(|json| {
        let traced = json.get("fields").and_then(|fields| fields.get("message"));
        traced.or_else(|| json.get("error")).or_else(|| json.get("warn")).and_then(Value::as_str)
    });
    inner.unwrap_or(line).chars().filter(|c| !c.is_control()).take(300).collect()
}
