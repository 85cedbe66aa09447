use super::*;

#[test]
fn sessions_and_services_are_read_from_control_groups() {
    let read = |text: &str| groups(text.as_bytes());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("0::/user.slice/user-1000.slice/session-3.scope\n"), (some("3"), None));
    assert_eq!(read("0::/system.slice/cron.service\n"), (None, some("cron.service")));
    let hybrid = "5:cpu:/x.service\n1:name=systemd:/system.slice/ssh.service\n";
    assert_eq!(read(hybrid), (None, some("ssh.service")));
    assert_eq!(read("0::/\n"), (None, None));
    assert_eq!(read(""), (None, None));
}

#[test]
fn the_effective_user_is_the_second() {
    assert_eq!(effective_uid("Name:\tx\nUid:\t1000\t0\t1000\t1000\n"), Some(0));
    assert_eq!(effective_uid("Name:\tx\\nUid:\t7\t7\n"), None);
}

#[test]
fn a_name_is_one_harmless_line() {
    assert_eq!(inert("a\u{1b}[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
    assert_eq!(inert(&"x".repeat(1000)).len(), MAX_CULPRIT_CHARACTERS);
}
