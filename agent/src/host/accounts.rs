//! Names and numbers of users and groups, from the host's own `passwd` and `group` files.

use super::{HostError, HostPath, Reader};
use std::collections::HashMap;

/// Always number 0, even where no file says so.
const ROOT: &str = "root";

/// The account database as one pass of reading found it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    users: Names,
    groups: Names,
    logins: HashMap<u32, Login>,
}

/// Whom a program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's number.
    pub uid: u32,
    /// The number of the primary group.
    pub gid: u32,
    /// The home directory.
    pub home: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    by_name: HashMap<String, u32>,
    by_id: HashMap<u32, String>,
}

impl Accounts {
    /// Reads the database. A host without one has no names.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn load(reader: &mut dyn Reader) -> Result<Accounts, HostError> {
        let passwd = load_lines(reader, "/etc/passwd")?;
        let logins = passwd.lines().filter_map(parse_login).map(|login| (login.uid, login)).collect();
        let group = load_lines(reader, "/etc/group")?;
        Ok(Accounts { users: parse_names(&passwd), groups: parse_names(&group), logins })
    }

    /// The number of a user: looked up, or the text itself when it is a number.
    pub fn uid(&self, user: &str) -> Option<u32> {
        self.users.id(user)
    }

    /// Whom a program of this user runs as.
    pub fn login(&self, user: &str) -> Option<&Login> {
        self.logins.get(&self.uid(user)?)
    }

    /// All users, in no order, with whom their programs run as.
    pub fn logins(&self) -> impl Iterator<Item = (&str, &Login)> {
        self.users.by_name.iter().filter_map(|(name, uid)| Some((name.as_str(), self.logins.get(uid)?)))
    }

    /// The number of a group: looked up, or the text itself when it is a number.
    pub fn gid(&self, group: &str) -> Option<u32> {
        self.groups.id(group)
    }

    /// The name of a user; its number where it has none.
    pub fn user_name(&self, uid: u32) -> String {
        self.users.name(uid)
    }

    /// The name of a group; its number where it has none.
    pub fn group_name(&self, gid: u32) -> String {
        self.groups.name(gid)
    }
}

impl Names {
    fn id(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied().or_else(|| name.parse().ok()).or((name == ROOT).then_some(0))
    }

    fn name(&self, id: u32) -> String {
        match self.by_id.get(&id) {
            Some(name) => name.clone(),
            None if id == 0 => ROOT.to_owned(),
            None => id.to_string(),
        }
    }
}

fn load_lines(reader: &mut dyn Reader, path: &str) -> Result<String, HostError> {
    let Ok(path) = HostPath::new(path) else { return Ok(String::new()) };
    if reader.meta(&path)?.is_none() {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    reader.copy(&path, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Both files have the name in field 1 and the number in field 3. The first entry of a number names it.
fn parse_names(text: &str) -> Names {
    let mut names = Names::default();
    for line in text.lines() {
        let mut fields = line.split(':');
        let (Some(name), _, Some(id)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let Ok(id) = id.parse() else { continue };
        names.by_name.entry(name.to_owned()).or_insert(id);
        names.by_id.entry(id).or_insert_with(|| name.to_owned());
    }
    names
}

fn parse_login(line: &str) -> Option<Login> {
    let fields: Vec<&str> = line.split(':').collect();
    let [_, _, uid, gid, _, home, ..] = fields[..] else { return None };
    Some(Login { uid: uid.parse().ok()?, gid: gid.parse().ok()?, home: home.to_owned() })
}
