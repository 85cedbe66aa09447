use serde_json::Value;

use super::*;

fn read(text: &str) -> Result<Value, JsonError> {
    load_strict(text.as_bytes(), 1024)
}

#[test]
fn plain_documents_are_read() {
    assert!(read(r#"{"a": [1, -2, true, null, "x"], "b": {"a": {}}}"#).is_ok());
}

#[test]
fn ambiguous_documents_are_refused() {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    let long = format!("\"{}\"", "x".repeat(2000));
    for text in
        [r#"{"a": 1, "a": 1}"#, r#"{"a": {"b": 1, "\u0062": 2}}"#, "1.5", "1e3", "{} {}", "{", "NaN", &deep, &long]
    {
        assert!(read(text).is_err(), "{text:.60} was taken");
    }
}
