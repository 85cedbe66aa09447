//! Rules of sudo.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, NamedAccounts, OrderClass, ResourceSpec};

/// What users and groups may run by sudo: a file of its own in `/etc/sudoers.d`, owned by root, with mode 0440.
///
/// ```yaml
/// sudo_rules:
///   deploy:
///     users: [deploy]
///     groups: [operators]
///     run_as: [root]
///     commands: [/usr/bin/systemctl restart nginx]
///     tags: [NOPASSWD]
/// ```
///
/// The file has the id as its name. Because sudo ignores names with dots, each character of the id but letters, digits,
/// `_` and `-` is written as `%` and its number: `web.prod` stands in `/etc/sudoers.d/web%2eprod`. A candidate is
/// checked by `visudo -c` before it takes the file's place, so a mistake leaves sudo as it was. A host without sudo
/// blocks the resource.
///
/// Names and arguments are written so that sudo takes them as they are; `*`, `?` and `[…]` in commands are wildcards,
/// as sudoers(5) says. What is not to be run cannot be listed: a rule with exceptions protects nothing.
///
/// When the resource leaves, the file goes, or what was found in its place comes back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SudoRuleSpec {
    /// Users, by name, or `ALL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// Groups, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// The hosts on which the rule counts; `ALL` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The users as whom the commands may run, or `ALL`; root where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<Vec<String>>,
    /// The groups as which they may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_groups: Option<Vec<String>>,
    /// The commands: absolute paths with arguments, `sudoedit` with paths, or `ALL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// What counts for all these commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<SudoTag>>,
}

/// A tag of sudoers(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the words are sudo's")]
pub enum SudoTag {
    Exec,
    Noexec,
    Passwd,
    Nopasswd,
    Setenv,
    Nosetenv,
    Follow,
    Nofollow,
    Mail,
    Nomail,
    #[serde(rename = "LOG_INPUT")]
    LogInput,
    #[serde(rename = "LOG_OUTPUT")]
    LogOutput,
}

impl ResourceSpec for SudoRuleSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts { users: names(&self.users), groups: names(&self.groups) }
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let none = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
        if (none(&self.users) && none(&self.groups)) || none(&self.commands) {
            return Some("needs 'users' or 'groups', and 'commands'".to_owned());
        }
        let lists = [&self.users, &self.groups, &self.hosts, &self.run_as, &self.run_as_groups];
        let names = lists.into_iter().flatten().flatten();
        if let Some(name) = names.into_iter().find(|name| !is_name(name)) {
            return Some(format!("has a name that sudo would not take: {name:?}"));
        }
        let command = self.commands.iter().flatten().find(|command| !is_command(command))?;
        Some(format!("has {command:?} among its commands: write an absolute path, `sudoedit` with a path, or ALL"))
    }
}

/// Not a word that means something else than a name to sudo: negation, number, netgroup, group.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['!', '#', '%', '+', '-']) && !name.contains(char::is_control)
}

fn is_command(command: &str) -> bool {
    let editing = command.strip_prefix("sudoedit ").is_some_and(|path| path.starts_with('/'));
    (command == "ALL" || command.starts_with('/') || editing) && !command.contains(char::is_control)
}

fn names(list: &Option<Vec<String>>) -> Vec<&str> {
    list.iter().flatten().map(String::as_str).collect()
}
