//! Unpacking: all is checked first, then the inventory is written down, then the files.

use super::inventory::{Folders, Inventory, Thing, path_in};
use super::plan::plan_inventory;
use super::remove::remove_leaving;
use super::{Place, Unpacked};
use crate::archive::{BadArchive, Rules, What, load_items, read_entries};
use crate::host::{FileWrite, NewAttributes, Prepared};
use crate::resource::ownership::{GROUP, OWNER, new_attributes, wanted_owner};
use crate::resource::{Attributes, Hands, ResourceError, State};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Seek;

const MAX_ENTRIES: usize = 20_000;
/// So many candidates are synced and put in place together.
const BATCH: usize = 500;

pub(super) fn unpack(
    spec: &impl Unpacked,
    form: String,
    known: Inventory,
    place: &Place<'_>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    if let Some(rival) = place.others.rival(&place.dest) {
        return Err(ResourceError::Blocked(format!("{rival} is unpacked into the same folder")));
    }
    let mut tar = spec.open_tar(hands)?;
    let strip = spec.strip() as usize;
    let max_entries = spec.max_entries().map_or(MAX_ENTRIES, |most| most as usize);
    let items = load_items(&mut tar, Rules { strip, max_entries })?;
    if items.is_empty() {
        return Err(ResourceError::Blocked("it holds nothing that would be unpacked".to_owned()));
    }
    let owner = owner_of(spec, hands)?;
    let was_cut_off = !known.things.is_empty();
    let inventory = plan_inventory(form, items, known, &owner, place, hands.host.reader().as_mut())?;
    place.save(Some(&inventory))?;
    if was_cut_off {
        remove_candidates(&inventory, place, hands)?;
    }
    let wrong = make_folders_and_links(&inventory, place, hands)?;
    tar.rewind().map_err(BadArchive::from)?;
    write_files(&mut tar, strip, &inventory, &wrong, place, hands)?;
    let inventory = remove_leaving(inventory, place, hands)?;
    place.save(Some(&inventory))
}

impl From<BadArchive> for ResourceError {
    fn from(error: BadArchive) -> ResourceError {
        ResourceError::Blocked(error.to_string())
    }
}

/// Where nothing is said, root's: who once had the number that an archive names is nobody here.
fn owner_of(spec: &impl Unpacked, hands: &Hands<'_>) -> Result<NewAttributes, ResourceError> {
    let scope = hands.host.scope();
    if !scope.owners {
        return Ok(NewAttributes::default());
    }
    let (owner, group) = spec.ownership();
    let named = [(OWNER, wanted_owner(owner, scope)), (GROUP, wanted_owner(group, scope))];
    let named = named.into_iter().filter_map(|(name, owner)| Some((Cow::Borrowed(name), owner?.into())));
    let new = new_attributes(&State::Present(named.collect::<Attributes>()), || hands.accounts())?;
    Ok(NewAttributes { mode: None, uid: new.uid.or(Some(0)), gid: new.gid.or(Some(0)) })
}

/// Of runs that were cut off.
pub(super) fn remove_candidates(
    inventory: &Inventory,
    place: &Place<'_>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let mut folders = Folders::default();
    for (name, _) in inventory.things.iter().filter(|(_, thing)| thing.item.what == What::Directory) {
        if folders.are_real(&place.dest, name, hands.host.reader().as_mut())? {
            hands.host.remove_candidates(&path_in(&place.dest, name)?)?;
        }
    }
    Ok(())
}

/// Makes what needs no content. Gives the files that are not right yet.
fn make_folders_and_links(
    inventory: &Inventory,
    place: &Place<'_>,
    hands: &Hands<'_>,
) -> Result<BTreeSet<String>, ResourceError> {
    let mut wrong = BTreeSet::new();
    for (name, thing) in inventory.things.iter().filter(|(_, thing)| !thing.leaves) {
        let path = path_in(&place.dest, name)?;
        let is_left = thing.item.what != What::Directory && place.others.leave(&path);
        if is_left || thing.is_right(&path, &place.others, hands.host.reader().as_mut())? {
            continue;
        }
        let there = hands.host.reader().meta(&path)?.is_some();
        match &thing.item.what {
            What::Directory if there => hands.host.set_attributes(&path, &attributes_of(thing))?,
            What::Directory => hands.host.make_directory(&path, &attributes_of(thing))?,
            What::Link(target) => hands.host.make_link(&path, target)?,
            What::File(_) => _ = wrong.insert(name.clone()),
        }
    }
    Ok(wrong)
}

fn attributes_of(thing: &Thing) -> NewAttributes {
    NewAttributes { mode: Some(thing.item.mode), uid: thing.uid, gid: thing.gid }
}

fn write_files(
    tar: &mut File,
    strip: usize,
    inventory: &Inventory,
    wrong: &BTreeSet<String>,
    place: &Place<'_>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let mut batch = Vec::new();
    let written = read_entries(tar, strip, &mut |entry| {
        let Some(thing) = inventory.things.get(&entry.name).filter(|_| wrong.contains(&entry.name)) else {
            return Ok(());
        };
        let path = path_in(&place.dest, &entry.name)?;
        let content = Box::new(entry.content);
        batch.push(hands.host.prepare(FileWrite::new(path, content, attributes_of(thing)))?);
        if batch.len() >= BATCH { commit(std::mem::take(&mut batch), hands) } else { Ok(()) }
    });
    match written {
        Ok(()) => commit(batch, hands),
        Err(error) => {
            batch.into_iter().for_each(|candidate| hands.host.discard(candidate));
            Err(error)
        }
    }
}

fn commit(batch: Vec<Prepared>, hands: &Hands<'_>) -> Result<(), ResourceError> {
    hands.host.commit(batch).into_iter().try_for_each(|result| result.map_err(ResourceError::from))
}
