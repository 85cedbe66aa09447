//! Users and groups.

use super::{Dice, Family, file, folders, put, revision, text};
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use serde_json::{Value, json};

mod tools;

const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";
const GROUP: &str = "/etc/group";
const HASH: &str = "$6$salt$hash";

pub(super) const FAMILY: Family = Family {
    name: "accounts",
    collections: &[Collection::Groups, Collection::Users],
    host,
    manifest,
    programs: tools::run,
    plain,
};

/// Numbers that no process of this machine has.
fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/etc/skel", "/home", "/home/anna", "/srv"]);
    put(&mut tree, "/etc/skel/.profile", file("umask 022\n"));
    let folder = Node { uid: 64_001, gid: 64_001, ..Node::new(What::Directory, 0o750) };
    put(&mut tree, "/home/anna", folder);
    put(&mut tree, "/home/anna/notes", Node { uid: 64_001, gid: 64_001, ..file("hers\n") });
    let mut passwd = String::from("root:x:0:0:root:/root:/bin/bash\n");
    let mut shadow = String::from("root:*:19000:0:99999:7:::\n");
    let mut members = Vec::new();
    if dice.roll(4) != 0 {
        passwd.push_str("anna:x:64001:64001:Anna,,,:/home/anna:/bin/bash\n");
        let lock = dice.one(&["", "!"]);
        let expires = dice.one(&["", "20000"]);
        shadow.push_str(&format!("anna:{lock}{HASH}:19000:0:99999:7::{expires}:\n"));
        members.push("anna");
    }
    passwd.push_str("ben:x:64002:100::/srv:/usr/sbin/nologin\n");
    // Locked, without a password from the beginning, or without any that fits.
    let password = [&format!("!{HASH}"), "!", "*"][dice.roll(3) as usize].to_owned();
    shadow.push_str(&format!("ben:{password}:19000:0:99999:7:::\n"));
    members.push("ben");
    let list = |dice: &mut Dice| {
        let mut chosen = Vec::new();
        for name in &members {
            if dice.roll(2) == 0 {
                chosen.push(*name);
            }
        }
        chosen.join(",")
    };
    let mut group = String::from("root:x:0:\nusers:x:100:\n");
    group.push_str(&format!("adm:x:4:{}\n", list(dice)));
    if members.contains(&"anna") {
        group.push_str("anna:x:64001:\n");
    }
    if dice.roll(2) == 0 {
        let list = list(dice);
        group.push_str(&format!("old:x:64050:{list}\n"));
    }
    put(&mut tree, PASSWD, file(passwd));
    put(&mut tree, SHADOW, Node { mode: 0o640, ..file(shadow) });
    put(&mut tree, GROUP, file(group));
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let absent = || json!({"meta": {"state": "absent"}});
    let mut resources = Vec::new();
    for name in ["anna", "ben", "new"] {
        let user = match dice.roll(5) {
            0 => continue,
            1 => absent(),
            _ => user(name, dice),
        };
        resources.push((format!("users/{name}"), user));
    }
    for (name, gid) in [("adm", 64_061), ("old", 64_062), ("made", 64_063)] {
        let group = match dice.roll(5) {
            0 => continue,
            1 if name != "adm" => absent(),
            2 => json!({"gid": gid}),
            // Nobody asks for a member who is to be absent.
            3 => json!({"members": ["root"], "membership": dice.one(&["exact", "min"])}),
            _ => json!({}),
        };
        resources.push((format!("groups/{name}"), group));
    }
    revision(resources)
}

fn user(name: &str, dice: &mut Dice) -> Value {
    let mut user = json!({});
    let choices = [
        ("comment", json!(dice.one(&["ours", "Anna"]))),
        ("shell", json!("/bin/sh")),
        ("uid", json!(64_070 + u32::from(name.as_bytes()[0] - b'a'))),
        ("group", json!(dice.one(&["users", "root"]))),
        ("groups", json!([dice.one(&["adm", "users"])])),
        ("locked", json!(dice.roll(2) == 0)),
        ("expires", json!(dice.one(&["never", "2031-05-06"]))),
        ("create_home", json!(true)),
    ];
    for (attribute, value) in choices {
        if dice.roll(3) == 0 {
            user[attribute] = value;
        }
    }
    // Who is open has a password.
    if user.get("locked") == Some(&json!(false)) || dice.roll(3) == 0 {
        user["password"] = json!("$6$salt$ours");
    }
    if user.get("groups").is_some() && dice.roll(2) == 0 {
        user["membership"] = json!("exact");
    }
    user
}

/// Neither the order of entries nor the day of the last change is anybody's.
fn plain(mut tree: Tree) -> Tree {
    for path in [PASSWD, SHADOW, GROUP] {
        let found = text(&tree, path);
        let mut lines: Vec<String> = found.lines().map(|line| plain_line(path, line)).collect();
        lines.sort_unstable();
        if let Some(node) = tree.get_mut(path) {
            node.what = What::File(lines.join("\n").into_bytes());
        }
    }
    tree
}

fn plain_line(path: &str, line: &str) -> String {
    let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
    match path {
        SHADOW => fields[2] = String::new(),
        GROUP => {
            let mut members: Vec<&str> = fields[3].split(',').collect();
            members.sort_unstable();
            fields[3] = members.join(",");
        }
        _ => {}
    }
    fields.join(":")
}

/// A user whose home holds files by then, or who is asked to go while it does.
#[test]
fn a_user_that_cannot_go_is_locked_and_the_plan_says_so() {
    use super::world::{World, nothing};
    use muster_schema::state::ResourceState;
    let world = World::new(&FAMILY, &host(&mut Dice(77)));
    let wanted = json!({"users/new": {"create_home": true, "password": HASH}});
    world.follow(&nothing(), &wanted);
    let uid = text(&world.host.tree(), PASSWD).lines().find(|line| line.starts_with("new:")).unwrap().to_owned();
    world.host.set("/home/new/thesis", file("years of work\n"));
    let followed = world.follow(&wanted, &nothing());
    let said: Vec<&String> = followed.said.iter().map(|(_, what)| what).collect();
    assert_eq!(said, ["stays: its home holds files; it is locked"]);
    let outcome = followed.outcomes.last().unwrap();
    assert_eq!(outcome.state, Some(ResourceState::Retained), "{outcome:?}");
    let tree = world.host.tree();
    assert!(text(&tree, PASSWD).contains(&uid), "it is still there");
    assert!(text(&tree, SHADOW).contains(&format!("new:!{HASH}:")), "it is locked");
    assert!(tree.contains_key("/home/new/thesis"));
    // It is not locked again and again, and goes once nothing of it is left.
    assert!(world.follow(&nothing(), &nothing()).outcomes.iter().all(|outcome| !outcome.changed));
}
