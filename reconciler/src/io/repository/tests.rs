mod attack;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use git2::{IndexAddOption, ObjectType, Oid, Repository, Signature};
use tempfile::TempDir;

use super::{list_folder, list_revision};
use crate::model::{FileEntry, RepositoryFiles};

fn state(root: &Path) {
    for (path, text) in [
        ("muster.yaml", "schema: 1\nfleet: test\n"),
        ("environments/lab/hosts/web-1.yaml", "labels: {role: web}\n"),
        ("environments/lab/files/big", "0123456789"),
        ("docs/notes.md", "not looked into"),
        ("README.md", "nor this"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        fs::write(path, text).expect("written");
    }
    symlink("web-1.yaml", root.join("environments/lab/hosts/web-2.yaml")).expect("link");
    symlink("/etc/shadow", root.join("profiles")).expect("link");
}

fn shown(files: &RepositoryFiles) -> Vec<String> {
    files.entries().map(|(path, entry)| format!("{path} {entry:?}")).collect()
}

#[test]
fn a_folder_and_a_revision_list_the_same() {
    let dir = TempDir::new().expect("folder");
    state(dir.path());
    let repository = Repository::init(dir.path()).expect("repository");
    let mut index = repository.index().expect("index");
    index.add_all(["*"], IndexAddOption::DEFAULT, None).expect("added");
    let tree = repository.find_tree(index.write_tree().expect("tree")).expect("tree");
    let someone = Signature::now("a", "a@example.org").expect("signature");
    let commit = repository.commit(Some("HEAD"), &someone, &someone, "state", &tree, &[]).expect("commit");

    let folder = list_folder(dir.path()).expect("listed");
    let revision = list_revision(dir.path(), &commit.to_string()).expect("listed");
    assert_eq!(shown(&folder), shown(&revision));
    assert_eq!(shown(&folder).len(), 7, "{:?}", shown(&folder));

    for files in [&folder, &revision] {
        let path = "environments/lab/files/big";
        let Some((_, FileEntry::File(id))) = files.entry(path) else { panic!("no file") };
        assert_eq!(files.load_blob(path, *id, 10).expect("content"), b"0123456789");
        let refused = files.load_blob(path, *id, 9).expect_err("too large");
        assert_eq!(refused.to_string(), format!("{path}:1:1: the file is larger than 9 bytes"));
        let found: Vec<String> = files.check().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["profiles:1:1: the link leads out of the repository, to '/etc/shadow'"]);
    }
}

/// A tree of Git's with these folders, all the same one.
fn tree_of(repository: &Repository, names: usize, folder: Oid) -> Oid {
    let mut raw = Vec::new();
    for name in 0..names {
        raw.extend_from_slice(format!("40000 {name:04}\0").as_bytes());
        raw.extend_from_slice(folder.as_bytes());
    }
    repository.odb().expect("objects").write(ObjectType::Tree, &raw).expect("written")
}
