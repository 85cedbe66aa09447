//! Which hosts a question is for. Pure.

use std::collections::BTreeMap;

use muster_schema::HostId;
use muster_schema::api::{Problem, ProblemReason};
use muster_schema::document::Selector;
use muster_schema::manifest::HostIdentity;

use crate::query::Unanswered;
use crate::status::HostStatus;

#[cfg(test)]
mod tests;

/// Whom to ask, and who cannot be asked.
#[derive(Debug)]
pub(super) struct Chosen {
    /// To be asked.
    pub(super) hosts: Vec<HostIdentity>,
    /// Chosen, and not to be reached.
    pub(super) unanswered: Vec<Unanswered>,
}

/// The hosts of these ids, or those that the selector selects. To ask nobody is an error.
///
/// # Errors
/// When an id is unknown, the selector is none, or nobody is chosen.
pub(super) fn choose_hosts(
    known: &BTreeMap<HostId, HostStatus>,
    ids: Option<&str>,
    selector: Option<&str>,
) -> Result<Chosen, Problem> {
    let bad = |detail: String| Problem::new(ProblemReason::BadRequest, detail);
    let chosen: Vec<(&HostId, &HostStatus)> = match (ids, selector) {
        (Some(ids), None) => ids.split(',').map(|id| find(known, id)).collect::<Result<_, _>>()?,
        (None, Some(selector)) => {
            let selector: Selector = selector.parse().map_err(|error| bad(format!("{error}")))?;
            known.iter().filter(|(_, host)| host.environment.is_some() && selector.selects(&host.labels)).collect()
        }
        _ => return Err(bad("name hosts or a selector, and not both".to_owned())),
    };
    if chosen.is_empty() {
        return Err(Problem::new(ProblemReason::UnknownHost, "no host is selected"));
    }
    let mut result = Chosen { hosts: Vec::new(), unanswered: Vec::new() };
    for (id, host) in chosen {
        let mut leave_out = |reason: &str| {
            result.unanswered.push(Unanswered { host: id.clone(), reason: reason.to_owned() });
        };
        match host.key.filter(|_| host.enrolled) {
            Some(_) if host.copied.is_some() => leave_out("two machines speak with its key; 'muster host release'"),
            Some(key) => result.hosts.push(HostIdentity { id: id.clone(), key }),
            None => leave_out("it is not enrolled"),
        }
    }
    Ok(result)
}

fn find<'a>(known: &'a BTreeMap<HostId, HostStatus>, id: &str) -> Result<(&'a HostId, &'a HostStatus), Problem> {
    let found = id.trim().parse::<HostId>().ok().and_then(|id| known.get_key_value(&id));
    found.filter(|(_, host)| host.environment.is_some()).ok_or_else(|| {
        Problem::new(ProblemReason::UnknownHost, format!("there is no host '{}' in this fleet", id.escape_debug()))
    })
}
