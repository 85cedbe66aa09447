//! The committed JSON Schemas and the reference page are what the types say. `MUSTER_GENERATE=1` writes them.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use super::test_reference::{collection_page, reference_page};
use super::{collection_schema, document_schemas};
use crate::collection::Collection;

#[test]
fn json_schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json/v1");
    for (name, schema) in document_schemas() {
        let path = folder.join(format!("{name}.json"));
        check_schema(&path, &schema);
    }
    for collection in Collection::ALL {
        check_schema(&folder.join(format!("resources/{collection}.json")), &collection_schema(collection));
    }
}

fn check_schema(path: &Path, schema: &serde_json::Value) {
    check_current(path, &format!("{}\n", serde_json::to_string_pretty(schema).expect("json")));
}

#[test]
fn the_reference_pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    check_current(&folder.join("attributes.md"), &reference_page());
    for collection in Collection::ALL {
        check_current(&folder.join(format!("resources/{collection}.md")), &collection_page(collection));
    }
}

fn check_current(path: &Path, text: &str) {
    if std::env::var_os("MUSTER_GENERATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, text).expect("written");
    } else {
        let committed = fs::read_to_string(path).unwrap_or_default();
        assert!(committed == text, "{} is not current: run make generated", path.display());
    }
}
