use super::Culprit;

#[test]
fn what_is_known_is_said_and_what_is_not_is_unknown() {
    let kim = Culprit {
        pid: Some(4711),
        name: Some("vim".into()),
        program: Some("/usr/bin/vim.basic".into()),
        uid: Some(0),
        user: Some("root".into()),
        login_uid: Some(1000),
        login: Some("kim".into()),
        session: Some("3".into()),
        unit: None,
        others: false,
    };
    assert_eq!(kim.to_string(), "vim (pid 4711) as root, logged in as kim, session 3");
    let cron = Culprit {
        pid: Some(7),
        program: Some("/usr/bin/sed".into()),
        uid: Some(4),
        unit: Some("cron.service".into()),
        others: true,
        ..Culprit::default()
    };
    assert_eq!(cron.to_string(), "sed (pid 7) as uid 4, of cron.service, after others");
    let gone = Culprit { pid: Some(9), ..Culprit::default() };
    assert_eq!(gone.to_string(), "unknown program (pid 9) as unknown user");
    assert_eq!(serde_json::to_string(&gone).unwrap(), r#"{"pid":9}"#);
}
