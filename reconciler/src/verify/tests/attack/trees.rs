//! What a tree may hold.

use git2::Oid;

use super::super::{FLEET, assert_refused, terms, verify};
use crate::test_repository::TestRepository;
use crate::verify::verify_commits_after;

/// A signed commit whose tree is HEAD's plus raw `entries`
/// (mode, name, object), which `git add` would refuse to make.
fn commit_with(repo: &TestRepository, entries: &[(&str, &[u8], Oid)]) -> Oid {
    let open = repo.open();
    let tree = open.head().unwrap().peel_to_tree().unwrap();
    let mut all: Vec<(String, Vec<u8>, Oid)> =
        tree.iter().map(|entry| (format!("{:o}", entry.filemode()), entry.name_bytes().to_vec(), entry.id())).collect();
    all.extend(entries.iter().map(|(mode, name, id)| ((*mode).to_owned(), name.to_vec(), *id)));
    // git's order: a folder sorts as if its name ended in a slash.
    let slash = |mode: &str| if mode == "40000" { b"/".to_vec() } else { Vec::new() };
    all.sort_by_key(|(mode, name, _)| [name.clone(), slash(mode)].concat());
    let tree = store_tree(repo, &all);
    let raw = repo.raw_commit(&tree.to_string(), &[repo.head()], "", "crafted\n");
    repo.store_signed("alice", "git", &raw)
}

fn store_tree(repo: &TestRepository, entries: &[(String, Vec<u8>, Oid)]) -> Oid {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend_from_slice(mode.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(id.as_bytes());
    }
    repo.hash_object("tree", &bytes)
}

#[test]
fn a37_what_may_not_be_read() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let blob = repo.hash_object("blob", b"x");
    let folder = store_tree(&repo, &[("100644".into(), b"file".to_vec(), blob)]);
    let link = |target: &str| repo.hash_object("blob", target.as_bytes());
    let pinned = verify(&repo, anchor, anchor).unwrap();
    let long = vec![b'n'; 300];
    let cases: Vec<(&str, &[u8], Oid, &str)> = vec![
        ("160000", b"sub", anchor, "Submodule"),
        ("120000", b"link", link("/etc/shadow"), "LinkLeavesTree"),
        ("120000", b"link", link("../outside"), "LinkLeavesTree"),
        ("120000", b"link", link("a/../../outside"), "LinkLeavesTree"),
        ("120000", b"link", link("x/.git/config"), "LinkLeavesTree"),
        ("120000", b"link", link(""), "LinkLeavesTree"),
        ("120000", b"link", link(&"x".repeat(5000)), "TooLarge"),
        ("100644", b"..", blob, "UnsafePath"),
        ("40000", b"..", folder, "UnsafePath"),
        ("100644", b".", blob, "UnsafePath"),
        ("40000", b".git", folder, "UnsafePath"),
        ("40000", b".GiT", folder, "UnsafePath"),
        ("40000", b".git.", folder, "UnsafePath"),
        ("40000", b"git~1", folder, "UnsafePath"),
        ("40000", ".g\u{200c}it".as_bytes(), folder, "UnsafePath"),
        ("100644", b"a/b", blob, "UnsafePath"),
        ("100644", b"a\\b", blob, "UnsafePath"),
        ("100644", b"\x1b[31m", blob, "UnsafePath"),
        ("100644", b"\xff\xfe", blob, "UnsafePath"),
        ("100644", b"muster.yaml", blob, "UnsafePath"),
        ("100644", &long, blob, "UnsafePath"),
        ("104755", b"setuid", blob, "UnsafePath"),
        ("100644", b"folder-as-file", folder, "UnsafePath"),
    ];
    for (mode, name, id, code) in cases {
        let head = commit_with(&repo, &[(mode, name, id)]);
        let rejection = assert_refused(&repo, anchor, head, head, code);
        assert!(!rejection.to_string().contains('\u{1b}'));
        let fleet = FLEET.parse().unwrap();
        let again = verify_commits_after(&repo.open(), &pinned, head, &terms(&fleet)).unwrap_err();
        assert_eq!(again.code(), code);
    }
    let inner = store_tree(&repo, &[("120000".into(), b"up".to_vec(), link("../muster.yaml"))]);
    let head = commit_with(&repo, &[("120000", b"link", link("folder/../muster.yaml")), ("40000", b"zfolder", inner)]);
    assert!(verify(&repo, anchor, head).is_ok());
    // The same folder one level up leads out.
    let rejection = assert_refused_inner(&repo, anchor, inner);
    assert_eq!(rejection, "LinkLeavesTree");
}

/// The code for a commit whose root is `tree` with the policy folder.
fn assert_refused_inner(repo: &TestRepository, anchor: Oid, tree: Oid) -> String {
    let raw = repo.raw_commit(&tree.to_string(), &[anchor], "", "inner as root\n");
    let head = repo.store_signed("alice", "git", &raw);
    verify(repo, anchor, head).unwrap_err().code().to_owned()
}

#[test]
fn a37_files_and_folders_without_bounds() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let huge = repo.hash_object("blob", &vec![b'x'; 16 * 1024 * 1024 + 1]);
    let head = commit_with(&repo, &[("100644", b"huge", huge)]);
    assert_refused(&repo, anchor, head, head, "TooLarge");

    // A few objects that unfold into ten billion paths.
    let blob = repo.hash_object("blob", b"x");
    let mut tree = store_tree(&repo, &named("100644", blob));
    for _ in 0..10 {
        tree = store_tree(&repo, &named("40000", tree));
    }
    let head = commit_with(&repo, &[("40000", b"zbomb", tree)]);
    assert_refused(&repo, anchor, head, head, "TooLarge");

    // The same without a single file.
    let mut tree = repo.hash_object("tree", b"");
    for _ in 0..10 {
        tree = store_tree(&repo, &named("40000", tree));
    }
    let head = commit_with(&repo, &[("40000", b"zfolders", tree)]);
    assert_refused(&repo, anchor, head, head, "TooLarge");

    let mut deep = store_tree(&repo, &[("100644".into(), b"file".to_vec(), blob)]);
    for _ in 0..40 {
        deep = store_tree(&repo, &[("40000".into(), b"d".to_vec(), deep)]);
    }
    let head = commit_with(&repo, &[("40000", b"zdeep", deep)]);
    assert_refused(&repo, anchor, head, head, "TooLarge");
}

#[test]
fn a37_names_out_of_order_or_twice() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let blob = repo.hash_object("blob", b"x");
    let folder = store_tree(&repo, &[("100644".into(), b"file".to_vec(), blob)]);
    let file = |name: &str| ("100644".to_owned(), name.as_bytes().to_vec(), blob);
    let dir = |name: &str| ("40000".to_owned(), name.as_bytes().to_vec(), folder);
    let cases = [
        vec![file("b"), file("a")],
        vec![file("a"), file("a")],
        vec![file("a"), dir("a")],
        vec![file("a"), file("a-b"), file("a.b"), dir("a")],
        vec![dir("a"), file("a.b")],
    ];
    for entries in cases {
        let tree = store_tree(&repo, &entries);
        assert_eq!(assert_refused_inner(&repo, anchor, tree), "UnsafePath");
    }
    let head = commit_with(&repo, &[("100644", b"x.b", blob), ("40000", b"x", folder), ("100644", b"x-b", blob)]);
    assert!(verify(&repo, anchor, head).is_ok());
}

fn named(mode: &str, id: Oid) -> Vec<(String, Vec<u8>, Oid)> {
    (0..10).map(|n| (mode.to_owned(), format!("n{n}").into_bytes(), id)).collect()
}

#[test]
fn a37_a_faulty_tree_that_a_later_commit_mends() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let faulty = commit_with(&repo, &[("160000", b"sub", anchor)]);
    let raw = repo.raw_commit(&tree, &[faulty], "", "mended\n");
    let head = repo.store_signed("alice", "git", &raw);
    assert_refused(&repo, anchor, head, faulty, "Submodule");
}
