//! Probes: one look at something, which ends in its time. Each is run on a thread of its own.
#![allow(clippy::disallowed_methods, reason = "looks at the world")]

mod command;
mod disk;
mod http;
mod tcp;
#[cfg(test)]
mod tests;
mod unit;

use crate::host::HostRead;
use muster_schema::resource::CheckSpec;
use std::time::Duration;

/// The longest reason that is told, in characters.
const MAX_REASON: usize = 300;

/// Probes once. The error says why the answer is not as it is to be.
///
/// # Errors
/// When it is not.
pub fn run_probe(spec: &CheckSpec, timeout: Duration, host: &dyn HostRead) -> Result<(), String> {
    let CheckSpec { tcp, http, command, unit, disk, .. } = spec;
    let answer = match (tcp, http, command, unit, disk) {
        (Some(endpoint), ..) => tcp::probe(endpoint, timeout),
        (_, Some(http), ..) => http::probe(http, timeout),
        (_, _, Some(argv), ..) => command::probe(argv, timeout, host),
        (_, _, _, Some(unit), _) => unit::probe(unit),
        (.., Some(disk)) => disk::probe(disk),
        _ => Err("nothing is to be probed".to_owned()),
    };
    answer.map_err(|why| why.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect())
}
