//! Files, directories, and parts of files: pushed, healed byte for byte, given back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use anyhow::Result;
use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::wait_until;
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, setxattr};

use crate::web;

const ASSIGNED: &str = "applications: {app: {}}\n";
const APPLICATION: &str = r##"
resources:
  files:
    /etc/app/access.conf:
      content: "managed\n"
      owner: root
      group: daemon
      mode: "0640"
      acl: ["group::r--", "group:adm:r--", "user:daemon:r--"]
      xattr: {user.origin: muster}
      backup: true
    /etc/app/new.conf: {content: "new\n", mode: "0640", acl: ["user:daemon:r--"], xattr: {user.origin: muster}}
    /etc/app/mounted.conf: {content: "managed\n", mode: "0600"}
    /etc/app/conf.d/ours.conf: {content: "ours\n"}
    /etc/app/conf.d/sub/ours.conf: {content: "ours\n"}
  directories:
    /etc/app/conf.d: {mode: "0750", purge: true, purge_ignore: ["*.local"]}
  lines:
    root-login: {path: /etc/app/login.conf, line: "PermitRootLogin no", match: "*PermitRootLogin *"}
    banner: {path: /etc/app/login.conf, line: "Banner none", after: "# banners"}
    made: {path: /etc/app/made.conf, line: "only"}
  blocks:
    cluster: {path: /etc/app/login.conf, content: "Host db-1\nHost db-2\n"}
  settings_files:
    ini: {path: /etc/app/app.ini, key: log.level, value: info}
    ini-new: {path: /etc/app/app.ini, key: net.host, value: localhost}
    toml: {path: /etc/app/app.toml, key: net.port, value: 8080}
    toml-new: {path: /etc/app/app.toml, key: log.file, value: /var/log/app}
    json: {path: /etc/app/app.json, key: port, value: 8080}
    json-new: {path: /etc/app/app.json, key: [log, "app.driver"], value: journald}
    yaml: {path: /etc/app/app.yaml, key: log.level, value: info}
    yaml-new: {path: /etc/app/app.yaml, key: net.hosts, value: [db-1, db-2]}
"##;

/// What is there before us, and what is to be there with us, of the files that we change in part.
const PARTS: [(&str, &str, &str); 5] = [
    (
        "login.conf",
        "# PermitRootLogin yes\n# banners\nPort 22\n",
        "PermitRootLogin no\n# banners\nBanner none\nPort 22\n\
         # BEGIN muster cluster\nHost db-1\nHost db-2\n# END muster cluster\n",
    ),
    (
        "app.ini",
        "; head\n[log]\nlevel = warn\n# kept\n\n[net]\nport=80\n",
        "; head\n[log]\nlevel = info\n# kept\n\n[net]\nport=80\nhost = localhost\n",
    ),
    (
        "app.toml",
        "# head\n[log]\nlevel = \"warn\" # why\n\n[net]\nport = 80 # kept\n",
        "# head\n[log]\nlevel = \"warn\" # why\nfile = \"/var/log/app\"\n\n[net]\nport = 8080 # kept\n",
    ),
    (
        "app.json",
        "{\n  \"port\": 80,\n  \"log\": {\n    \"level\": \"warn\"\n  }\n}\n",
        "{\n  \"port\": 8080,\n  \"log\": {\n    \"level\": \"warn\",\n    \"app.driver\": \"journald\"\n  }\n}\n",
    ),
    (
        "app.yaml",
        "# head\nlog:\n  level: warn # why\nnet:\n  port: 80\n",
        "# head\nlog:\n  level: info # why\nnet:\n  port: 80\n  hosts: [\"db-1\",\"db-2\"]\n",
    ),
];

/// By path below `/etc/app`, all that a resource can change of it.
type Tree = BTreeMap<String, Entry>;

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    /// Of a link, its target.
    content: String,
    xattrs: BTreeMap<String, Vec<u8>>,
}

#[test]
fn lab_files_and_parts_of_files_heal_and_come_back_byte_for_byte() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    write_found(host).unwrap();
    let inode = host.exec("stat -c %i /etc/app/mounted.conf").unwrap();
    real.approve_all("").unwrap();
    let found = tree(host).unwrap();

    real.fleet.repository.write("applications/app/application.yaml", APPLICATION.trim_start()).unwrap();
    real.fleet.repository.write("environments/production/environment.yaml", ASSIGNED).unwrap();
    let assigned = real.fleet.repository.publish("production: Configure the application").unwrap();
    real.fleet.wait_synced("web-1", &assigned).unwrap();
    check_managed(host);
    let managed = tree(host).unwrap();

    check_drift(&real, &managed);
    assert_eq!(mounted(host, "%i %a"), format!("{inode} 600\nmanaged"));

    // What is there later stays where it is ignored, and what is ours is not even written again.
    let ours = fs::metadata(host.path("/etc/app/conf.d/ours.conf")).unwrap().ino();
    host.write_file("/etc/app/conf.d/later.local", "x").unwrap();
    host.write_file("/etc/app/conf.d/later.conf", "x").unwrap();
    wait_until("the purge", SOON, || !host.path("/etc/app/conf.d/later.conf").exists()).unwrap();
    assert_eq!(host.read_file("/etc/app/conf.d/later.local").unwrap(), "x");
    assert_eq!(fs::metadata(host.path("/etc/app/conf.d/ours.conf")).unwrap().ino(), ours);
    fs::remove_file(host.path("/etc/app/conf.d/later.local")).unwrap();

    let reverted = real.fleet.repository.publish_revert(&assigned).unwrap();
    real.fleet.wait_synced("web-1", &reverted).unwrap();
    assert_eq!(tree(host).unwrap(), found);
    assert_eq!(mounted(host, "%i %a"), format!("{inode} 644\nfound"));
    // For people who look for it, it stays.
    assert_eq!(host.read_file("/etc/app/access.conf~").unwrap(), "tampered\n");

    let again = real.fleet.repository.publish_revert(&reverted).unwrap();
    real.fleet.wait_synced("web-1", &again).unwrap();
    check_managed(host);
    assert_eq!(tree(host).unwrap(), managed);
}

/// What is on the host before anything is managed.
fn write_found(host: &Host) -> Result<()> {
    host.write_file("/etc/app/access.conf", "found\n")?;
    set_mode(host, "/etc/app/access.conf", 0o664)?;
    set_xattr(host, "/etc/app/access.conf", "user.origin", b"found")?;
    set_xattr(host, "/etc/app/access.conf", "user.theirs", b"\x00\xff")?;
    let list = acl(&[(0x01, 6, None), (0x02, 6, Some(5)), (0x04, 4, None), (0x10, 6, None), (0x20, 4, None)]);
    set_xattr(host, "/etc/app/access.conf", "system.posix_acl_access", &list)?;
    for (name, text, _) in PARTS {
        host.write_file(&format!("/etc/app/{name}"), text)?;
    }
    for (path, mode) in [("a.conf", 0o600), ("a.local", 0o644), ("sub/b.conf", 0o640), ("theirs/deep/c.conf", 0o444)] {
        let path = format!("/etc/app/conf.d/{path}");
        host.write_file(&path, path.as_bytes())?;
        set_mode(host, &path, mode)?;
    }
    symlink("/etc/hostname", host.path("/etc/app/conf.d/link.conf"))?;
    host.exec("chown daemon:adm /etc/app/conf.d/sub/b.conf /etc/app/conf.d/theirs")?;
    // As containers have it with `/etc/resolv.conf`: a file with another one mounted on it.
    host.write_file("/etc/app/mounted.conf", "covered\n")?;
    host.write_file("/srv/mounted.conf", "found\n")?;
    host.exec("mount --bind /srv/mounted.conf /etc/app/mounted.conf").map(drop)
}

fn check_managed(host: &Host) {
    let tree = tree(host).unwrap();
    for (name, _, text) in PARTS {
        assert_eq!(tree[name].content, text, "{name}");
    }
    assert_eq!(tree["made.conf"].content, "only\n");

    let access = &tree["access.conf"];
    assert_eq!((access.content.as_str(), access.mode & 0o7777, access.owner), ("managed\n", 0o640, (0, 1)));
    assert_eq!(access.xattrs["user.origin"], b"muster");
    assert_eq!(access.xattrs["user.theirs"], b"\x00\xff");
    // The middle digit of the mode is the mask.
    let (user, group) = ((0x02, 4, Some(1)), (0x08, 4, Some(4)));
    let list = acl(&[(0x01, 6, None), user, (0x04, 4, None), group, (0x10, 4, None), (0x20, 0, None)]);
    assert_eq!(access.xattrs["system.posix_acl_access"], list);
    assert!(host.holds("setpriv --reuid daemon --clear-groups --regid nogroup cat /etc/app/access.conf"));
    let new = &tree["new.conf"];
    assert_eq!((new.mode & 0o7777, new.xattrs["user.origin"].as_slice()), (0o640, b"muster".as_slice()));
    assert!(new.xattrs.contains_key("system.posix_acl_access"));

    // It is the mounted file that is ours; what it covers is as it was.
    assert_eq!(mounted(host, "%a"), "600\nmanaged");
    assert_eq!(tree["mounted.conf"].content, "covered\n");

    let left: Vec<&str> = tree.keys().filter_map(|path| path.strip_prefix("conf.d/")).collect();
    assert_eq!(left, ["a.local", "ours.conf", "sub", "sub/ours.conf"]);
    assert_eq!(tree["conf.d"].mode & 0o7777, 0o750);
}

/// Does one kind of harm after the other; each time all is to be as it was.
fn check_drift(real: &RealFleet<1>, managed: &Tree) {
    let [host] = &real.hosts;
    assert_eq!(host.read_file("/etc/app/access.conf~").unwrap(), "found\n");
    heals(real, "files/etc/app/access.conf", "an attribute", managed, |host| {
        set_xattr(host, "/etc/app/access.conf", "user.origin", b"drifted")
    });
    heals(real, "files/etc/app/access.conf", "a list that lets everybody in", managed, |host| {
        let list = acl(&[(0x01, 6, None), (0x02, 6, Some(5)), (0x04, 6, None), (0x10, 6, None), (0x20, 6, None)]);
        set_xattr(host, "/etc/app/access.conf", "system.posix_acl_access", &list)
    });
    let drifts = [
        ("files/etc/app/access.conf", "echo tampered >/etc/app/access.conf"),
        ("files/etc/app/access.conf", "chown games:games /etc/app/access.conf"),
        ("files/etc/app/new.conf", "rm /etc/app/new.conf"),
        ("files/etc/app/mounted.conf", "echo tampered >/etc/app/mounted.conf; chmod 666 /etc/app/mounted.conf"),
        ("directories/etc/app/conf.d", "echo x >/etc/app/conf.d/foreign.conf"),
        ("directories/etc/app/conf.d", "echo x >/etc/app/conf.d/sub/foreign.conf"),
        (
            "directories/etc/app/conf.d",
            "mkdir -p /srv/foreign/deep; echo x >/srv/foreign/deep/x; mv /srv/foreign /etc/app/conf.d",
        ),
        ("directories/etc/app/conf.d", "chmod 777 /etc/app/conf.d"),
        ("lines/root-login", "sed -i 's/^PermitRootLogin no/PermitRootLogin yes/' /etc/app/login.conf"),
        ("lines/banner", "sed -i '/^Banner/d' /etc/app/login.conf"),
        ("lines/made", "rm /etc/app/made.conf"),
        ("blocks/cluster", "sed -i 's/db-1/evil/' /etc/app/login.conf"),
        ("blocks/cluster", "sed -i '/BEGIN muster/,/END muster/d' /etc/app/login.conf"),
        ("settings_files/ini", "sed -i 's/^level.*/level = debug/' /etc/app/app.ini"),
        ("settings_files/ini-new", "sed -i '/^host/d' /etc/app/app.ini"),
        ("settings_files/toml", "sed -i 's/8080/1/' /etc/app/app.toml"),
        ("settings_files/json", "sed -i 's/8080/1/' /etc/app/app.json"),
        ("settings_files/yaml", "sed -i 's/level: info/level: debug/' /etc/app/app.yaml"),
    ];
    for (address, drift) in drifts {
        heals(real, address, drift, managed, |host| host.exec(drift).map(drop));
    }
    assert_eq!(host.read_file("/etc/app/access.conf~").unwrap(), "tampered\n");
}

fn heals(real: &RealFleet<1>, address: &str, what: &str, managed: &Tree, drift: impl FnOnce(&Host) -> Result<()>) {
    let [host] = &real.hosts;
    let covering = mounted(host, "%i %a");
    let corrections = web::corrections(&real.fleet.fetch("hosts/web-1").unwrap(), address);
    drift(host).unwrap();
    let healed = || tree(host).is_ok_and(|now| now == *managed) && mounted(host, "%i %a") == covering;
    if let Err(error) = wait_until("it to heal", SOON, healed) {
        assert_eq!(tree(host).unwrap(), *managed, "{what}");
        panic!("{what}: {error:#}: {}", mounted(host, "%i %a"));
    }
    let told = format!("the correction of {what}");
    real.fleet.wait_host("web-1", &told, |view| web::corrections(view, address) > corrections).unwrap();
}

/// What the host itself sees at the mounted file: what stat(1) says, and the content.
fn mounted(host: &Host, format: &str) -> String {
    host.exec(&format!("stat -c '{format}' /etc/app/mounted.conf; cat /etc/app/mounted.conf")).unwrap()
}

/// All below `/etc/app` but the backups that people asked for.
fn tree(host: &Host) -> Result<Tree> {
    let mut tree = Tree::new();
    walk(&host.path("/etc/app"), "", &mut tree)?;
    Ok(tree)
}

fn walk(folder: &Path, relative: &str, tree: &mut Tree) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{relative}{}", entry.file_name().to_string_lossy());
        if name.ends_with('~') {
            continue;
        }
        let (path, meta) = (entry.path(), entry.metadata()?);
        let content = if meta.is_dir() {
            walk(&path, &format!("{name}/"), tree)?;
            String::new()
        } else if meta.is_symlink() {
            fs::read_link(&path)?.to_string_lossy().into_owned()
        } else {
            fs::read_to_string(&path)?
        };
        let xattrs = xattrs(&path)?;
        tree.insert(name, Entry { mode: meta.mode(), owner: (meta.uid(), meta.gid()), content, xattrs });
    }
    Ok(())
}

fn xattrs(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut names = vec![0; 4096];
    let length = llistxattr(path, names.as_mut_slice())?;
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let read = |name: &[u8]| {
        let mut value = vec![0; 4096];
        let length = lgetxattr(path, name, value.as_mut_slice())?;
        value.truncate(length);
        Ok((String::from_utf8_lossy(name).into_owned(), value))
    };
    names.map(read).collect()
}

fn set_xattr(host: &Host, path: &str, name: &str, value: &[u8]) -> Result<()> {
    Ok(setxattr(host.path(path), name, value, XattrFlags::empty())?)
}

fn set_mode(host: &Host, path: &str, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(host.path(path), fs::Permissions::from_mode(mode))?)
}

/// A list as the kernel keeps it: tags, permissions and numbers, as in `include/uapi/linux/posix_acl_xattr.h`.
fn acl(entries: &[(u16, u16, Option<u32>)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, bits, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes.extend(id.unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes
}
