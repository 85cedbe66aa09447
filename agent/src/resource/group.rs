//! Groups of the account database.

use super::listing::Listing;
use super::membership::{give_way, settled_members, wanted_members};
use super::{Change, Hands, Patience, ResourceError, ResourceType, State, Value, View, Wanted, account, change};
use crate::host::{HostPath, Scope};
use crate::provider::accounts::{ACCOUNT_FILES, AccountDatabase};
use muster_schema::Collection;
use muster_schema::resource::{Existence, GroupSpec};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

const GID: &str = "gid";
const MEMBERS: &str = "members";
const SYSTEM: &str = "system";

impl ResourceType for GroupSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let wanted = Wanted::default()
            .with(GID, self.gid.map(u64::from))
            .with(MEMBERS, wanted_members(self.members.as_ref(), self.membership))
            .or_on_creation(MEMBERS, Vec::new());
        if self.system == Some(true) { wanted.or_on_creation(SYSTEM, true) } else { wanted }
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let database = view.once(|view| AccountDatabase::load(view.reader().as_mut()))?;
        let Some(group) = database.group(id) else { return Ok(State::Absent) };
        Ok(State::present([(GID, u64::from(group.gid).into()), (MEMBERS, group.members.clone().into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let change = change::diff_attributes(wanted, observed, |name, wanted, observed| match (name, wanted.list()) {
            (MEMBERS, Some(list)) => observed.list().is_some_and(|found| settled_members(list, found) == found),
            _ => wanted == observed,
        });
        Ok(change.map(|change| settle(change, MEMBERS)))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let database = AccountDatabase::load(hands.host.reader().as_mut())?;
        if change.removes() {
            return account::run(hands, &["groupdel", id]);
        }
        let gid = change.after(GID).and_then(Value::number).map(|gid| gid.to_string());
        let mut argv = vec![if change.creates() { "groupadd" } else { "groupmod" }];
        if change.after(SYSTEM).is_some() {
            argv.push("--system");
        }
        argv.extend(gid.as_deref().map(|gid| ["--gid", gid]).into_iter().flatten());
        if change.creates() || gid.is_some() {
            argv.push(id);
            account::run(hands, &argv)?;
        }
        let Some(members) = change.after(MEMBERS).and_then(Value::list) else { return Ok(()) };
        let found = change.before.get(MEMBERS).and_then(Value::list).unwrap_or_default();
        for user in members.iter().filter(|user| !found.contains(user)) {
            if database.user(user).is_none() {
                // One that is made later in this run joins at the next look.
                if hands.expects(Collection::Users, user) {
                    continue;
                }
                return Err(ResourceError::Blocked(format!("there is no user {user}")));
            }
            account::run(hands, &["gpasswd", "--add", user, "--", id])?;
        }
        for user in found.iter().filter(|user| !members.contains(user)) {
            account::run(hands, &["gpasswd", "--delete", user, "--", id])?;
        }
        Ok(())
    }

    fn give_way(&self, name: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        match (name, &self.members) {
            (MEMBERS, Some(names)) => give_way(names, self.membership, next, original),
            _ => super::keep_or_restore(next, original),
        }
    }

    /// Whoever comes back first joins the other at the next look.
    fn comes_back_at_once(&self) -> bool {
        false
    }

    fn patience(&self) -> Patience {
        Patience::Steps
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        ACCOUNT_FILES.iter().filter_map(|path| HostPath::new(path).ok()).collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_groups)
    }
}

fn list_groups(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let database = AccountDatabase::load(view.reader().as_mut())?;
    Ok(database.group_names().map(str::to_owned).collect())
}

/// Puts the whole list that is to be there in the place of what was wanted of it.
pub(super) fn settle(mut change: Change, name: &'static str) -> Change {
    let found = change.before.get(name).and_then(Value::list).unwrap_or_default().to_vec();
    if let State::Present(attributes) = &mut change.after
        && let Some(wanted) = attributes.get(name).and_then(Value::list)
    {
        let settled = settled_members(wanted, &found);
        attributes.insert(Cow::Borrowed(name), settled.into());
    }
    change
}
