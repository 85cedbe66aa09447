//! What the host has of a type, managed or not.

use super::unreadable;
use crate::host::Scope;
use crate::provider::accounts::AccountDatabase;
use crate::provider::package::load_installed;
use crate::provider::systemd::Systemd;
use crate::resource::View;
use muster_schema::api::{Problem, ProblemReason};
use muster_schema::{Address, Collection};
use std::collections::BTreeSet;

/// Whether the host's things of this type can be listed.
pub(super) fn can_list(collection: Collection, scope: Scope) -> bool {
    let listed = [Collection::Packages, Collection::Services, Collection::Users, Collection::Groups];
    listed.contains(&collection) && !scope.sandbox
}

/// The addresses of everything of this type. Names that are none for muster, as of a user with a strange name, are
/// left out: they cannot be managed.
pub(super) fn list_all(collection: Collection, view: &View<'_>) -> Result<BTreeSet<Address>, Problem> {
    if !can_list(collection, view.host().scope()) {
        let detail = format!("what the host has of {collection} cannot be listed");
        return Err(
            Problem::new(ProblemReason::CannotList, detail).with_hint("ask without ?all=true for what is managed")
        );
    }
    let ids: Vec<String> = match collection {
        Collection::Packages => {
            let (_, database) = load_installed(view.host()).map_err(|error| unreadable(&error))?;
            database.names().map(str::to_owned).collect()
        }
        Collection::Services => {
            Systemd::connect().and_then(|systemd| systemd.list_services()).map_err(|error| unreadable(&error))?
        }
        Collection::Users => load_accounts(view)?.user_names().map(str::to_owned).collect(),
        Collection::Groups => load_accounts(view)?.group_names().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Ok(ids.into_iter().filter_map(|id| Address::new(collection, id).ok()).collect())
}

fn load_accounts(view: &View<'_>) -> Result<AccountDatabase, Problem> {
    AccountDatabase::load(view.reader().as_mut()).map_err(|error| unreadable(&error))
}
