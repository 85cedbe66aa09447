//! Timers of systemd.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cron::contradiction_of_command;
use crate::address::IdForm;
use crate::resource::{Meta, NamedAccounts, OrderClass, ResourceSpec};

/// A command that systemd runs by the calendar: a timer and a service of their own, `muster-<id>.timer` and
/// `muster-<id>.service` in `/etc/systemd/system`. The timer is enabled and waits.
///
/// Characters of the id that names of units cannot have are written as systemd does: `\x25` for `%`. The arguments of
/// the command reach the program as they are written: no shell and none of systemd's specifiers and variables changes
/// them. `calendar` is checked by `systemd-analyze` on the host before anything is written.
///
/// When the resource leaves, the timer is stopped, and both units go or what was found in their place comes back. A run
/// that is under way goes on. What the command did stays.
///
/// ```yaml
/// resources:
///   timers:
///     backup:
///       calendar: "Mon..Fri 03:17"
///       command: [/usr/local/bin/backup, --all]
///       user: backup
///       persistent: true
///       splay: 600
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimerSpec {
    /// When it runs, as in systemd.time(7): `daily`, `Mon..Fri 03:17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The user it runs as; root where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Whether a run that was missed while the host was off is made up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent: Option<bool>,
    /// Each run is put off by a random time up to this, in seconds, so that not all hosts run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splay: Option<u32>,
}

impl ResourceSpec for TimerSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Services);

    fn paths_of(id: &str) -> Vec<String> {
        let name = id.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b':' => char::from(byte).to_string(),
            other => format!("\\x{other:02x}"),
        });
        let name = format!("/etc/systemd/system/muster-{}", name.collect::<String>());
        vec![format!("{name}.service"), format!("{name}.timer")]
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_user(&self.user)
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(calendar) = &self.calendar else { return Some("has no 'calendar'".to_owned()) };
        let allowed = |c: char| c.is_ascii_alphanumeric() || " *-:,./~_+".contains(c);
        if calendar.trim().is_empty() || !calendar.chars().all(allowed) {
            return Some(format!("has {calendar:?} as its calendar: see systemd.time(7)"));
        }
        contradiction_of_command(&self.command, &self.user, &self.env)
    }
}
