#![allow(clippy::disallowed_methods)]

use super::AccountDatabase;
use crate::host::{HostRead, RealHost};

fn database(passwd: &str, shadow: &str, group: &str) -> AccountDatabase {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(root.path().join("etc")).expect("made");
    for (name, text) in [("passwd", passwd), ("shadow", shadow), ("group", group)] {
        std::fs::write(root.path().join("etc").join(name), text).expect("written");
    }
    let host = RealHost::open(root.path()).expect("a host");
    AccountDatabase::load(host.reader().as_mut()).expect("a database")
}

#[test]
fn users_and_groups_are_read() {
    let database = database(
        "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000:Anna,,,:/home/anna:\nanna:x:7:7::/:\n+nis::::::\nodd\n",
        "root:*:19000:0:99999:7:::\nanna:!$6$x$y:19000:0:99999:7::20000:\n",
        "root:x:0:\nanna:x:1000:\nadm:x:4:syslog,anna,anna\nsudo:x:27:anna\n",
    );
    let anna = database.user("anna").expect("anna");
    assert_eq!((anna.uid, anna.gid, anna.comment.as_str(), anna.home.as_str()), (1000, 1000, "Anna,,,", "/home/anna"));
    let shadow = anna.shadow.as_ref().expect("a password field");
    assert_eq!((shadow.password.as_str(), shadow.expires), ("!$6$x$y", Some(20000)));
    assert!(!format!("{anna:?}").contains("$6$"), "a hash is never shown");
    assert_eq!(database.groups_of("anna"), ["adm", "sudo"]);
    assert_eq!(database.group("adm").expect("adm").members, ["anna", "syslog"]);
    assert_eq!((database.group_name(27), database.group_name(99)), ("sudo".to_owned(), "99".to_owned()));
    assert!(database.user("+nis").is_none() && database.user("odd").is_none());
}

#[test]
fn a_host_without_accounts_has_none() {
    let root = tempfile::tempdir().expect("a folder");
    let host = RealHost::open(root.path()).expect("a host");
    assert_eq!(AccountDatabase::load(host.reader().as_mut()).expect("read"), AccountDatabase::default());
}
