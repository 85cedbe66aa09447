//! One thing of a resource: looking at it, changing it, removing it.

use super::call::{printed, program_of};
use super::catalogue::Found;
use super::compare::satisfies;
use super::manifest::{Method, Returned};
use crate::extension::arguments::{argument_of, arguments_of, attribute_of};
use crate::host::{HostRead, HostWrite, Program, ProgramOutput};
use crate::resource::ResourceError;
use serde_json::{Map, Value};
use std::time::Duration;

const EXIST: &str = "_exist";
const IN_DESIRED_STATE: &str = "_inDesiredState";

/// A state, and the properties that differ in it where the test itself judges that.
type Tested = (Map<String, Value>, Option<Vec<String>>);

/// One thing.
pub(super) struct Instance<'a> {
    pub found: &'a Found,
    pub id: &'a str,
    /// The property that takes the id.
    pub id_argument: Option<&'a str>,
    /// The attributes that are managed.
    pub attributes: &'a Map<String, Value>,
    pub timeout: Option<Duration>,
}

impl Instance<'_> {
    /// What there is: `None` when it does not exist, else its attributes. One that is as it is wanted, by the rules of DSC or
    /// by what its own test says, has the wanted value.
    pub(super) fn observe(
        &self,
        is_to_exist: bool,
        host: &dyn HostRead,
    ) -> Result<Option<Map<String, Value>>, ResourceError> {
        let wanted = self.state_of(self.attributes)?;
        let manifest = &self.found.manifest;
        if is_to_exist && let Some(fault) = manifest.check(&wanted) {
            return Err(ResourceError::Blocked(fault));
        }
        let test = manifest.test.as_ref().filter(|test| test.returns.is_some());
        let (state, judged) = match (&manifest.get, test) {
            (Some(get), None) => (self.state_by("get", get, &wanted, host)?, None),
            (Some(get), Some(_)) if !is_to_exist => (self.state_by("get", get, &wanted, host)?, None),
            (_, Some(test)) => self.test(test, &wanted, host)?,
            (None, None) => return Err(self.failed("neither get nor test says how it is")),
        };
        match state.get(EXIST) {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(None),
            Some(other) => return Err(self.failed(&format!("{EXIST} is {other}"))),
        }
        Ok(Some(self.attributes_of(&state, judged)))
    }

    /// Gives it these attributes; those that stay are given too, for a resource may need them.
    pub(super) fn set(&self, changed: &Map<String, Value>, host: &dyn HostWrite) -> Result<(), ResourceError> {
        let mut attributes = self.attributes.clone();
        attributes.extend(changed.clone());
        // What was found may hold what can only be read.
        attributes.retain(|name, _| !self.found.manifest.is_read_only(argument_of(name)));
        let state = self.state_of(&attributes)?;
        if let Some(fault) = self.found.manifest.check(&state) {
            return Err(ResourceError::Blocked(fault));
        }
        let Some(set) = &self.found.manifest.set else {
            return Err(ResourceError::Blocked(format!("{} can only be looked at", self.name())));
        };
        let text = self.text_by("set", set, &state, host.as_read(), |program| host.run(program))?;
        match set.returns {
            None => Ok(()),
            Some(Returned::State) => self.read_state("set", &text).map(drop),
            Some(Returned::StateAndDiff) => self.read_state_and_diff("set", &text).map(drop),
        }
    }

    /// Removes it.
    pub(super) fn remove(&self, host: &dyn HostWrite) -> Result<(), ResourceError> {
        let mut state = self.state_of(self.attributes)?;
        let manifest = &self.found.manifest;
        let (name, method) = match (&manifest.set, &manifest.delete) {
            (_, Some(delete)) => ("delete", delete),
            (Some(set), None) if set.handles_exist => {
                state.insert(EXIST.to_owned(), Value::Bool(false));
                ("set", set)
            }
            _ => return Err(ResourceError::Retained(format!("{} cannot remove it", self.name()))),
        };
        self.text_by(name, method, &state, host.as_read(), |program| host.run(program)).map(drop)
    }

    fn name(&self) -> String {
        format!("the DSC resource {}", self.found.manifest.resource_type)
    }

    fn failed(&self, reason: &str) -> ResourceError {
        ResourceError::Failed(format!("{}: {reason}", self.name()))
    }

    fn state_of(&self, attributes: &Map<String, Value>) -> Result<Map<String, Value>, ResourceError> {
        arguments_of(self.id, self.id_argument, attributes).map_err(ResourceError::Blocked)
    }

    fn text_by(
        &self,
        name: &str,
        method: &Method,
        state: &Map<String, Value>,
        host: &dyn HostRead,
        run: impl FnOnce(&Program) -> Result<ProgramOutput, crate::host::HostError>,
    ) -> Result<String, ResourceError> {
        let program = program_of(self.found, method, state, self.timeout, host.reader().as_mut());
        let mut program =
            program.map_err(|reason| ResourceError::Blocked(format!("{}, {name}: {reason}", self.name())))?;
        // What changes the host is not ended together with the agent.
        program.outlives = matches!(name, "set" | "delete");
        let output = run(&program)?;
        printed(&self.found.manifest, &output).map_err(|reason| self.failed(&format!("{name}: {reason}")))
    }

    fn state_by(
        &self,
        name: &str,
        method: &Method,
        wanted: &Map<String, Value>,
        host: &dyn HostRead,
    ) -> Result<Map<String, Value>, ResourceError> {
        let text = self.text_by(name, method, wanted, host, |program| host.query(program))?;
        self.read_state(name, &text)
    }

    /// What its own test says: the state, and which properties differ where it names them or says that none does.
    fn test(&self, test: &Method, wanted: &Map<String, Value>, host: &dyn HostRead) -> Result<Tested, ResourceError> {
        let text = self.text_by("test", test, wanted, host, |program| host.query(program))?;
        let (state, differing) = match test.returns {
            Some(Returned::StateAndDiff) => {
                let (state, differing) = self.read_state_and_diff("test", &text)?;
                (state, Some(differing))
            }
            _ => (self.read_state("test", &text)?, None),
        };
        let judged = match (state.get(IN_DESIRED_STATE), differing) {
            (None, differing) => differing,
            (Some(Value::Bool(true)), _) => Some(Vec::new()),
            (Some(Value::Bool(false)), Some(differing)) if !differing.is_empty() => Some(differing),
            (Some(Value::Bool(false)), _) => {
                // It does not say what differs: what differs by the rules, or else all.
                let named = wanted
                    .iter()
                    .filter(|(name, _)| Some(name.as_str()) != self.id_argument)
                    .filter(|(name, value)| !state.get(*name).is_some_and(|found| satisfies(value, found)));
                let named: Vec<String> = named.map(|(name, _)| name.clone()).collect();
                Some(if named.is_empty() { wanted.keys().cloned().collect() } else { named })
            }
            (Some(other), _) => return Err(self.failed(&format!("{IN_DESIRED_STATE} is {other}"))),
        };
        Ok((state, judged))
    }

    fn read_state(&self, name: &str, text: &str) -> Result<Map<String, Value>, ResourceError> {
        serde_json::from_str(text).map_err(|error| self.failed(&format!("{name} printed no JSON object: {error}")))
    }

    fn read_state_and_diff(&self, name: &str, text: &str) -> Result<(Map<String, Value>, Vec<String>), ResourceError> {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let [state, differing] = lines.as_slice() else {
            return Err(self.failed(&format!("{name} printed {} lines; a state and a list are needed", lines.len())));
        };
        let differing = serde_json::from_str(differing)
            .map_err(|error| self.failed(&format!("{name} printed no list of properties: {error}")))?;
        Ok((self.read_state(name, state)?, differing))
    }

    /// The properties under the names of attributes.
    fn attributes_of(&self, state: &Map<String, Value>, judged: Option<Vec<String>>) -> Map<String, Value> {
        let mut attributes = Map::new();
        for (name, found) in state {
            let is_special = name.starts_with(['_', '$']) || Some(name.as_str()) == self.id_argument;
            if !is_special && !self.found.manifest.is_read_only(name) {
                attributes.insert(attribute_of(name), found.clone());
            }
        }
        for (attribute, wanted) in self.attributes {
            let property = argument_of(attribute);
            attributes.remove(&attribute_of(property));
            let found = state.get(property);
            let is_right = match &judged {
                Some(differing) => !differing.iter().any(|name| name == property),
                None => found.is_some_and(|found| satisfies(wanted, found)),
            };
            let shown = match found {
                _ if is_right => Some(wanted),
                // Its test sees a difference where there is none to be seen.
                Some(found) if found == wanted => None,
                found => found,
            };
            attributes.extend(shown.map(|value| (attribute.clone(), value.clone())));
        }
        attributes
    }
}
