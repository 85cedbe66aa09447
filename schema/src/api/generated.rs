//! The committed OpenAPI documents are what the types say. `MUSTER_GENERATE=1` writes them.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::agent_openapi;

#[test]
fn the_openapi_document_is_current() {
    check_generated("openapi/agent-v1.json", &agent_openapi());
}

/// Compares the document with the committed one at this path of the crate, or writes that.
pub(crate) fn check_generated(path: &str, document: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = format!("{}\n", serde_json::to_string_pretty(document).expect("json"));
    if std::env::var_os("MUSTER_GENERATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(&path, text).expect("written");
    } else {
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{} is not current: run make generated", path.display());
    }
}
