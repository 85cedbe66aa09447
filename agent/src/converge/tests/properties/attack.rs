//! A process that ends anywhere.

use super::*;

/// Runs two revisions and crashes at every point of the second; the next process must end where an undisturbed one
/// does, with every transition told once and every reaction made.
#[test]
fn a43_wherever_the_process_ends_the_next_one_finishes() {
    for seed in [3_u64, 11, 16, 42] {
        let mut dice = Dice(seed * 0xABCD_EF01);
        let (tree, first, second) = (dice.host(), dice.manifest(), dice.manifest());
        let undisturbed = {
            let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(tree.clone()));
            drop(converge(dir.path(), &host, &nothing(), &first));
            drop(converge(dir.path(), &host, &first, &second));
            host.tree()
        };
        for at in 0.. {
            let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(tree.clone()));
            drop(converge(dir.path(), &host, &nothing(), &first));
            let reacted = host.ran().len();
            let crashed = crash_at(at, || drop(converge(dir.path(), &host, &first, &second))).is_none();
            let changed = host.tree() != undisturbed || !crashed;
            drop(converge(dir.path(), &host, &second, &second));
            assert_eq!(host.tree(), undisturbed, "seed {seed}, crash at {at}: {first:#} {second:#}");
            check_story(dir.path(), &format!("seed {seed}, crash at {at}"));
            if changed && undisturbed_changes(&tree, &first, &second) {
                assert!(host.ran().len() > reacted, "seed {seed}, crash at {at}: nobody reacted");
            }
            drop(converge(dir.path(), &host, &second, &nothing()));
            assert_eq!(host.tree(), tree, "seed {seed}, crash at {at}: {first:#} {second:#}");
            if !crashed {
                assert!(at > 3, "seed {seed}: only {at} points");
                break;
            }
        }
    }
}
