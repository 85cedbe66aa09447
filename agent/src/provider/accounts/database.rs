//! passwd(5), shadow(5) and group(5). Users of a directory service are not in them, and are not ours.

use crate::host::{HostError, HostPath, Reader};
use std::collections::HashMap;

#[cfg(test)]
mod tests;

/// The files that hold the accounts.
pub const ACCOUNT_FILES: [&str; 3] = ["/etc/passwd", "/etc/shadow", "/etc/group"];

/// The accounts, as one pass of reading found them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountDatabase {
    users: HashMap<String, User>,
    groups: HashMap<String, Group>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The primary group's id.
    pub gid: u32,
    /// The comment (GECOS) field.
    pub comment: String,
    /// The home directory.
    pub home: String,
    /// The login shell; empty means /bin/sh.
    pub shell: String,
    /// What shadow says of it.
    pub shadow: Option<Shadow>,
}

/// The part of a user that only root may read.
#[derive(Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The password field: a hash, with `!` in front when it is locked.
    pub password: String,
    /// The last day that the account works, in days since 1970-01-01.
    pub expires: Option<i32>,
}

impl std::fmt::Debug for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shadow").field("password", &"…").field("expires", &self.expires).finish()
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group id.
    pub gid: u32,
    /// The users that it lists, sorted. Those whose primary group it is are not among them.
    pub members: Vec<String>,
}

impl AccountDatabase {
    /// Reads the files. One that is missing has no entries; shadow is left out when it may not be read.
    ///
    /// # Errors
    /// When passwd or group is there and cannot be read.
    pub fn load(reader: &mut dyn Reader) -> Result<AccountDatabase, HostError> {
        let [passwd, shadow, group] = ACCOUNT_FILES;
        let mut users: HashMap<String, User> = first_of_a_name(&load_text(reader, passwd)?, load_user);
        for line in load_text(reader, shadow).unwrap_or_default().lines() {
            if let Some((name, shadow)) = load_shadow(line)
                && let Some(user) = users.get_mut(name)
            {
                user.shadow.get_or_insert(shadow);
            }
        }
        let groups = first_of_a_name(&load_text(reader, group)?, load_group);
        Ok(AccountDatabase { users, groups })
    }

    /// The names of all users, in no order.
    pub fn user_names(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// The names of all groups, in no order.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The name of a group; its number where it has none.
    pub fn group_name(&self, gid: u32) -> String {
        let named = self.groups.iter().filter(|(_, group)| group.gid == gid).map(|(name, _)| name);
        named.min().cloned().unwrap_or_else(|| gid.to_string())
    }

    /// The groups that list the user, sorted.
    pub fn groups_of(&self, user: &str) -> Vec<String> {
        let lists = |group: &Group| group.members.binary_search_by(|member| member.as_str().cmp(user)).is_ok();
        let mut names: Vec<String> =
            self.groups.iter().filter(|(_, group)| lists(group)).map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    }
}

fn load_text(reader: &mut dyn Reader, path: &str) -> Result<String, HostError> {
    let Ok(path) = HostPath::new(path) else { return Ok(String::new()) };
    if reader.meta(&path)?.is_none() {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    reader.copy(&path, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Of several entries of one name the first counts, as for the C library.
fn first_of_a_name<T>(text: &str, load: impl Fn(&str) -> Option<(&str, T)>) -> HashMap<String, T> {
    let mut entries = HashMap::new();
    for (name, entry) in text.lines().filter_map(load) {
        entries.entry(name.to_owned()).or_insert(entry);
    }
    entries
}

/// `name:x:uid:gid:comment:home:shell`. Lines of NIS, with `+` or `-` in front, are no local users.
fn load_user(line: &str) -> Option<(&str, User)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, comment, home, shell] = fields[..] else { return None };
    let user = User {
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        comment: comment.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
        shadow: None,
    };
    is_local(name).then_some((name, user))
}

/// `name:password:changed:min:max:warn:inactive:expires:`.
fn load_shadow(line: &str) -> Option<(&str, Shadow)> {
    let mut fields = line.split(':');
    let (name, password) = (fields.next()?, fields.next()?);
    let expires = fields.nth(5).and_then(|days| days.parse().ok()).filter(|days| *days >= 0);
    Some((name, Shadow { password: password.to_owned(), expires }))
}

/// `name:x:gid:member,member`.
fn load_group(line: &str) -> Option<(&str, Group)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else { return None };
    let mut members: Vec<String> = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    members.sort_unstable();
    members.dedup();
    is_local(name).then_some((name, Group { gid: gid.parse().ok()?, members }))
}

fn is_local(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['+', '-', '#'])
}
