//! Modules of Ansible as resources.
//!
//! Modules belong to the operator: ansible-core and collections are installed on the host, and run as processes of their
//! own. A module can say whether it would change anything, and no more, so there is no original to come back to.

mod diff;
mod error;
mod mask;
mod module_name;
mod modules;
mod result;
#[cfg(test)]
mod tests;

pub use error::ModuleError;
pub use mask::Mask;
pub use module_name::{BadModuleName, ModuleName};
pub use modules::AnsibleModules;
pub use result::{CheckResult, ModuleOutput};

use super::arguments::arguments_of;
use super::{ExtensionRead, ExtensionWrite, Thing, not_here};
use crate::host::RealHost;
use crate::resource::{Change, DIFFERS, ResourceError, State, Value};
use muster_schema::ExtensionName;
use muster_schema::resource::{Existence, ExtensionProvider};
use serde_json::Map;
use std::path::Path;

/// The argument by which modules are told that a thing is not to be there.
const STATE: &str = "state";

/// What a module is told about a thing, and which one it is.
fn call_of(thing: &Thing<'_>) -> Result<(ModuleName, Map<String, serde_json::Value>), ResourceError> {
    let ExtensionProvider::Ansible(module) = &thing.spec.provider else { return Err(not_here(&thing.spec.provider)) };
    let module = module.parse().map_err(|error: BadModuleName| ResourceError::Blocked(error.to_string()))?;
    let arguments = arguments_of(thing.id, thing.spec.id_argument.as_deref(), &thing.spec.attributes);
    let mut arguments = arguments.map_err(ResourceError::Blocked)?;
    if thing.existence == Existence::Absent {
        arguments.insert(STATE.to_owned(), "absent".into());
    }
    Ok((module, arguments))
}

fn failed(error: ModuleError) -> ResourceError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    match error {
        ModuleError::Start(_) => ResourceError::Blocked(text),
        _ => ResourceError::Failed(text),
    }
}

impl ExtensionRead for AnsibleModules {
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError> {
        let (module, arguments) = call_of(thing)?;
        let differs = match self.check(&module, &arguments, thing.timeout).map_err(failed)? {
            CheckResult::CannotTell(why) => {
                return Err(ResourceError::Unknown(format!("{} cannot tell: {why}", thing.spec.provider)));
            }
            CheckResult::InDesiredState if thing.existence == Existence::Absent => return Ok(State::Absent),
            CheckResult::InDesiredState => Value::Nothing,
            CheckResult::Differs { diff } => {
                let what = diff.unwrap_or_else(|| "something, and it does not say what".to_owned());
                format!("{what} (cannot be taken back)").into()
            }
        };
        Ok(State::present([(DIFFERS, differs)]))
    }

    fn list(&self, _: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError> {
        Err(ResourceError::Failed(format!("{provider} lists nothing, as none does")))
    }
}

impl ExtensionWrite for AnsibleModules {
    fn apply(&self, thing: &Thing<'_>, _: &Change) -> Result<(), ResourceError> {
        let (module, arguments) = call_of(thing)?;
        let host = RealHost::open(Path::new("/"))?;
        self.apply(&module, &arguments, thing.timeout, &host).map(drop).map_err(failed)
    }
}
