//! Access control lists, extended attributes and backups of real files.

use super::*;
use rustix::fs::XattrFlags;

const ACL: &str = "system.posix_acl_access";

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 256];
    rustix::fs::getxattr(path, name, &mut value[..]).ok().map(|length| value[..length].to_vec())
}

/// Not every file system under a test keeps them.
fn keeps_xattrs(sandbox: &Sandbox) -> bool {
    let probe = sandbox.path("probe");
    fs::write(&probe, "").unwrap();
    // An empty list of version 2.
    let acl = hex::decode("0200000001000600ffffffff04000000ffffffff20000000ffffffff").unwrap();
    let keeps = rustix::fs::setxattr(&probe, "user.probe", b"1", XattrFlags::empty()).is_ok()
        && rustix::fs::setxattr(&probe, ACL, &acl, XattrFlags::empty()).is_ok();
    fs::remove_file(&probe).unwrap();
    if !keeps {
        eprintln!("SKIPPED: no extended attributes here");
    }
    keeps
}

#[test]
fn a_list_and_extended_attributes_are_set_and_go_back_one_by_one() {
    let sandbox = Sandbox::new();
    if !keeps_xattrs(&sandbox) {
        return;
    }
    sandbox.write("etc/key", "secret", 0o640);
    let path = sandbox.path("etc/key");
    rustix::fs::setxattr(&path, "user.origin", b"by hand", XattrFlags::empty()).unwrap();
    let acl = json!(["user:1000:r--"]);
    let all = json!({"files/etc/key": {"acl": acl, "xattr": {"user.origin": "muster", "user.bytes": "0s/wA="}}});
    sandbox.converge(&all);
    assert!(xattr(&path, ACL).is_some());
    assert_eq!(sandbox.file("etc/key"), ("secret".to_owned(), 0o640));
    assert_eq!(xattr(&path, "user.origin").unwrap(), b"muster");
    assert_eq!(xattr(&path, "user.bytes").unwrap(), [0xff, 0]);

    // A new content takes them along.
    sandbox.converge(&json!({"files/etc/key": {"text": "new", "acl": acl, "xattr": {"user.origin": "muster"}}}));
    assert_eq!(xattr(&path, "user.bytes"), None);
    assert_eq!(xattr(&path, "user.origin").unwrap(), b"muster");
    assert!(xattr(&path, ACL).is_some());

    sandbox.converge(&json!({"files/etc/key": {"text": "new"}}));
    assert_eq!(xattr(&path, ACL), None);
    assert_eq!(xattr(&path, "user.origin").unwrap(), b"by hand");
    sandbox.converge(&all);
    sandbox.converge(&json!({}));
    assert_eq!(xattr(&path, ACL), None);
    assert_eq!(xattr(&path, "user.origin").unwrap(), b"by hand");
    assert_eq!(sandbox.file("etc/key"), ("secret".to_owned(), 0o640));
}

#[test]
fn a_backup_is_the_file_itself_and_restoring_makes_none() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/app", "old", 0o600);
    sandbox.converge(&json!({"files/etc/app": {"text": "new", "backup": true, "mode": "0644"}}));
    assert_eq!(sandbox.file("etc/app"), ("new".to_owned(), 0o644));
    assert_eq!(sandbox.file("etc/app~"), ("old".to_owned(), 0o600));
    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("etc/app"), ("old".to_owned(), 0o600));
    assert_eq!(sandbox.file("etc/app~"), ("old".to_owned(), 0o600));
}

#[test]
fn a_label_where_there_is_no_selinux_is_blocked() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/app", "old", 0o600);
    let converged = sandbox.converge(&json!({"files/etc/app": {"selinux": "system_u:object_r:etc_t:s0"}}));
    assert_eq!(converged.outcomes[0].state, Some(ResourceState::Blocked));
}
