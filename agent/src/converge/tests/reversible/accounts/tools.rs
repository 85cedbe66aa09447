//! What the tools for accounts (shadow 4.13) do to the files.

use super::{GROUP, PASSWD, SHADOW};
use crate::converge::tests::reversible::{file, put, refuses, text};
use crate::host::fake::{Node, Tree, What};
use crate::host::{Program, ProgramOutput};

type Line = Vec<String>;
type Answer = Result<(), String>;

struct Accounts<'t> {
    tree: &'t mut Tree,
    passwd: Vec<Line>,
    shadow: Vec<Line>,
    group: Vec<Line>,
}

/// Options by name, and what stands behind them.
struct Call<'p> {
    options: Vec<(&'p str, &'p str)>,
    names: Vec<&'p str>,
}

const FLAGS: [&str; 7] =
    ["--create-home", "--no-create-home", "--system", "--user-group", "--lock", "--unlock", "--encrypted"];

pub(super) fn run(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let Some((tool, rest)) = program.argv.split_first() else { return refuses("nothing to run") };
    let mut call = Call { options: Vec::new(), names: Vec::new() };
    let mut words = rest.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--" => call.names.extend(words.by_ref()),
            flag if FLAGS.contains(&flag) => call.options.push((flag, "")),
            option if option.starts_with("--") => call.options.push((option, words.next().unwrap())),
            name => call.names.push(name),
        }
    }
    let load = |path| text(tree, path).lines().map(|line| line.split(':').map(str::to_owned).collect()).collect();
    let (passwd, shadow, group) = (load(PASSWD), load(SHADOW), load(GROUP));
    let mut accounts = Accounts { tree, passwd, shadow, group };
    let answer = match tool.as_str() {
        "useradd" => accounts.add_user(&call),
        "usermod" => accounts.modify_user(&call),
        "userdel" => accounts.remove_user(call.names[0]),
        "groupadd" => accounts.add_group(&call),
        "groupmod" => accounts.modify_group(&call),
        "groupdel" => accounts.remove_group(call.names[0]),
        "gpasswd" => accounts.change_member(&call),
        "chpasswd" => accounts.set_password(std::str::from_utf8(&program.stdin).unwrap().trim()),
        other => Err(format!("no program {other}")),
    };
    match answer {
        Ok(()) => {
            accounts.save();
            ProgramOutput::default()
        }
        Err(reason) => refuses(&format!("{tool}: {reason}")),
    }
}

impl<'p> Call<'p> {
    fn get(&self, option: &str) -> Option<&'p str> {
        self.options.iter().find(|(name, _)| *name == option).map(|(_, value)| *value)
    }
}

fn find<'l>(lines: &'l mut [Line], name: &str) -> Result<&'l mut Line, String> {
    lines.iter_mut().find(|line| line[0] == name).ok_or_else(|| format!("'{name}' does not exist"))
}

/// Days since 1970-01-01, or nothing.
fn days(date: &str) -> String {
    match date.parse::<jiff::civil::Date>() {
        Ok(date) => (date - jiff::civil::date(1970, 1, 1)).get_days().to_string(),
        Err(_) => date.to_owned(),
    }
}

impl Accounts<'_> {
    fn save(self) {
        for (path, lines) in [(PASSWD, self.passwd), (SHADOW, self.shadow), (GROUP, self.group)] {
            let text: String = lines.iter().map(|line| format!("{}\n", line.join(":"))).collect();
            let found = self.tree.get(path).cloned().unwrap_or_else(|| file(""));
            put(self.tree, path, Node { what: What::File(text.into_bytes()), ..found });
        }
    }

    fn free_id(&self) -> u32 {
        let used = self.passwd.iter().chain(&self.group).filter_map(|line| line[2].parse::<u32>().ok());
        used.filter(|id| *id < 65_000).max().unwrap_or(0).max(64_100) + 1
    }

    /// The number of a group by name or number.
    fn gid_of(&mut self, group: &str) -> Result<String, String> {
        if self.group.iter().any(|line| line[2] == group) {
            return Ok(group.to_owned());
        }
        Ok(find(&mut self.group, group)?[2].clone())
    }

    fn add_user(&mut self, call: &Call<'_>) -> Answer {
        let name = call.names[0];
        if self.passwd.iter().any(|line| line[0] == name) {
            return Err(format!("user '{name}' already exists"));
        }
        let uid = call.get("--uid").map_or_else(|| self.free_id().to_string(), str::to_owned);
        if self.passwd.iter().any(|line| line[2] == uid) {
            return Err(format!("UID {uid} is not unique"));
        }
        let gid = match call.get("--gid") {
            Some(group) => self.gid_of(group)?,
            None => {
                if self.group.iter().any(|line| line[0] == name) {
                    return Err(format!("group {name} exists - if you want to add this user to that group, use -g."));
                }
                let taken = self.group.iter().any(|line| line[2] == uid);
                let gid = if taken { self.free_id().to_string() } else { uid.clone() };
                self.group.push([name, "x", &gid, ""].map(str::to_owned).to_vec());
                gid
            }
        };
        let home = call.get("--home-dir").map_or_else(|| format!("/home/{name}"), str::to_owned);
        let (comment, shell) = (call.get("--comment").unwrap_or(""), call.get("--shell").unwrap_or("/bin/sh"));
        self.passwd.push([name, "x", &uid, &gid, comment, &home, shell].map(str::to_owned).to_vec());
        let expires = call.get("--expiredate").map(days).unwrap_or_default();
        self.shadow.push([name, "!", "20500", "0", "99999", "7", "", &expires, ""].map(str::to_owned).to_vec());
        if call.get("--create-home").is_some() && !self.tree.contains_key(&home) {
            let (uid, gid) = (uid.parse().unwrap(), gid.parse().unwrap());
            put(self.tree, &home, Node { uid, gid, ..Node::new(What::Directory, 0o700) });
            put(self.tree, &format!("{home}/.profile"), Node { uid, gid, ..self.tree["/etc/skel/.profile"].clone() });
        }
        Ok(())
    }

    fn modify_user(&mut self, call: &Call<'_>) -> Answer {
        let name = call.names[0];
        let gid = call.get("--gid").map(|group| self.gid_of(group)).transpose()?;
        let uid = call.get("--uid").map(str::to_owned);
        if let Some(uid) = &uid
            && self.passwd.iter().any(|line| line[2] == *uid && line[0] != name)
        {
            return Err(format!("UID '{uid}' already exists"));
        }
        let line = find(&mut self.passwd, name)?;
        let old = line.clone();
        for (at, value) in [(2, uid.as_deref()), (3, gid.as_deref())].into_iter().chain([
            (4, call.get("--comment")),
            (5, call.get("--home")),
            (6, call.get("--shell")),
        ]) {
            if let Some(value) = value {
                line[at] = value.to_owned();
            }
        }
        let new = line.clone();
        let shadow = find(&mut self.shadow, name)?;
        if let Some(date) = call.get("--expiredate") {
            shadow[7] = days(date);
        }
        if call.get("--lock").is_some() && !shadow[1].starts_with('!') {
            shadow[1].insert(0, '!');
        }
        if call.get("--unlock").is_some() {
            match shadow[1].strip_prefix('!') {
                Some("") => return Err("unlocking would result in a passwordless account".to_owned()),
                Some(hash) => shadow[1] = hash.to_owned(),
                None => {}
            }
        }
        // What is below the old home and was the user's stays the user's, where the home itself is the user's.
        let number = |line: &Line, at: usize| line[at].parse::<u32>().unwrap();
        let owner = self.tree.get(&old[5]).map(|home| home.uid);
        if owner != Some(number(&old, 2)) && owner != Some(number(&new, 2)) {
            return Ok(());
        }
        let below = format!("{}/", old[5]);
        for (_, node) in self.tree.iter_mut().filter(|(path, _)| **path == old[5] || path.starts_with(&below)) {
            if node.uid == number(&old, 2) {
                node.uid = number(&new, 2);
            }
            if node.gid == number(&old, 3) {
                node.gid = number(&new, 3);
            }
        }
        Ok(())
    }

    fn remove_user(&mut self, name: &str) -> Answer {
        let user = find(&mut self.passwd, name)?.clone();
        self.passwd.retain(|line| line[0] != name);
        self.shadow.retain(|line| line[0] != name);
        for line in &mut self.group {
            line[3] = without(&line[3], name);
        }
        let others_primary = self.passwd.iter().any(|line| line[3] == user[3]);
        self.group.retain(|line| line[0] != name || line[2] != user[3] || !line[3].is_empty() || others_primary);
        Ok(())
    }

    fn add_group(&mut self, call: &Call<'_>) -> Answer {
        let name = call.names[0];
        if self.group.iter().any(|line| line[0] == name) {
            return Err(format!("group '{name}' already exists"));
        }
        let gid = call.get("--gid").map_or_else(|| self.free_id().to_string(), str::to_owned);
        if self.group.iter().any(|line| line[2] == gid) {
            return Err(format!("GID '{gid}' already exists"));
        }
        self.group.push([name, "x", &gid, ""].map(str::to_owned).to_vec());
        Ok(())
    }

    fn modify_group(&mut self, call: &Call<'_>) -> Answer {
        let Some(gid) = call.get("--gid") else { return Ok(()) };
        let line = find(&mut self.group, call.names[0])?;
        let old = std::mem::replace(&mut line[2], gid.to_owned());
        for user in self.passwd.iter_mut().filter(|user| user[3] == old) {
            user[3] = gid.to_owned();
        }
        Ok(())
    }

    fn remove_group(&mut self, name: &str) -> Answer {
        let gid = find(&mut self.group, name)?[2].clone();
        if let Some(user) = self.passwd.iter().find(|line| line[3] == gid) {
            return Err(format!("cannot remove the primary group of user '{}'", user[0]));
        }
        self.group.retain(|line| line[0] != name);
        Ok(())
    }

    fn change_member(&mut self, call: &Call<'_>) -> Answer {
        let (add, remove) = (call.get("--add"), call.get("--delete"));
        let name = add.or(remove).unwrap();
        find(&mut self.passwd, name)?;
        let line = find(&mut self.group, call.names[0])?;
        let is_member = line[3].split(',').any(|member| member == name);
        match (add, is_member) {
            (Some(_), false) if line[3].is_empty() => line[3] = name.to_owned(),
            (Some(_), false) => line[3] = format!("{},{name}", line[3]),
            (None, true) => line[3] = without(&line[3], name),
            (None, false) => return Err(format!("user '{name}' is not a member of '{}'", line[0])),
            (Some(_), true) => {}
        }
        Ok(())
    }

    fn set_password(&mut self, told: &str) -> Answer {
        let (name, hash) = told.split_once(':').unwrap();
        let line = find(&mut self.shadow, name)?;
        line[1] = hash.to_owned();
        line[2] = "20501".to_owned();
        Ok(())
    }
}

fn without(members: &str, name: &str) -> String {
    members.split(',').filter(|member| *member != name).collect::<Vec<_>>().join(",")
}
