//! Two renders of one revision.

use super::*;

#[test]
fn a40_the_order_of_files_and_maps_means_nothing() {
    let expected = rendered(&files_of(example()));
    assert_eq!(expected.len(), 5);
    for seed in 1..20 {
        let mut numbers = Numbers(seed * 7919);
        let mut files = example();
        for (path, bytes) in &mut files {
            if path.ends_with(".yaml") {
                let document: Value = serde_yaml::from_slice(bytes).expect("YAML");
                // JSON is YAML.
                *bytes = serde_json::to_vec(&shuffled(document, &mut numbers)).expect("JSON");
            }
        }
        for index in (1..files.len()).rev() {
            files.swap(index, numbers.below(index + 1));
        }
        assert_eq!(rendered(&files_of(files)), expected, "seed {seed}");
    }
}
