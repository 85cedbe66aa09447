//! What holds for every family.

use super::super::inverse;
use super::super::load;
use super::world::{Case, Followed, World, nothing};
use super::{FAMILIES, Family};
use crate::apply::Outcome;
use crate::host::fake::Tree;
use crate::test_crash::crash_at;
use muster_schema::Collection;
use muster_schema::resource::Enforcement;
use muster_schema::state::ResourceState;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Answers what does not hold.
type Law = fn(&Family, &Case) -> Result<(), String>;

const SEEDS: u64 = 60;

/// Tries the law on random cases of every family. A number in `MUSTER_TEST_SEEDS` asks for that many.
fn check(law: Law, seeds: u64) {
    let seeds = std::env::var("MUSTER_TEST_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(seeds);
    let only = std::env::var("MUSTER_TEST_FAMILY").ok();
    for family in FAMILIES.iter().filter(|family| only.as_ref().is_none_or(|only| only == family.name)) {
        for seed in 1..=seeds {
            let case = Case::of(family, seed);
            if try_law(law, family, &case).is_err() {
                let case = shrink(law, family, case);
                let reason = try_law(law, family, &case).unwrap_err();
                panic!("{}, seed {seed}: {reason}\n{}", family.name, show(&case));
            }
        }
    }
}

fn try_law(law: Law, family: &Family, case: &Case) -> Result<(), String> {
    let panicked = |reason: Box<dyn std::any::Any + Send>| {
        let text = reason.downcast_ref::<String>().cloned();
        text.or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    };
    catch_unwind(AssertUnwindSafe(|| law(family, case))).map_err(panicked)?
}

/// Leaves out resources that are not needed for the failure. The host stays whole.
fn shrink(law: Law, family: &Family, mut case: Case) -> Case {
    loop {
        let mut smaller = Vec::new();
        let which: [fn(&mut Case) -> &mut Value; 2] = [|case| &mut case.first, |case| &mut case.second];
        for which in which {
            let keys: Vec<String> = which(&mut case).as_object().unwrap().keys().cloned().collect();
            smaller.extend(keys.into_iter().map(|key| {
                let mut without = case.clone();
                which(&mut without).as_object_mut().unwrap().remove(&key);
                without
            }));
        }
        match smaller.into_iter().find(|case| try_law(law, family, case).is_err()) {
            Some(still) => case = still,
            None => return case,
        }
    }
}

/// The host comes of the seed.
fn show(case: &Case) -> String {
    format!("first: {}\nsecond: {}", case.first, case.second)
}

/// What came of each address, for people.
fn told(followed: &Followed) -> String {
    let line = |one: &Outcome| format!("  {}: {:?} {}\n", one.address, one.state, one.message);
    followed.outcomes.iter().map(line).collect()
}

/// What differs, for people.
fn same_tree(found: &Tree, now: &Tree) -> Result<(), String> {
    let differing = inverse::differing_paths(found, now);
    if differing.is_empty() { Ok(()) } else { Err(format!("not as it was: {differing:?}\n")) }
}

#[test]
fn after_an_apply_nothing_is_left_to_do() {
    check(
        |family, case| {
            let world = World::new(family, &case.tree);
            let mut before = nothing();
            for revision in [&case.first, &case.second] {
                let followed = world.follow(&before, revision);
                if !followed.left.is_empty() {
                    return Err(format!("left: {:?}\n{}", followed.left, told(&followed)));
                }
                before = revision.clone();
            }
            Ok(())
        },
        SEEDS,
    );
}

#[test]
fn what_leaves_the_repository_is_as_it_was_found() {
    check(
        |family, case| {
            let world = World::new(family, &case.tree);
            let (found, tree) = (world.observe([&case.first, &case.second]), world.plain());
            world.follow(&nothing(), &case.first);
            world.follow(&case.first, &case.second);
            let followed = world.follow(&case.second, &nothing());
            // What was refused at first may have gone in the next round.
            let last: BTreeMap<_, _> = followed.outcomes.iter().map(|outcome| (&outcome.address, outcome)).collect();
            for outcome in last.into_values() {
                if outcome.state.is_some() {
                    let said = followed.said.iter().find(|(address, _)| *address == outcome.address);
                    return Err(format!("it did not go back: {outcome:?}, said {said:?}"));
                }
            }
            let now = world.observe([&case.first, &case.second]);
            for (address, state) in &found {
                if now.get(address) != Some(state) {
                    return Err(format!("{address} was {state:?}, is {:?}\n{}", now.get(address), told(&followed)));
                }
            }
            same_tree(&tree, &world.plain()).map_err(|differs| format!("{differs}{}", told(&followed)))?;
            if world.owned().is_empty() { Ok(()) } else { Err(format!("still owned: {:?}", world.owned())) }
        },
        SEEDS,
    );
}

#[test]
fn a_change_and_its_inverse_are_nothing() {
    check(
        |family, case| {
            let world = World::new(family, &case.tree);
            let mut converger = world.begin(&nothing(), Enforcement::Enforce);
            let resources = load(&converger.managed().blobs, &case.first);
            converger.set_resources(resources).unwrap();
            inverse::check_each(&converger, &world.host, family.plain);
            Ok(())
        },
        SEEDS,
    );
}

#[test]
fn an_audit_leaves_every_byte_as_it_is() {
    check(
        |family, case| {
            let world = World::new(family, &case.tree);
            world.follow_in(Enforcement::Audit, &nothing(), &case.first);
            same_tree(&case.tree, &world.host.tree())?;
            if world.host.ran().is_empty() { Ok(()) } else { Err(format!("it ran {:?}", world.host.ran())) }
        },
        SEEDS,
    );
}

#[test]
fn what_is_to_be_kept_stays_and_the_plan_says_so() {
    check(
        |family, case| {
            let world = World::new(family, &case.tree);
            let mut revision = case.first.clone();
            for attributes in revision.as_object_mut().unwrap().values_mut() {
                attributes["meta"]["on_remove"] = "keep".into();
            }
            world.follow(&nothing(), &revision);
            let tree = world.host.tree();
            let owned = world.owned();
            let followed = world.follow(&revision, &nothing());
            same_tree(&tree, &world.host.tree())?;
            let stays = |address: &String| {
                followed.said.iter().any(|(said, what)| said.to_string() == *address && what.starts_with("stays: "))
            };
            match owned.iter().find(|address| !stays(address)) {
                Some(silent) => Err(format!("the plan does not say that {silent} stays: {:?}", followed.said)),
                None => Ok(()),
            }
        },
        SEEDS / 2,
    );
}

#[test]
fn wherever_the_process_ends_the_next_one_comes_to_the_same_end() {
    check(
        |family, case| {
            let undisturbed = {
                let world = World::new(family, &case.tree);
                world.follow(&nothing(), &case.first);
                world.follow(&case.first, &case.second);
                world.plain()
            };
            for at in 0.. {
                let world = World::new(family, &case.tree);
                let found = world.plain();
                world.follow(&nothing(), &case.first);
                let crashed = crash_at(at, || drop(world.follow(&case.first, &case.second))).is_none();
                world.follow(&case.second, &case.second);
                let place = |differs: String| format!("crash at {at}: {differs}");
                same_tree(&undisturbed, &world.plain()).map_err(place)?;
                let back = world.follow(&case.second, &nothing());
                same_tree(&found, &world.plain()).map_err(|differs| place(format!("{differs}{}", told(&back))))?;
                if !crashed {
                    break;
                }
            }
            Ok(())
        },
        4,
    );
}

/// A generator that asks for nothing new proves nothing.
#[test]
fn every_type_is_changed_in_its_family() {
    for family in FAMILIES {
        let mut changed = BTreeSet::new();
        for seed in 1..=20 {
            let case = Case::of(family, seed);
            let world = World::new(family, &case.tree);
            let followed = world.follow(&nothing(), &case.first);
            let right = [Some(ResourceState::Repaired), None];
            let made = followed.outcomes.iter().filter(|one| one.changed && right.contains(&one.state));
            changed.extend(made.map(|one| one.address.collection()));
        }
        let idle: Vec<&Collection> = family.collections.iter().filter(|one| !changed.contains(one)).collect();
        assert!(idle.is_empty(), "{}: nothing changes {idle:?}", family.name);
    }
}
