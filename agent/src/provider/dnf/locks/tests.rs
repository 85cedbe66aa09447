use super::locked_name;

#[test]
fn a_lock_names_its_package() {
    for (line, name) in [
        ("probe-lib-0:1.0-1.*", Some("probe-lib")),
        ("nginx-1:1.20.1-14.el9.x86_64  # mine", Some("nginx")),
        ("# Added lock on Sun Nov 22", None),
        ("!probe-0:1.0-1.*", None),
        ("", None),
    ] {
        assert_eq!(locked_name(line).as_deref(), name, "{line}");
    }
}
