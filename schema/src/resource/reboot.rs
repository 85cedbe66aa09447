//! Reboots that are owed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, Reactions, ResourceSpec};

#[cfg(test)]
mod tests;

/// A reboot of the host when one is owed: because something of `run_on` changed, or because the host says that it needs
/// one. There is one, with the id `system`.
///
/// ```yaml
/// reboot:
///   system:
///     run_on: [packages/linux-image-amd64, files/etc/default/grub]
///     needed: true
///     window: {days: [sat, sun], from: "02:00", to: "04:00", timezone: Europe/Berlin}
///     message: maintenance
/// ```
///
/// That a reboot is owed is written down, with the id of the boot, before anything is asked for. It survives a crash, and
/// another boot settles it, whoever made that: a host is not booted twice for one change. What says
/// `requires: [reboot/system]` waits, and is done after the boot; the rest of the plan does not wait. Until then the
/// resource is `pending`, and the host `Pending/RebootPending`, with the reason and the next window. Nothing is booted in
/// the modes `audit` and `apply_once`, and a reboot that is owed when the resource leaves is not made.
///
/// It runs `shutdown -r`. A host that says within ten minutes of a boot that it needs another one waits for the rest of
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RebootSpec {
    /// Whether it is owed too when the host says so: by `/run/reboot-required` (Debian and its kin), or by
    /// `needs-restarting -r` where that is installed (dnf's kin).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<bool>,
    /// When it may be; at any time where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<RebootWindow>,
    /// What those who are logged in are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long before it they are told, in minutes; 0 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<u32>,
}

/// A time of day, on some days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RebootWindow {
    /// The days on which it opens; all where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<Day>>,
    /// When it opens: `22:00`.
    pub from: String,
    /// When it closes; on the next day, where that is earlier than `from`.
    pub to: String,
    /// The zone of these times, as below `/usr/share/zoneinfo`; UTC where nothing is said. Another zone than UTC needs the
    /// package `tzdata` on the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// The longest delay, in minutes.
const MAX_DELAY: u32 = 24 * 60;
const MAX_MESSAGE: usize = 200;

impl RebootWindow {
    /// Hour and minute of a time of day.
    pub fn time_of(text: &str) -> Option<(u8, u8)> {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(hour) || !digits(minute) {
            return None;
        }
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some((hour, minute))
    }
}

impl ResourceSpec for RebootSpec {
    const ID: IdForm = IdForm::Single("system");
    const REACTIONS: Reactions = Reactions::Run;

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        if self.needed != Some(true) && meta.run_on.is_empty() {
            return Some("is never owed: 'needed: true' or 'run_on' is missing".to_owned());
        }
        if self.delay.is_some_and(|delay| delay > MAX_DELAY) {
            return Some(format!("has a 'delay' of more than {MAX_DELAY} minutes"));
        }
        let message = self.message.as_deref().unwrap_or_default();
        if message.len() > MAX_MESSAGE || message.chars().any(char::is_control) {
            return Some(format!("has a 'message' that is no line of at most {MAX_MESSAGE} bytes"));
        }
        self.window.as_ref().and_then(contradiction_of_window)
    }
}

fn contradiction_of_window(window: &RebootWindow) -> Option<String> {
    let RebootWindow { days, from, to, timezone } = window;
    if let Some(bad) = [from, to].into_iter().find(|text| RebootWindow::time_of(text).is_none()) {
        return Some(format!("has the time {bad:?} in its window: as 02:00"));
    }
    if from == to {
        return Some("has a window that closes as it opens".to_owned());
    }
    if days.as_ref().is_some_and(Vec::is_empty) {
        return Some("has a window on no day".to_owned());
    }
    let zone = timezone.as_deref().unwrap_or("UTC");
    let fits = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    (!zone.split('/').all(fits)).then(|| format!("has {zone:?}, which is no time zone"))
}
