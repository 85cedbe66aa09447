mod attack;

use serde_json::Value;

use super::*;

fn read(text: &str) -> Result<Value, JsonError> {
    load_strict(text.as_bytes(), 1024)
}

#[test]
fn plain_documents_are_read() {
    assert!(read(r#"{"a": [1, -2, true, null, "x"], "b": {"a": {}}}"#).is_ok());
}
