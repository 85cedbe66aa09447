use super::*;

fn round_trip(text: &str) {
    assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
}

#[test]
fn addresses_round_trip() {
    for text in ["packages/nginx", "files/etc/motd", "directories/srv", "services/ssh@1.service", "users/anna"] {
        round_trip(text);
    }
    for text in ["greetings/a", "greetings/%2Fetc%2Fmotd", "greetings/a:b@c=d"] {
        round_trip(text);
    }
    let declared: Address = "greetings/%2Fetc".parse().expect("an address");
    assert_eq!((declared.collection().name(), declared.id()), ("greetings", "/etc"));
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
        "Packages/nginx",
        "greetings/a b",
        "greetings/-a",
        "users/a\nb",
        "files/etc/a\0b",
        "packages/foo=1",
        "packages/foo:bad arch",
        "packages/foo:",
        "packages/foo*",
        "packages/foo bar",
        "packages/.foo",
        "packages/fö",
        "users/a:b",
        "users/1000",
        "users/.hidden",
        "users/$",
        "groups/a,b",
        "services/getty@",
        "services/@x",
        "services/a b",
        "services/a=b",
        "services/.service",
        "commands/a b",
        "sysctls/net/ipv4/ip_forward",
        "sysctls/net/ipv4.ip_forward",
        "sysctls/kernel",
        "sysctls/net..ip_forward",
        "kernel_modules/br-netfilter",
        "repositories/.x",
        "repositories/a]b",
        "repositories/options",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text:?} was taken");
    }
    for long in [format!("files/{}", "x".repeat(256)), format!("users/{}", "x".repeat(33))] {
        assert!(long.parse::<Address>().is_err(), "{long:?} was taken");
    }
}

#[test]
fn ids_that_tools_take_are_taken() {
    for text in [
        "packages/libc6:i386",
        "packages/g++",
        "packages/libstdc++-12-dev",
        "packages/NetworkManager",
        "packages/python3-typing_extensions",
        "packages/glibc:x86_64",
        "users/_apt",
        "users/systemd-network",
        "users/first.last",
        "users/machine$",
        "users/7zip",
        "groups/www-data",
        "services/getty@tty1",
        "services/dbus-org.freedesktop.login1",
        "services/run-user-1000.mount",
        "services/dev-disk-by\\x2duuid.swap",
        "commands/any.name:of-it",
        "sysctls/net.ipv4.conf.eth0%2F100.rp_filter",
        "kernel_modules/br_netfilter",
    ] {
        round_trip(text);
    }
    round_trip(&format!("files/{}", "x".repeat(255)));
}

#[test]
fn a_version_in_a_package_id_gets_a_hint() {
    let error = Address::new(Collection::Packages, "foo=1.2").expect_err("it is no name");
    assert_eq!(error.hint().as_deref(), Some("a version is an attribute: foo: {version: \"1.2\"}"));
    let error = Address::new(Collection::Services, "getty@").expect_err("it is a template");
    assert_eq!(error.hint().as_deref(), Some("name an instance of the template, as in getty@example"));
}
