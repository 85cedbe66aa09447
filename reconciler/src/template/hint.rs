//! What was probably meant by a word that is not defined.

use minijinja::Value;

use super::{TemplateFault, filters};
use crate::model::did_you_mean;

/// The functions of the engine itself.
const FUNCTIONS: [&str; 3] = ["dict", "namespace", "range"];

impl TemplateFault {
    /// `did you mean '…'?`, where a name, an attribute or a filter is unknown; `names` are those of the scope.
    pub fn hint<'a>(&self, scope: &Value, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
        if let Some(filter) = self.reason.strip_prefix("there is no filter ") {
            return did_you_mean(filter, filters::NAMES);
        }
        let (before, _) = self.reason.split_once("` is undefined")?;
        let path = before.rsplit('`').next()?;
        match path.rsplit_once('.') {
            None => did_you_mean(path, names.into_iter().chain(FUNCTIONS)),
            Some((parent, name)) => {
                let keys = keys(&at(scope, parent)?);
                did_you_mean(name, keys.iter().map(String::as_str))
            }
        }
    }
}

/// The value of a path of names: it was read before, and is read again without an effect.
fn at(scope: &Value, path: &str) -> Option<Value> {
    path.split('.')
        .try_fold(scope.clone(), |value, name| value.get_attr(name).ok().filter(|attribute| !attribute.is_undefined()))
}

fn keys(value: &Value) -> Vec<String> {
    let keys = value.try_iter().ok();
    keys.into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect()
}
