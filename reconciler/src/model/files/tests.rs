use std::sync::Arc;

use super::{BlobError, BlobId, BlobSource, FileEntry, RepositoryFiles};

struct Nothing;

impl BlobSource for Nothing {
    fn load_blob(&self, _: &str, _: BlobId, limit: u64) -> Result<Vec<u8>, BlobError> {
        Err(BlobError::TooLarge { limit })
    }
}

fn link(target: &str) -> FileEntry {
    FileEntry::Link { target: target.to_owned() }
}

#[test]
fn what_leads_out_is_found() {
    let file = FileEntry::File(BlobId([0; 20]));
    let entries = [
        ("a/inside", link("../b")),
        ("a/outside", link("../../b")),
        ("a/over", link("x/../../../b")),
        ("absolute", link("/etc/shadow")),
        ("a/../b", file.clone()),
        ("a/.Git/config", file.clone()),
        ("module", FileEntry::Refused { what: "a submodule" }),
        ("plain", file),
    ];
    let entries = entries.map(|(path, entry)| (Arc::from(path), entry));
    let found = RepositoryFiles::new(entries, Arc::new(Nothing)).check();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "a/../b:1:1: the path has '..' or '.git' in it",
            "a/.Git/config:1:1: the path has '..' or '.git' in it",
            "a/outside:1:1: the link leads out of the repository, to '../../b'",
            "a/over:1:1: the link leads out of the repository, to 'x/../../../b'",
            "absolute:1:1: the link leads out of the repository, to '/etc/shadow'",
            "module:1:1: a submodule cannot be part of a state repository",
        ]
    );
}

#[test]
fn below_gives_one_folder() {
    let file = FileEntry::File(BlobId([0; 20]));
    let paths = ["a-b/x", "a/x", "a/y/z", "a0", "b/x"];
    let files = RepositoryFiles::new(paths.map(|path| (Arc::from(path), file.clone())), Arc::new(Nothing));
    let below: Vec<&str> = files.below("a").map(|(path, _)| path.as_ref()).collect();
    assert_eq!(below, ["a/x", "a/y/z"]);
}
