//! Differences of trees: what libgit2 finds, and within bounds.

use std::collections::BTreeSet;

use git2::{Oid, Repository};

use crate::test_dice::Dice;
use crate::verify::tree_diff::changed_paths;

/// A tree of a few names, so that files, links and folders of one name meet.
fn random_tree(repo: &Repository, dice: &mut Dice, depth: usize) -> Oid {
    let mut builder = repo.treebuilder(None).unwrap();
    for name in ["a", "a.b", "a0", "b"] {
        let blob = repo.blob(dice.pick(&["x", "y"]).as_bytes()).unwrap();
        match dice.roll(if depth < 3 { 6 } else { 4 }) {
            0 => {}
            1 | 2 => drop(builder.insert(name, blob, 0o100_644).unwrap()),
            3 => drop(builder.insert(name, blob, dice.pick(&[0o100_755, 0o120_000])).unwrap()),
            _ => {
                let folder = random_tree(repo, dice, depth + 1);
                builder.insert(name, folder, 0o040_000).unwrap();
            }
        }
    }
    builder.write().unwrap()
}

fn by_libgit2(repo: &Repository, before: Oid, after: Oid) -> BTreeSet<String> {
    let (before, after) = (repo.find_tree(before).unwrap(), repo.find_tree(after).unwrap());
    let mut options = git2::DiffOptions::new();
    options.include_typechange(true);
    let diff = repo.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options)).unwrap();
    diff.deltas().map(|delta| delta.new_file().path().unwrap().display().to_string()).collect()
}

#[test]
fn finds_what_libgit2_finds() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repository::init_bare(folder.path()).unwrap();
    let mut dice = Dice(11);
    let trees: Vec<Oid> = (0..24).map(|_| random_tree(&repo, &mut dice, 0)).collect();
    let mut all = 0;
    for before in &trees {
        for after in &trees {
            let found: BTreeSet<String> =
                changed_paths(&repo, Some(*before), Some(*after)).unwrap().into_iter().collect();
            assert_eq!(found, by_libgit2(&repo, *before, *after), "{before} {after}");
            all += found.len();
        }
        let whole: BTreeSet<String> = changed_paths(&repo, None, Some(*before)).unwrap().into_iter().collect();
        let gone: BTreeSet<String> = changed_paths(&repo, Some(*before), None).unwrap().into_iter().collect();
        assert_eq!(whole, gone);
    }
    assert!(all > 3_000, "the trees are too alike: {all}");
}

#[test]
fn a_hostile_tree_is_followed_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repository::init_bare(folder.path()).unwrap();
    let blob = repo.blob(b"x").unwrap();
    let wide = |inner: Oid, mode: i32| {
        let mut builder = repo.treebuilder(None).unwrap();
        for number in 0..1000 {
            builder.insert(format!("n{number}"), inner, mode).unwrap();
        }
        builder.write().unwrap()
    };
    let bomb = wide(wide(wide(blob, 0o100_644), 0o040_000), 0o040_000);
    assert_eq!(changed_paths(&repo, None, Some(bomb)).unwrap_err().code(), "TooLarge");
    let mut deep = wide(blob, 0o100_644);
    for _ in 0..40 {
        let mut builder = repo.treebuilder(None).unwrap();
        builder.insert("d", deep, 0o040_000).unwrap();
        deep = builder.write().unwrap();
    }
    assert_eq!(changed_paths(&repo, Some(deep), None).unwrap_err().code(), "TooLarge");
    assert!(changed_paths(&repo, Some(blob), None).is_err());
    assert_eq!(changed_paths(&repo, Some(deep), Some(deep)).unwrap(), Vec::<String>::new());
}
