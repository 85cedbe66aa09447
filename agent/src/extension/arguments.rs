//! What a thing of another system is called and told with.

use serde_json::{Map, Value};

/// The attributes of a resource under the names that the other system has for them, and its id under the name of the
/// argument that takes it. An underscore at the end of an attribute's name is not part of the other name: so `mode_` is
/// how `mode` is written, which has a meaning here.
///
/// # Errors
/// Saying which argument is given twice.
pub(super) fn arguments_of(
    id: &str,
    id_argument: Option<&str>,
    attributes: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let mut arguments = Map::new();
    let id = id_argument.map(|argument| (argument, Value::from(id)));
    let attributes = attributes.iter().map(|(name, value)| (argument_of(name), value.clone()));
    for (name, value) in id.into_iter().chain(attributes) {
        if arguments.insert(name.to_owned(), value).is_some() {
            return Err(format!("the argument '{name}' is given twice"));
        }
    }
    Ok(arguments)
}

/// What an attribute is called there.
pub(super) fn argument_of(attribute: &str) -> &str {
    attribute.strip_suffix('_').filter(|name| !name.is_empty()).unwrap_or(attribute)
}

/// The attribute that is called so there, where nobody has chosen its name.
pub(super) fn attribute_of(argument: &str) -> String {
    if argument.ends_with('_') { format!("{argument}_") } else { argument.to_owned() }
}
