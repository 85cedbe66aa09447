use super::UnitName;

fn name(id: &str) -> Option<String> {
    UnitName::new(id).ok().map(|name| name.as_str().to_owned())
}

#[test]
fn a_bare_name_is_a_service() {
    for (id, expected) in [
        ("nginx", "nginx.service"),
        ("nginx.service", "nginx.service"),
        ("apt-daily.timer", "apt-daily.timer"),
        ("getty@tty1", "getty@tty1.service"),
        ("php8.2-fpm", "php8.2-fpm.service"),
        ("dev-disk\\x2d1.swap", "dev-disk\\x2d1.swap"),
    ] {
        assert_eq!(name(id).as_deref(), Some(expected));
    }
    for bad in ["", "getty@", "getty@.service", ".service", "a/b", "a b", "a*", "[a]", &"a".repeat(250)] {
        assert_eq!(name(bad), None, "{bad}");
    }
}

#[test]
fn object_paths_are_decoded() {
    let decoded = |path: &str| UnitName::of_object_path(&format!("/org/freedesktop/systemd1/unit/{path}"));
    assert_eq!(decoded("nginx_2eservice").as_deref(), Some("nginx.service"));
    assert_eq!(decoded("_39p_2dfs_40x_2eservice").as_deref(), Some("9p-fs@x.service"));
    for bad in ["x_", "x_2", "x_zz"] {
        assert_eq!(decoded(bad), None, "{bad}");
    }
    assert_eq!(UnitName::of_object_path("/org/freedesktop/systemd1"), None);
}
