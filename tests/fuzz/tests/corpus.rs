//! The samples of every target, replayed without an engine. What fuzzing found stays here as a sample.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use muster_fuzz::{TARGETS, target};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_sample_is_read_without_a_panic() {
    for target in TARGETS {
        let samples = files(&corpus().join(target.name));
        assert!(!samples.is_empty(), "{} has no sample to begin with", target.name);
        for sample in samples {
            println!("{}", sample.display());
            (target.run)(&fs::read(sample).unwrap());
        }
    }
}

#[test]
fn every_folder_of_samples_is_a_targets() {
    for folder in files(&corpus()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(target(name).is_some(), "{name} is no target");
    }
}

/// The faulty repositories of the reconciler's own tests are samples too: `make fuzz` begins with them.
#[test]
fn faulty_repositories_are_read_without_a_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reconciler/tests/faulty");
    let repository = target("repository").unwrap();
    for sample in files(&folder) {
        (repository.run)(&fs::read(sample).unwrap());
    }
}
