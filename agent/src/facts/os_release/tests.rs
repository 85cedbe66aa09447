use super::load_os;

fn family(id: &str, like: &str) -> String {
    load_os(&format!("ID={id}\nID_LIKE=\"{like}\"\n")).family
}

#[test]
fn debian_is_read_whole() {
    let os = load_os(
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
         VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
    );
    assert_eq!(os.family, "debian");
    assert_eq!(os.id, "debian");
    assert_eq!(os.version.as_deref(), Some("12"));
    assert_eq!(os.codename.as_deref(), Some("bookworm"));
}

#[test]
fn what_a_release_does_not_say_is_none() {
    let os = load_os("ID=arch\nBUILD_ID=rolling\nVERSION_ID=\n# VERSION_CODENAME=x\n");
    assert_eq!((os.family.as_str(), os.version, os.codename), ("arch", None, None));
    assert_eq!(load_os("").id, "linux");
}

#[test]
fn families_follow_the_id_and_then_what_it_is_like() {
    for (id, like, expected) in [
        ("ubuntu", "debian", "debian"),
        ("rocky", "rhel centos fedora", "rhel"),
        ("amzn", "fedora", "rhel"),
        ("opensuse-leap", "suse opensuse", "suse"),
        ("sles", "suse", "suse"),
        ("alpine", "", "alpine"),
        ("manjaro", "arch", "arch"),
        ("zorin", "ubuntu debian", "debian"),
        ("nobara", "rhel fedora", "rhel"),
        ("gentoo", "", "gentoo"),
    ] {
        assert_eq!(family(id, like), expected, "{id}");
    }
}

#[test]
fn quotes_and_escapes_are_those_of_the_shell() {
    let os = load_os("ID='debian'\nVERSION_ID=\"1\\\"2\\$3\"\nVERSION_CODENAME=a\\ b\n");
    assert_eq!(os.id, "debian");
    assert_eq!(os.version.as_deref(), Some("1\"2$3"));
    assert_eq!(os.codename.as_deref(), Some("a b"));
}
