//! What the host has of a type, managed or not.

use super::unreadable;
use crate::host::Scope;
use crate::resource::{Listing, View, listing_of};
use muster_schema::api::{Problem, ProblemReason};
use muster_schema::{Address, Collection};
use std::collections::BTreeSet;

/// Whether the host's things of this type can be listed.
pub(super) fn can_list(collection: Collection, scope: Scope) -> bool {
    matches!(listing_of(collection, scope), Listing::By(_))
}

/// The addresses of everything of this type. Names that are none for muster, as of a user with a strange name, are
/// left out: they cannot be managed.
pub(super) fn list_all(collection: Collection, view: &View<'_>) -> Result<BTreeSet<Address>, Problem> {
    let ids = match listing_of(collection, view.host().scope()) {
        Listing::By(list) => list(view).map_err(|error| unreadable(&error))?,
        Listing::Not(reason) => {
            let detail = format!("what the host has of {collection} cannot be listed");
            return Err(Problem::new(ProblemReason::CannotList, detail).with_hint(reason));
        }
    };
    Ok(ids.into_iter().filter_map(|id| Address::new(collection, id).ok()).collect())
}
