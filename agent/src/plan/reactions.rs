//! Who reacts to whom.

use super::{Purpose, Target};
use crate::ledger::Entry;
use crate::resource::Reaction;
use muster_schema::Address;
use muster_schema::resource::Meta;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// For each target that may trigger something: the targets that react, and how.
pub type Reactions = HashMap<usize, BTreeSet<(usize, Reaction)>>;

/// The edges of the manifest. What leaves is in no list any more, so the lists that the ledger remembers count for it.
pub(super) fn reactions_of(
    targets: &[Target],
    ledger: &BTreeMap<Address, Entry>,
    index: &HashMap<Address, usize>,
) -> Reactions {
    let mut reactions = Reactions::new();
    for (reactor, target) in targets.iter().enumerate() {
        if target.purpose != Purpose::Enforce {
            continue;
        }
        if let Some(reaction) = target.resource_type().reacts_to_itself() {
            reactions.entry(reactor).or_default().insert((reactor, reaction));
        }
        for (trigger, reaction) in triggers(&target.resource.meta) {
            if let Some(trigger) = index.get(trigger) {
                reactions.entry(*trigger).or_default().insert((reactor, reaction));
            }
        }
        let Some(before) = ledger.get(target.address()) else { continue };
        for (trigger, reaction) in triggers(&before.resource.meta) {
            let Some(trigger) = index.get(trigger) else { continue };
            if targets.get(*trigger).is_some_and(|target| target.purpose == Purpose::Leave) {
                reactions.entry(*trigger).or_default().insert((reactor, reaction));
            }
        }
    }
    reactions
}

fn triggers(meta: &Meta) -> impl Iterator<Item = (&Address, Reaction)> {
    let reload = meta.reload_on.iter().map(|address| (address, Reaction::Reload));
    let restart = meta.restart_on.iter().map(|address| (address, Reaction::Restart));
    let run = meta.run_on.iter().map(|address| (address, Reaction::Run));
    reload.chain(restart).chain(run)
}
