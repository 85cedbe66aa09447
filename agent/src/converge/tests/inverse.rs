//! Each planned change alone: made, and made back.

use crate::converge::{Converger, Extent};
use crate::host::fake::FakeHost;
use crate::plan::Verdict;
use crate::resource::{Change, Hands, View};
use crate::vault::Vaults;

pub(super) fn check(converger: &Converger, host: &FakeHost, seed: u64) {
    let managed = converger.managed();
    let contents = Vaults([&managed.originals, &managed.blobs]);
    let hands = Hands { host, contents: &contents, schedule: converger.schedule(), validate: true, timeout: None };
    let plan = converger.plan(Extent::All);
    for (target, verdict) in converger.schedule().targets.iter().zip(plan) {
        let Some(Verdict::Change(change)) = verdict else { continue };
        if !target.address().collection().id_is_path() {
            continue;
        }
        let (kind, id, found) = (target.resource_type(), target.address().id(), host.tree());
        let before = kind.keep(id, &change, &View::new(host), &managed.originals).unwrap();
        let change = Change { before, ..change };
        // Its folder may be something that is yet to be made.
        if kind.apply(id, &change, &hands).is_err() {
            assert_eq!(host.tree(), found, "seed {seed}: a failed change left something: {change}");
            continue;
        }
        assert_ne!(host.tree(), found, "seed {seed}: {} {change} did nothing", target.address());
        kind.apply(id, &change.inverse(), &hands).unwrap();
        assert_eq!(host.tree(), found, "seed {seed}: {} {change}", target.address());
    }
}
