//! Owner, group and mode: what files and directories have in common.

use super::{Attributes, ResourceError, State, Value};
use crate::host::{Accounts, Meta, NewAttributes, Scope};
use muster_schema::mode::Mode;
use std::borrow::Cow;

pub(super) const OWNER: &str = "owner";
pub(super) const GROUP: &str = "group";
pub(super) const MODE: &str = "mode";

/// What a specification asks for, as far as the agent may give things away here.
pub(super) fn wanted_owner(owner: &Option<String>, scope: Scope) -> Option<String> {
    owner.clone().filter(|_| scope.owners)
}

/// The observed attributes, owner and group in the form in which the specification writes them: name or number.
pub(super) fn observe_ownership(
    meta: &Meta,
    owner: Option<&str>,
    group: Option<&str>,
    accounts: &Accounts,
) -> Attributes {
    let is_number = |text: Option<&str>| text.is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let owner = if is_number(owner) { meta.uid.to_string() } else { accounts.user_name(meta.uid) };
    let group = if is_number(group) { meta.gid.to_string() } else { accounts.group_name(meta.gid) };
    Attributes::from_iter([
        (Cow::Borrowed(OWNER), Value::from(owner)),
        (Cow::Borrowed(GROUP), Value::from(group)),
        (Cow::Borrowed(MODE), Value::from(Mode::from_bits(meta.mode).to_string())),
    ])
}

/// The attributes to set, with names looked up now.
pub(super) fn new_attributes(
    state: &State,
    accounts: impl FnOnce() -> Result<Accounts, ResourceError>,
) -> Result<NewAttributes, ResourceError> {
    let mode = match state.get(MODE).and_then(Value::text) {
        Some(mode) => Some(mode.parse::<Mode>().map_err(|error| ResourceError::Failed(error.to_string()))?.bits()),
        None => None,
    };
    let (owner, group) = (state.get(OWNER).and_then(Value::text), state.get(GROUP).and_then(Value::text));
    if owner.is_none() && group.is_none() {
        return Ok(NewAttributes { mode, uid: None, gid: None });
    }
    let accounts = accounts()?;
    let missing = |kind: &str, name: &str| ResourceError::Blocked(format!("there is no {kind} {name}"));
    let uid = owner.map(|name| accounts.uid(name).ok_or_else(|| missing("user", name))).transpose()?;
    let gid = group.map(|name| accounts.gid(name).ok_or_else(|| missing("group", name))).transpose()?;
    Ok(NewAttributes { mode, uid, gid })
}

/// Owner and group by their numbers, and the mode: `0:0 0644`.
pub(super) fn access_of(meta: &Meta) -> String {
    format!("{}:{} {:04o}", meta.uid, meta.gid, meta.mode)
}

/// The attributes to set so that a file is accessed as [`access_of`] said.
pub(super) fn access_to_set(goal: Option<&Value>) -> NewAttributes {
    let parse = |text: &str| {
        let (owners, mode) = text.split_once(' ')?;
        let (uid, gid) = owners.split_once(':')?;
        let mode = u32::from_str_radix(mode, 8).ok()?;
        Some(NewAttributes { mode: Some(mode), uid: Some(uid.parse().ok()?), gid: Some(gid.parse().ok()?) })
    };
    goal.and_then(Value::text).and_then(parse).unwrap_or_default()
}
