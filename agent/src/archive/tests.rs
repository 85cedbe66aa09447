//! What may be in an archive, and what may not.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::test_tar::Tar;
use tar::EntryType;

const RULES: Rules = Rules { strip: 0, max_entries: 100 };

fn load(tar: Tar, rules: Rules) -> Result<Vec<String>, String> {
    let items = load_items(&mut tar.bytes().as_slice(), rules).map_err(|error| error.to_string())?;
    let shown = |(name, item): (String, Item)| match item.what {
        What::Directory => format!("{name}/ {:o}", item.mode),
        What::Link(target) => format!("{name} -> {target}"),
        What::File(content) => format!("{name} {:o} {}", item.mode, content.size),
    };
    Ok(items.into_iter().map(shown).collect())
}

#[test]
fn lists_what_it_holds_with_the_folders_on_the_way() {
    let tar = || {
        Tar::default()
            .folder("./", 0o777)
            .folder("./app/", 0o750)
            .file("app/bin/tool", 0o755, "tool")
            .link("app/current", "bin/tool")
            .link("app/bin/up", "../lib/x")
            .folder("app", 0o755)
    };
    let all = ["app/ 755", "app/bin/ 755", "app/bin/tool 755 4", "app/bin/up -> ../lib/x", "app/current -> bin/tool"];
    assert_eq!(load(tar(), RULES).unwrap(), all);
    let stripped = ["bin/ 755", "bin/tool 755 4", "bin/up -> ../lib/x", "current -> bin/tool"];
    assert_eq!(load(tar(), Rules { strip: 1, ..RULES }).unwrap(), stripped);
    assert_eq!(load(tar(), Rules { strip: 9, ..RULES }).unwrap(), [""; 0]);
    assert!(load(tar(), Rules { max_entries: 4, ..RULES }).unwrap_err().contains("more than 4 entries"));
}

fn long_name(name: &str) -> Tar {
    Tar::default().entry(EntryType::GNULongName, b"././@LongLink", b"", 0o644, name.as_bytes()).file("x", 0o644, "x")
}

#[test]
fn nothing_becomes_writable_for_everybody() {
    let tar = Tar::default().folder("d", 0o1777).file("d/f", 0o666, "x");
    assert_eq!(load(tar, RULES).unwrap(), ["d/ 775", "d/f 664 1"]);
}

#[test]
fn refuses_what_leads_out_or_does_harm() {
    let file = |name: &[u8]| Tar::default().entry(EntryType::Regular, name, b"", 0o644, b"x");
    let other = |kind| Tar::default().entry(kind, b"a", b"b", 0o644, b"");
    let cases = [
        (file(b"/etc/passwd"), "absolute name"),
        (file(b"../a"), "'..' in its name"),
        (file(b"a/../../b"), "'..' in its name"),
        (file(b"a/\xff"), "not UTF-8"),
        (file(b"a\nb"), "control characters"),
        (file(b"a/.muster-0.new"), "uses itself"),
        (Tar::default().link("a", "/etc/passwd"), "absolute path"),
        (Tar::default().link("a", "../b"), "out of the destination"),
        (Tar::default().link("d/a", "../../b"), "out of the destination"),
        (Tar::default().link("a", "d/../../b"), "behind a name"),
        (Tar::default().link("a", ""), "link to nowhere"),
        (Tar::default().link("a", "b").file("a/c", 0o644, "x"), "behind a file or link"),
        (Tar::default().file("a", 0o644, "x").file("a/c", 0o644, "x"), "behind a file or link"),
        (Tar::default().file("a", 0o644, "x").file("a", 0o644, "y"), "twice"),
        (Tar::default().file("a/b", 0o644, "x").link("a", "c"), "twice"),
        (Tar::default().file("a", 0o4755, "x"), "set-id"),
        (Tar::default().folder("a", 0o2755), "set-id"),
        (Tar::default().entry(EntryType::Symlink, b"a", b"b", 0o777, b"x"), "has content"),
        (long_name("a/../../b"), "'..' in its name"),
        (long_name(&"a/".repeat(65)), "too long"),
        (other(EntryType::Link), "hard link"),
        (other(EntryType::Char), "neither"),
        (other(EntryType::Block), "neither"),
        (other(EntryType::Fifo), "neither"),
        (other(EntryType::GNUSparse), ""),
    ];
    for (tar, said) in cases {
        let refused = load(tar, RULES).unwrap_err();
        assert!(refused.contains(said), "{said}: {refused}");
    }
    let long = |kind, size: usize| Tar::default().entry(kind, b"@LongLink", b"", 0o644, &vec![b'a'; size]);
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader, EntryType::XGlobalHeader] {
        let refused = load(long(kind, 65 << 10).file("a", 0o644, "x"), RULES).unwrap_err();
        assert!(refused.contains("66560 bytes"), "{refused}");
    }
    let pax = |records: &[u8]| Tar::default().entry(EntryType::XHeader, b"x", b"", 0o644, records);
    for (records, said) in [
        (b"13 path=../a\n".as_slice(), "'..' in its name"),
        (b"11 size=99\n", "two sizes"),
        (b"22 GNU.sparse.major=1\n".as_slice(), "sparse"),
        (b"10 path=a\n10 path=b\n", "two names"),
    ] {
        let refused = load(pax(records).file("a", 0o644, "x"), RULES).unwrap_err();
        assert!(refused.contains(said), "{said}: {refused}");
    }
    let mut cut = Tar::default().file("a", 0o644, &"x".repeat(2000)).bytes();
    cut.truncate(1000);
    assert!(load_items(&mut cut.as_slice(), RULES).is_err());
    assert!(load_items(&mut [1_u8; 2048].as_slice(), RULES).is_err(), "no archive");
}

#[test]
fn strip_is_applied_before_links_are_judged() {
    let tar = Tar::default().link("app/link", "../other");
    assert!(load(tar, Rules { strip: 1, ..RULES }).unwrap_err().contains("out of the destination"));
}
