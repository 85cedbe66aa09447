//! What systemd tells of its own accord.

use super::client::{connect, listen};
use super::{SystemdError, UnitName};
use futures_util::StreamExt;

/// Something happened to units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitEvent {
    /// A unit's state changed; its own name.
    Changed(String),
    /// Files were enabled, disabled, masked or read anew.
    Files,
    /// What happened meanwhile was missed: look at all units.
    Missed,
}

/// Tells every change of a unit to `tell`, until that answers `false` or the connection ends. Begins with
/// [`UnitEvent::Missed`].
///
/// # Errors
/// When systemd cannot be reached any more.
pub async fn watch_units(mut tell: impl FnMut(UnitEvent) -> bool) -> Result<(), SystemdError> {
    let connection = connect().await?;
    let mut messages = listen(&connection).await?;
    if !tell(UnitEvent::Missed) {
        return Ok(());
    }
    while let Some(message) = messages.next().await {
        let message = message?;
        let header = message.header();
        let event = match header.member().map(|member| member.as_str()) {
            Some("PropertiesChanged") => {
                header.path().and_then(|path| UnitName::of_object_path(path.as_str())).map(UnitEvent::Changed)
            }
            Some("UnitFilesChanged") => Some(UnitEvent::Files),
            _ => None,
        };
        if event.is_some_and(|event| !tell(event)) {
            return Ok(());
        }
    }
    Ok(())
}
