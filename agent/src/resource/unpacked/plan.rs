//! What unpacking is going to do, known before anything is written.

use super::Place;
use super::inventory::{Inventory, Thing, path_in};
use crate::archive::{Item, What};
use crate::host::{FileKind, NewAttributes, Reader};
use crate::resource::ResourceError;
use crate::resource::kept::Kept;
use std::collections::BTreeMap;

/// What the destination itself gets.
const DEST_MODE: u32 = 0o755;

/// The inventory to be: what the archive holds, what was there before, and what of the older archive has to go.
pub(super) fn plan_inventory(
    archive: String,
    items: BTreeMap<String, Item>,
    known: Inventory,
    owner: &NewAttributes,
    place: &Place<'_>,
    reader: &mut dyn Reader,
) -> Result<Inventory, ResourceError> {
    let mut old = known.things;
    let mut next = Inventory { archive, things: BTreeMap::new() };
    let mut total = 0;
    let dest = (String::new(), Item { mode: DEST_MODE, what: What::Directory });
    for (name, item) in std::iter::once(dest).chain(items) {
        let path = path_in(&place.dest, &name)?;
        let known = old.remove(&name).filter(|known| known.ours);
        let found = reader.meta(&path)?.map(|meta| meta.kind);
        let earlier = known.as_ref().map(|known| known.earlier_than(&item)).unwrap_or_default();
        let (uid, gid, is_folder) = (owner.uid, owner.gid, item.what == What::Directory);
        let mut thing = Thing { item, uid, gid, ours: true, leaves: false, earlier, before: None };
        if place.others.have(&path) || (!is_folder && place.others.leave(&path)) {
            thing.ours = known.is_some();
            thing.before = known.and_then(|known| known.before);
            next.things.insert(name, thing);
            continue;
        }
        match found {
            Some(FileKind::Directory) if is_folder => thing.ours = known.is_some(),
            Some(found) if is_folder || matches!(found, FileKind::Directory | FileKind::Special) => {
                let whose = if known.is_some() {
                    ", of the older archive; under another id, that is taken away first"
                } else {
                    ""
                };
                return Err(ResourceError::Blocked(format!("a {found} stands in the place of {path}{whose}")));
            }
            _ => {}
        }
        match known {
            Some(known) => thing.before = known.before,
            None if !is_folder => thing.before = Kept::of(place.dest.as_str(), &name, &mut total, reader)?,
            None => {}
        }
        next.things.insert(name, thing);
    }
    for (name, thing) in old.into_iter().filter(|(_, thing)| thing.ours) {
        next.things.insert(name, Thing { leaves: true, ..thing });
    }
    Ok(next)
}

impl Thing {
    /// All that may stand there of us, but for `item` itself.
    fn earlier_than(&self, item: &Item) -> Vec<Item> {
        let all = self.earlier.iter().chain([&self.item]);
        all.filter(|earlier| earlier.what != item.what).cloned().collect()
    }
}
