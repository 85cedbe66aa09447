use super::PackageName;

#[test]
fn only_plain_names_reach_apt() {
    for good in ["nginx", "g++", "libstdc++-12-dev", "libc6:i386", "0ad", "python3.11"] {
        assert!(PackageName::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "a",
        "nginx=1.0",
        "nginx*",
        "^task",
        "~nfoo",
        "?installed",
        "Nginx",
        "-nginx",
        "nginx/stable",
        "nginx:",
        "a b",
    ] {
        assert!(PackageName::new(bad).is_err(), "{bad:?}");
    }
}
