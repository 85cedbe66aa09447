//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// One file, by its path from the top of the repository.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Whether it is test code: a file or folder named so, or the check of a generated file.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/generated.rs")
            || self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.starts_with("test_"))
    }

    /// Its code without comments.
    pub(crate) fn code(&self) -> String {
        let lines = self.text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
        lines.collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// All files of people's making with one of these endings; lock files and build folders are not.
pub(crate) fn sources(endings: &[&str]) -> Vec<Source> {
    let top = top();
    let mut found = Vec::new();
    collect(&top, &top, endings, &mut found);
    assert!(found.len() > 1, "no files with {endings:?} below {top:?}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(top: &Path, folder: &Path, endings: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !matches!(name.as_str(), "target" | ".git" | ".lab" | "book") {
            collect(top, &path, endings, found);
        } else if kind.is_file() && name != "Cargo.lock" && endings.iter().any(|ending| name.ends_with(ending)) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            found.push(Source { path: path.strip_prefix(top).unwrap().to_str().unwrap().to_owned(), text });
        }
    }
}
