//! Packages, by apt.

use super::{Dice, Family, file, folders, put, revision, text};
use crate::host::fake::Tree;
use muster_schema::Collection;
use serde_json::{Value, json};

mod apt;

const STATUS: &str = "/var/lib/dpkg/status";
/// What came along and not for its own sake, a name a line.
const AUTO: &str = "/var/lib/apt/extended_states";

/// What the archive has: name, versions, and what each needs.
const ARCHIVE: [(&str, &[&str], &[&str]); 6] = [
    ("alpha", &["1.0"], &["libx"]),
    ("beta", &["1.0"], &["libx", "liby"]),
    ("gamma", &["1.0", "2.0"], &[]),
    ("libx", &["1.0"], &[]),
    ("liby", &["1.0", "2.0"], &[]),
    ("tool", &["1.0", "2.0"], &["liby"]),
];

pub(super) const FAMILY: Family =
    Family { name: "packages", collections: &[Collection::Packages], host, manifest, programs: apt::run, plain };

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/usr", "/usr/bin", "/var", "/var/lib", "/var/lib/dpkg", "/var/lib/apt"]);
    put(&mut tree, "/usr/bin/apt-get", file("program"));
    let mut installed = apt::Installed::default();
    for (name, versions, _) in ARCHIVE {
        if dice.roll(3) == 0 {
            installed.add(name, versions[dice.roll(versions.len() as u64) as usize], dice.roll(5) == 0);
        }
    }
    installed.save(&mut tree);
    tree
}

/// Versions may go back; where they may not, the plan says that they stay. What comes along is not managed by itself:
/// who takes that over from us finds it there, and leaves it there.
fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for (name, versions, _) in ARCHIVE.into_iter().filter(|(name, ..)| !name.starts_with("lib")) {
        let version = versions[dice.roll(versions.len() as u64) as usize];
        let package = match dice.roll(7) {
            0 | 1 => continue,
            2 => json!({"meta": {"state": "absent"}, "hold": false}),
            3 => json!({"version": version, "allow_downgrade": true, "hold": false}),
            4 => json!({"meta": {"state": "latest"}, "allow_downgrade": true, "hold": false}),
            5 => json!({"hold": true}),
            _ => json!({}),
        };
        resources.push((format!("packages/{name}"), package));
    }
    revision(resources)
}

/// Who asked for a package is not told by it.
fn plain(mut tree: Tree) -> Tree {
    tree.remove(AUTO);
    let found = text(&tree, STATUS);
    let mut stanzas: Vec<&str> = found.split("\n\n").collect();
    stanzas.sort_unstable();
    let sorted = stanzas.join("\n\n");
    put(&mut tree, STATUS, file(sorted));
    tree
}

/// An unmanaged package would go with ours by then.
#[test]
fn a_package_that_others_need_by_now_stays_and_the_plan_says_so() {
    use super::world::{World, nothing};
    use muster_schema::state::ResourceState;
    let mut tree = host(&mut Dice(1));
    apt::Installed::default().save(&mut tree);
    let world = World::new(&FAMILY, &tree);
    let wanted = json!({"packages/libx": {}});
    world.follow(&nothing(), &wanted);
    // Somebody installs what needs it.
    let mut theirs = world.host.tree();
    let mut installed = apt::Installed::load(&theirs);
    installed.add("alpha", "1.0", false);
    installed.save(&mut theirs);
    world.host.set(STATUS, theirs[STATUS].clone());
    let followed = world.follow(&wanted, &nothing());
    let said: Vec<&String> = followed.said.iter().map(|(_, what)| what).collect();
    assert_eq!(said, ["stays: alpha would be removed with it"]);
    let outcome = followed.outcomes.last().unwrap();
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    assert_eq!(text(&world.host.tree(), STATUS), text(&theirs, STATUS));
}

/// The version that was found is in no archive.
#[test]
fn a_version_that_is_gone_stays_and_the_plan_says_so() {
    use super::world::{World, nothing};
    let mut tree = host(&mut Dice(1));
    let mut installed = apt::Installed::default();
    installed.add("tool", "0.9", false);
    installed.save(&mut tree);
    let world = World::new(&FAMILY, &tree);
    let wanted = json!({"packages/tool": {"version": "2.0", "allow_downgrade": true}});
    world.follow(&nothing(), &wanted);
    let followed = world.follow(&wanted, &nothing());
    let said: Vec<&String> = followed.said.iter().map(|(_, what)| what).collect();
    assert!(said.len() == 1 && said[0].starts_with("stays: ") && said[0].contains("0.9"), "{said:?}");
    assert!(text(&world.host.tree(), STATUS).contains("Version: 2.0"));
}
