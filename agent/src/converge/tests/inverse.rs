//! Each planned change alone: made, and made back.

use crate::converge::{Converger, Extent};
use crate::host::fake::{FakeHost, Tree};
use crate::plan::{Schedule, Verdict};
use crate::resource::{Change, Hands, View};
use crate::vault::Vaults;
use std::collections::BTreeSet;

/// `plain` leaves out of a tree what has no meaning.
pub(super) fn check_each(converger: &Converger, host: &FakeHost, plain: fn(Tree) -> Tree) {
    let managed = converger.managed();
    let contents = Vaults([&managed.originals, &managed.blobs]);
    // Alone: nothing else is expected.
    let schedule = Schedule::default();
    let hands = Hands { host, contents: &contents, schedule: &schedule, validate: true, timeout: None };
    let plan = converger.plan(Extent::All);
    let view = View::new(host).within(&converger.schedule().targets);
    for (target, verdict) in converger.schedule().targets.iter().zip(plan) {
        let Some(Verdict::Change(change)) = verdict else { continue };
        let (kind, id, address, found) = (target.resource_type(), target.address().id(), target.address(), host.tree());
        let before = kind.keep(id, &change, &view, &managed.originals).unwrap();
        let change = Change { before, ..change };
        // Its folder may be something that is yet to be made.
        if kind.apply(id, &change, &hands).is_err() {
            let whole = address.collection().id_is_path();
            assert!(!whole || host.tree() == found, "{address}: a failed change left something: {change}");
            // A change in several steps goes on from there.
            host.reset(found);
            continue;
        }
        assert!(host.tree() != found, "{address}: {change} did nothing");
        kind.apply(id, &change.inverse(), &hands).unwrap();
        let differing = differing_paths(&plain(found), &plain(host.tree()));
        assert!(differing.is_empty(), "{address}: {change}: does not come back: {differing:?}");
    }
}

/// The paths where the trees are not the same.
pub(super) fn differing_paths(one: &Tree, other: &Tree) -> BTreeSet<String> {
    one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}
