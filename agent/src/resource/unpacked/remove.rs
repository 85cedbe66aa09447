//! Taking away what was unpacked.

use super::inventory::{Folders, Inventory, Standing, Thing, path_in};
use super::others::Others;
use super::unpack::remove_candidates;
use super::{Place, stay_because};
use crate::archive::What;
use crate::host::{FileKind, HostError, HostPath, Reader};
use crate::resource::{Hands, ResourceError};

/// Takes all of it away, and forgets it. What somebody edited stays, and with it what is known of it: once it is gone,
/// what was there before comes back.
pub(super) fn take_away(mut inventory: Inventory, place: &Place<'_>, hands: &Hands<'_>) -> Result<(), ResourceError> {
    remove_candidates(&inventory, place, hands)?;
    let mut folders = Folders::default();
    let mut edited = Vec::new();
    for (name, thing) in inventory.things.iter().rev() {
        if !take_one(name, thing, &mut folders, place, hands)? {
            edited.push(name.clone());
        }
    }
    if edited.is_empty() {
        return place.save(None);
    }
    edited.reverse();
    let on_the_way = |name: &str| {
        let is_below = |edited: &String| edited.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        name.is_empty() || edited.iter().any(is_below)
    };
    inventory.things.retain(|name, _| edited.contains(name) || on_the_way(name));
    place.save(Some(&inventory))?;
    Err(ResourceError::Retained(stay_because(&edited)))
}

/// What take_away would leave.
pub(super) fn edited_in(
    inventory: &Inventory,
    dest: &HostPath,
    others: &Others,
    reader: &mut dyn Reader,
) -> Result<Vec<String>, ResourceError> {
    let mut folders = Folders::default();
    let mut edited = Vec::new();
    for (name, thing) in inventory.things.iter().filter(|(_, thing)| thing.ours && thing.item.what != What::Directory) {
        let path = path_in(dest, name)?;
        let counts = folders.are_real(dest, name, reader)? && !others.have(&path) && !others.change(&path);
        if counts && thing.standing(dest, &path, reader)? == Standing::Edited {
            edited.push(name.clone());
        }
    }
    Ok(edited)
}

/// Takes away what a newer archive does not have, as far as it is as it was unpacked. The rest is somebody's now.
pub(super) fn remove_leaving(
    mut inventory: Inventory,
    place: &Place<'_>,
    hands: &Hands<'_>,
) -> Result<Inventory, ResourceError> {
    let mut folders = Folders::default();
    for (name, thing) in inventory.things.iter().rev().filter(|(_, thing)| thing.leaves) {
        take_one(name, thing, &mut folders, place, hands)?;
    }
    inventory.things.retain(|_, thing| !thing.leaves);
    inventory.things.values_mut().for_each(|thing| thing.earlier.clear());
    Ok(inventory)
}

/// What is in a folder goes before it. `false` where somebody's work stays.
fn take_one(
    name: &str,
    thing: &Thing,
    folders: &mut Folders,
    place: &Place<'_>,
    hands: &Hands<'_>,
) -> Result<bool, ResourceError> {
    let path = path_in(&place.dest, name)?;
    let real = folders.are_real(&place.dest, name, hands.host.reader().as_mut())?;
    if !thing.ours || !real || place.others.have(&path) {
        return Ok(true);
    }
    let found = hands.host.reader().meta(&path)?.map(|meta| meta.kind);
    if thing.item.what == What::Directory {
        return match found {
            Some(FileKind::Directory) => match hands.host.remove(&path, FileKind::Directory) {
                Ok(()) | Err(HostError::NotEmpty(_)) => Ok(true),
                Err(error) => Err(error.into()),
            },
            _ => Ok(true),
        };
    }
    let standing = thing.standing(&place.dest, &path, hands.host.reader().as_mut())?;
    match (standing, found) {
        (Standing::Found, _) => return Ok(true),
        (Standing::Edited, Some(kind @ (FileKind::File | FileKind::Link))) if place.others.change(&path) => {
            hands.host.remove(&path, kind)?;
        }
        (Standing::Edited, _) => return Ok(false),
        (Standing::Ours, Some(kind)) => hands.host.remove(&path, kind)?,
        (Standing::Ours | Standing::Missing, _) => {}
    }
    thing.before.as_ref().map_or(Ok(()), |before| before.put_back(place.dest.as_str(), hands.host))?;
    Ok(true)
}
