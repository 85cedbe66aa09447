//! The committed JSON Schemas are what the types say. `MUSTER_GENERATE=1` writes them.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use super::document_schemas;

#[test]
fn json_schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json/v1");
    for (name, schema) in document_schemas() {
        let path = folder.join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).expect("json"));
        if std::env::var_os("MUSTER_GENERATE").is_some() {
            fs::create_dir_all(&folder).expect("folder");
            fs::write(&path, text).expect("written");
        } else {
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "{} is not current: run make generated", path.display());
        }
    }
}
