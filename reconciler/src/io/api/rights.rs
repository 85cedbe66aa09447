//! Whether somebody may ask something of a host: by the token, and by what the state repository lets the person whom it
//! is bound to.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::Collection;
use muster_schema::document::Verb;

use crate::access::{Caller, Scope};
use crate::io::clock;
use crate::policy::{Decision, HostLabels};
use crate::state::SharedState;

/// What a request is about: a host, as far as it is known, and one collection of it.
pub(super) struct About<'a> {
    pub(super) labels: Option<&'a BTreeMap<String, String>>,
    pub(super) collection: Option<Collection>,
}

/// Whether the token is for it, and the policy of the newest verified revision lets its person do it; one of nobody in
/// particular goes by its scopes alone.
///
/// # Errors
/// With the reason why not.
pub(super) fn check_may(state: &SharedState, caller: &Caller, scope: Scope, about: &About<'_>) -> Result<(), String> {
    caller.check_host(scope, about.labels).map_err(|denied| denied.to_string())?;
    let Some(principal) = caller.principal() else { return Ok(()) };
    let verb = match scope {
        Scope::Query => Verb::Query,
        Scope::Act => Verb::Act,
        Scope::Read => return Ok(()),
    };
    let policy = state.policy().ok_or("no revision is verified yet, so nobody has rights")?;
    if !policy.lists(principal, clock::now()) {
        return Err(format!("the policy lists no key of {principal}"));
    }
    let shared = |text: &String| -> Arc<str> { text.as_str().into() };
    let labels = about.labels.into_iter().flatten().map(|(name, value)| (shared(name), shared(value)));
    let labels: HostLabels = Arc::new(labels.collect());
    let decision = policy.access.allows_within(&[principal.to_owned()], verb, "", |bounds| {
        let is_known = about.labels.is_some() || bounds.hosts.is_none();
        is_known && bounds.hold_host(std::slice::from_ref(&labels)) && bounds.hold_collection(about.collection)
    });
    match decision {
        Decision::Allowed(_) => Ok(()),
        Decision::Denied(denial) => Err(format!("{principal} may not {verb} this: {denial}")),
    }
}
