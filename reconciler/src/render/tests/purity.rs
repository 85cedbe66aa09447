//! A render depends on what the repository says, not on the order in which it is written.

mod attack;

use std::path::Path;

use serde_json::{Map, Value};

use super::{FactsOfFleet, debian, shown};
use crate::io::repository::list_folder;
use crate::model::tests::files_of;
use crate::model::{FileEntry, ModelCache, RepositoryFiles, load_model};
use crate::render::check_fleet;

/// A small generator of numbers, the same at every run (Lehmer's).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        usize::try_from(self.0).expect("small") % limit.max(1)
    }
}

/// The same document with the keys of every map in another order.
fn shuffled(value: Value, numbers: &mut Numbers) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            for index in (1..entries.len()).rev() {
                entries.swap(index, numbers.below(index + 1));
            }
            let entries = entries.into_iter().map(|(key, value)| (key, shuffled(value, numbers)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| shuffled(item, numbers)).collect(),
        other => other,
    }
}

fn example() -> Vec<(String, Vec<u8>)> {
    let files = list_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-repo")).expect("listed");
    let content = |(path, entry): (&std::sync::Arc<str>, &FileEntry)| match entry {
        FileEntry::File(id) => Some((path.to_string(), files.load_blob(path, *id, 1 << 20).expect("content"))),
        _ => None,
    };
    files.entries().filter_map(content).collect()
}

fn rendered(files: &RepositoryFiles) -> Vec<String> {
    let (model, found) = load_model(files, &mut ModelCache::default());
    assert_eq!(found, []);
    let facts: FactsOfFleet = model.hosts().map(|host| (host.id.clone(), debian("10.0.0.1"))).collect();
    let checked = check_fleet(&model, &facts, Vec::new());
    assert_eq!(checked.found, []);
    checked.rendered.iter().map(|(host, rendered)| format!("{host}\n{}", shown(rendered))).collect()
}

#[test]
fn one_repository_renders_to_the_same_bytes_every_time() {
    let files = files_of(example());
    assert_eq!(rendered(&files), rendered(&files));
}
