use super::*;

fn round_trip(text: &str) {
    assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
}

#[test]
fn addresses_round_trip() {
    for text in ["packages/nginx", "files/etc/motd", "directories/srv", "services/ssh@1.service", "users/anna"] {
        round_trip(text);
    }
    let motd: Address = "files/etc/motd".parse().expect("an address");
    assert_eq!((motd.collection(), motd.id()), (Collection::Files, "/etc/motd"));
}

#[test]
fn unclean_ids_are_refused() {
    for text in [
        "nginx",
        "files",
        "files/",
        "files//etc",
        "files/etc/../shadow",
        "files/etc/",
        "files/./x",
        "packages/",
        "packages/a b",
        "packages/-o",
        "packages/a/b",
        "pakages/nginx",
        "users/a\nb",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text:?} was taken");
    }
}
