use super::load_database;
use crate::host::HostRead;
use crate::host::fake::{FakeHost, Node, What};

const INSTALLED: &str = "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:389590\nT:the musl c library\n\
    p:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n\n\
    P:postfix\nV:3.8.4-r0\nA:x86_64\np:smtpd=3 cmd:postfix=3.8.4-r0\n\n";

#[test]
fn a_recorded_database_is_read() {
    let file = |text: &str| Node::new(What::File(text.into()), 0o644);
    let tree = [
        ("/lib/apk/db/installed".to_owned(), file(INSTALLED)),
        ("/etc/apk/world".to_owned(), file("alpine-base\npostfix=3.8.4-r0\nmusl>=1.2\n")),
    ];
    let host = FakeHost::new(tree.into());
    let database = load_database(host.reader().as_mut()).expect("a database");
    let version = |name| database.get(name).map(|found| (found.version.as_str(), found.hold));
    assert_eq!(version("musl"), Some(("1.2.4-r2", false)));
    assert_eq!(version("postfix"), Some(("3.8.4-r0", true)));
    assert_eq!(version("nginx"), None);
    assert_eq!(database.providers("smtpd"), ["postfix"]);
}
