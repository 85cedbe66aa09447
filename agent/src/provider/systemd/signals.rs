//! What systemd tells of its own accord.

use super::client::{ListedUnit, MANAGER, UNIT, call, connect, listen};
use super::{SystemdError, UnitName};
use futures_util::StreamExt;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::watch::Receiver;
use zbus::{Message, OwnedVariant};

/// Calls `tell` with what belongs to a wanted unit whenever that unit has come to rest in another state, until no
/// unit is wanted any more or the connection ends. What may have been missed is told at once: at the beginning, when
/// other units are wanted, and when unit files were enabled, disabled or read anew.
///
/// # Errors
/// When systemd cannot be reached, or not any more.
pub async fn watch_units<T: Clone>(
    wanted: &mut Receiver<BTreeMap<UnitName, T>>,
    mut tell: impl FnMut(&T),
) -> Result<(), SystemdError> {
    let connection = connect().await?;
    let mut messages = listen(&connection).await?;
    loop {
        let units = wanted.borrow_and_update().clone();
        if units.is_empty() {
            return Ok(());
        }
        let known = load_own_names(&units).await?;
        units.values().for_each(&mut tell);
        loop {
            let message = tokio::select! {
                changed = wanted.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return Ok(()),
                },
                message = messages.next() => message.ok_or(SystemdError::Ended)??,
            };
            let header = message.header();
            match header.member().map(|member| member.as_str()) {
                Some("UnitFilesChanged" | "Reloading") => break,
                Some("PropertiesChanged") => {
                    let unit = header.path().and_then(|path| UnitName::of_object_path(path.as_str()));
                    let meant = unit.and_then(|unit| known.get(&unit)).filter(|_| came_to_rest(&message));
                    meant.into_iter().flatten().for_each(&mut tell);
                }
                _ => {}
            }
        }
    }
}

/// What belongs to each unit by the unit's own name, for signals name no aliases. It is asked on a connection of its
/// own: one that nobody reads signals from comes to a halt when many wait.
async fn load_own_names<T: Clone>(units: &BTreeMap<UnitName, T>) -> Result<HashMap<String, Vec<T>>, SystemdError> {
    let connection = connect().await?;
    let asked: Vec<&str> = units.keys().map(UnitName::as_str).collect();
    let listed: Vec<ListedUnit> = call(&connection, MANAGER, "ListUnitsByNames", &(&asked,)).await?;
    let mut known: HashMap<String, Vec<T>> = HashMap::new();
    for (unit, of_unit) in listed.into_iter().zip(units.values()) {
        known.entry(unit.0).or_default().push(of_unit.clone());
    }
    Ok(known)
}

/// Whether a change of a unit's properties has led to a state that lasts. While a job is at work nothing is drift,
/// and what systemd itself tries again is looked at as soon as it waits for that.
fn came_to_rest(message: &Message) -> bool {
    type Changed = (String, HashMap<String, OwnedVariant>, Vec<String>);
    let Ok((interface, mut properties, _)) = message.body().deserialize::<Changed>() else { return true };
    let mut text = |name: &str| properties.remove(name).and_then(|value| String::try_from(value).ok());
    if interface != UNIT {
        return false;
    }
    match text("ActiveState").as_deref() {
        Some("activating") => text("SubState").is_some_and(|state| state.starts_with("auto-restart")),
        Some("deactivating" | "reloading" | "refreshing") => false,
        _ => true,
    }
}
