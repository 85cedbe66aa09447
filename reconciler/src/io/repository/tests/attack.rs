//! Repositories that nobody has verified.

use super::*;

#[test]
fn a37_special_files_are_refused() {
    let dir = TempDir::new().expect("folder");
    fs::create_dir(dir.path().join("policy")).expect("folder");
    let socket = dir.path().join("policy/socket");
    let _listening = std::os::unix::net::UnixListener::bind(socket).expect("socket");
    let found = list_folder(dir.path()).expect("listed").check();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["policy/socket:1:1: a special file cannot be part of a state repository"]);
}

/// `muster plan` and `validate` read revisions that nobody has verified.
#[test]
fn a37_trees_that_unfold_without_end_are_refused_in_time() {
    let dir = TempDir::new().expect("folder");
    let repository = Repository::init_bare(dir.path()).expect("repository");
    let empty = tree_of(&repository, 0, Oid::ZERO_SHA1);
    let list_below = |folder: Oid| {
        let raw = [b"40000 environments\0".as_slice(), folder.as_bytes()].concat();
        let tree = repository.odb().expect("objects").write(ObjectType::Tree, &raw).expect("written");
        list_revision(dir.path(), &tree.to_string()).map(|_| ()).expect_err("refused").to_string()
    };

    let bomb = (0..10).fold(empty, |folder, _| tree_of(&repository, 100, folder));
    assert_eq!(list_below(bomb), "the repository has more than 200000 files and folders");

    let deep = (0..100).fold(empty, |folder, _| tree_of(&repository, 1, folder));
    let refused = list_below(deep);
    assert!(
        refused.starts_with("environments/0000/") && refused.ends_with(" lies in more than 64 folders"),
        "{refused}"
    );
}
