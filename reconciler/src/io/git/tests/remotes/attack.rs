//! Addresses that git would take for options or programs.

use super::*;

#[test]
fn a37_only_addresses_that_git_may_be_given() {
    let good = [
        ("https://git.example.com/fleet.git", "https://git.example.com/fleet.git"),
        ("https://user:secret@git.example.com/fleet.git", "https://***@git.example.com/fleet.git"),
        ("https://token@git.example.com/fleet.git", "https://***@git.example.com/fleet.git"),
        ("ssh://git@git.example.com:2222/fleet.git", "ssh://git@git.example.com:2222/fleet.git"),
        ("git@git.example.com:team/fleet.git", "git@git.example.com:team/fleet.git"),
        ("file:///srv/fleet.git", "file:///srv/fleet.git"),
    ];
    for (text, shown) in good {
        let url: RemoteUrl = text.parse().unwrap();
        assert_eq!(url.to_string(), shown);
        assert!(!format!("{url:?}").contains("secret"));
    }
    let bad = [
        "",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ssh://-oProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y",
        "-x@host:path",
        "git://example.com/x",
        "http://example.com/x",
        "ext::sh -c x",
        "ext::true",
        "fd::7",
        "/srv/fleet.git",
        "relative/path",
        "https:///path",
        "https://example.com/a b",
        "https://example.com/\u{1b}[31m",
    ];
    for text in bad {
        assert!(text.parse::<RemoteUrl>().is_err(), "{text}");
    }
}
