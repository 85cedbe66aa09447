//! Filters beside MiniJinja's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::native::node_of_value;
use super::secret::STANDS_ALONE;
use crate::model::Place;

/// All filters, for hints.
pub(super) const NAMES: [&str; 50] = [
    "abs",
    "attr",
    "b64encode",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "to_json",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("b64encode", encode_base64);
    engine.add_filter("to_json", encode_json);
    engine.add_filter("tojson", encode_json);
}

fn encode_base64(value: Value) -> Result<String, Error> {
    match value.as_str() {
        Some(text) => Ok(STANDARD.encode(text)),
        None => Err(refused(format!("b64encode takes a string, not {}", value.kind()))),
    }
}

/// JSON as it stands in a file: MiniJinja's own escapes it for HTML, and writes undefined as null.
fn encode_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<Value> = options.get("indent")?;
    options.assert_all_used()?;
    let pretty = indent.is_some_and(|indent| indent.is_true());
    let node = node_of_value(value, &Place::start_of("")).map_err(|fault| refused(fault.to_string()))?;
    if node.secret().is_some() {
        return Err(refused(STANDS_ALONE.to_owned()));
    }
    let json = node.to_json();
    let written = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
    written.map_err(|error| refused(error.to_string()))
}

fn refused(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}
