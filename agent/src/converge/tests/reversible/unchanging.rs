//! Types that have nothing to put back: checks only look, and what a reboot did is over.

use super::{Family, World, file, folders, nothing, put};
use crate::host::ProgramOutput;
use crate::host::fake::Tree;
use muster_schema::Collection;
use serde_json::{Value, json};

/// Types that are held to this.
pub(super) const COLLECTIONS: [Collection; 2] = [Collection::Checks, Collection::Reboot];

const FAMILY: Family = Family {
    name: "unchanging",
    collections: &COLLECTIONS,
    host: |_| host(),
    manifest: |_| wanted(),
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| tree,
};

fn host() -> Tree {
    let mut tree = folders(&["/", "/proc", "/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/random", "/run"]);
    put(&mut tree, "/proc/sys/kernel/random/boot_id", file("11111111-2222-3333-4444-555555555555\n"));
    put(&mut tree, "/proc/uptime", file("100000.00 100000.00\n"));
    tree
}

fn wanted() -> Value {
    json!({
        "checks/port": {"tcp": "127.0.0.1:1"},
        "checks/program": {"command": ["touch", "/changed"]},
        "checks/web": {"http": {"url": "http://127.0.0.1:1/"}, "severity": "wanted"},
        "reboot/system": {"needed": true, "message": "maintenance"},
    })
}

/// From there to nothing again; answers what ran.
fn come_and_go(tree: &Tree) -> Vec<String> {
    let world = World::new(&FAMILY, tree);
    let followed = world.follow(&nothing(), &wanted());
    assert!(world.host.tree() == *tree, "{:?}", followed.outcomes);
    let ran = world.host.ran();
    let followed = world.follow(&wanted(), &nothing());
    assert!(followed.outcomes.iter().all(|outcome| outcome.state.is_none() && !outcome.changed), "{followed:?}");
    assert!(world.host.tree() == *tree && world.host.ran() == ran, "{followed:?}");
    assert!(world.owned().is_empty(), "{:?}", world.owned());
    ran
}

#[test]
fn what_has_nothing_to_put_back_changes_nothing() {
    assert_eq!(come_and_go(&host()), Vec::<String>::new());
}

#[test]
fn a_reboot_is_asked_for_once_and_never_again_when_it_leaves() {
    let mut tree = host();
    put(&mut tree, "/run/reboot-required", file(""));
    assert_eq!(come_and_go(&tree), ["shutdown -r now maintenance"]);
}
