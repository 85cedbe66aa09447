use super::check_name;
use crate::provider::package::PackageName;

#[test]
fn only_plain_names_reach_apt() {
    let check = |text: &str| PackageName::new(text).and_then(|name| check_name(&name));
    for good in ["nginx", "g++", "libstdc++-12-dev", "libc6:i386", "0ad", "python3.11"] {
        assert!(check(good).is_ok(), "{good}");
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
        assert!(check(bad).is_err(), "{bad:?}");
    }
}
