//! Jobs: systemd answers at once, and tells later how it went.

use super::SystemdError;
use super::client::{DESTINATION, MANAGER, MANAGER_PATH, listen};
use futures_util::StreamExt;
use std::time::Duration;
use zbus::{Connection, OwnedObjectPath};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Starts the unit.
    Start,
    /// Stops it.
    Stop,
    /// Restarts it, if it runs.
    Restart,
    /// Lets it read its configuration anew, or restarts it where it cannot; only if it runs.
    Reload,
}

impl Verb {
    fn method(self) -> &'static str {
        match self {
            Verb::Start => "StartUnit",
            Verb::Stop => "StopUnit",
            Verb::Restart => "TryRestartUnit",
            Verb::Reload => "ReloadOrTryRestartUnit",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Restart => "restart",
            Verb::Reload => "reload",
        }
    }
}

/// Puts the job into systemd's queue and waits for its end.
pub(super) async fn run(connection: &Connection, verb: Verb, unit: &str, limit: Duration) -> Result<(), SystemdError> {
    let ended = tokio::time::timeout(limit, wait(connection, verb, unit)).await;
    let result = ended.map_err(|_| SystemdError::Timeout(verb.name()))??;
    // A job that found nothing to do was skipped.
    if result == "done" || result == "skipped" {
        return Ok(());
    }
    Err(SystemdError::Job { verb: verb.name(), unit: unit.to_owned(), result })
}

async fn wait(connection: &Connection, verb: Verb, unit: &str) -> Result<String, SystemdError> {
    // The end may be told before the answer to the question is: so listen first.
    let mut messages = listen(connection).await?;
    let answer = connection
        .call_method(Some(DESTINATION), MANAGER_PATH, Some(MANAGER), verb.method(), &(unit, "replace"))
        .await?;
    let job: OwnedObjectPath = answer.body().deserialize()?;
    while let Some(message) = messages.next().await {
        let message = message?;
        if message.header().member().is_none_or(|member| member.as_str() != "JobRemoved") {
            continue;
        }
        let (_, removed, _, result): (u32, OwnedObjectPath, String, String) = message.body().deserialize()?;
        if removed == job {
            return Ok(result);
        }
    }
    Err(SystemdError::Timeout("the connection to systemd"))
}
