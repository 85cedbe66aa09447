//! The committed OpenAPI document is what the types say. `MUSTER_GENERATE=1` writes it.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use super::agent_openapi;

#[test]
fn the_openapi_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/agent-v1.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&agent_openapi()).expect("json"));
    if std::env::var_os("MUSTER_GENERATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(&path, text).expect("written");
    } else {
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{} is not current: run make generated", path.display());
    }
}
