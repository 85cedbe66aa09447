//! Entries of cron.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, NamedAccounts, OrderClass, ResourceSpec};

mod schedule;

/// A command that cron runs by a schedule: a file of its own in `/etc/cron.d`, owned by root, with mode 0644.
///
/// The file has the id as its name. Because cron ignores names with dots, each character of the id but letters, digits,
/// `_` and `-` is written as `_` and its number: `db.dump` stands in `/etc/cron.d/db_2edump`. The arguments of the
/// command reach the program as they are written; whoever wants a shell says so: `[sh, -c, "…"]`. A schedule that cron
/// would not take is refused before it reaches a host.
///
/// A host without `/etc/cron.d` blocks the resource: there is no cron, or one that does not read it, as that of
/// BusyBox. Where systemd runs, `timers` says in the journal what became of each run.
///
/// When the resource leaves, the file goes, or what was found in its place comes back. What the command did stays.
///
/// ```yaml
/// resources:
///   cron:
///     dump:
///       schedule: "17 3 * * mon-fri"
///       user: postgres
///       command: [/usr/local/bin/dump, --all]
///       env: {MAILTO: admin@example.com}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CronSpec {
    /// Minute, hour, day of the month, month and day of the week, as in crontab(5), or a word such as `@daily`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The user it runs as; root where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Variables for it and for cron itself, such as `MAILTO`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
}

impl ResourceSpec for CronSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn paths_of(id: &str) -> Vec<String> {
        let name = id.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
            other => format!("_{other:02x}"),
        });
        vec![format!("/etc/cron.d/{}", name.collect::<String>())]
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_user(&self.user)
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(schedule) = &self.schedule else { return Some("has no 'schedule'".to_owned()) };
        if let Err(reason) = schedule::check_schedule(schedule) {
            return Some(format!("has a 'schedule' that cron would not take: {reason}"));
        }
        let both_quotes = |value: &String| value.contains('"') && value.contains('\'');
        if let Some((name, _)) = self.env.iter().flatten().find(|(_, value)| both_quotes(value)) {
            return Some(format!("has both kinds of quotes in the variable {name}, which cron cannot read"));
        }
        contradiction_of_command(&self.command, &self.user, &self.env)
    }
}

/// What no scheduler takes: it reads its files line by line.
pub(super) fn contradiction_of_command(
    command: &Option<Vec<String>>,
    user: &Option<String>,
    env: &Option<BTreeMap<String, String>>,
) -> Option<String> {
    let Some(program) = command.iter().flatten().next() else { return Some("has no 'command'".to_owned()) };
    if !program.starts_with(|c: char| c == '/' || c.is_ascii_alphanumeric()) {
        return Some(format!("has {program:?} as its program: write a path or a name"));
    }
    if command.iter().flatten().any(|part| part.contains(char::is_control)) {
        return Some("has a control character in 'command'".to_owned());
    }
    let is_user = |user: &String| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        !user.is_empty() && !user.starts_with(['-', '.']) && user.bytes().all(allowed)
    };
    if let Some(user) = user.as_ref().filter(|user| !is_user(user)) {
        return Some(format!("has {user:?} as its user, which is no name"));
    }
    let is_variable = |(name, value): &(&String, &String)| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(allowed) && !value.contains(char::is_control)
    };
    let wrong = env.iter().flatten().find(|variable| !is_variable(variable))?;
    Some(format!("has {:?} in 'env': a name has letters, digits and '_', and a value no control character", wrong.0))
}
