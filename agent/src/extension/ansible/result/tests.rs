use super::{CheckResult, ModuleOutput, read_change, read_check};
use crate::extension::ansible::Mask;
use serde_json::{Value, json};

fn output(code: i32, stdout: &str, stderr: &str) -> ModuleOutput {
    ModuleOutput { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
}

fn check(result: &Value) -> Result<CheckResult, String> {
    check_text(0, &format!("\n{result}\n"))
}

fn check_text(code: i32, text: &str) -> Result<CheckResult, String> {
    let module = "ansible.builtin.file".parse().unwrap();
    let arguments = json!({"password": "geheim", "users": [{"api_token": "abcdef"}], "passive": "open"});
    let mask = Mask::of(arguments.as_object().unwrap());
    read_check(&module, &output(code, text, ""), &mask).map_err(|error| error.to_string())
}

fn shown(diff: &Value) -> String {
    match check(&json!({"changed": true, "diff": diff})).unwrap() {
        CheckResult::Differs { diff: Some(text) } => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_says_that_nothing_changes_is_right() {
    assert_eq!(check(&json!({"changed": false})), Ok(CheckResult::InDesiredState));
    assert_eq!(check(&json!({"changed": true})), Ok(CheckResult::Differs { diff: None }));
    for skipped in [json!({"skipped": true, "msg": "no check mode"}), json!({"skipped": true, "changed": false})] {
        assert!(matches!(check(&skipped), Ok(CheckResult::CannotTell(_))), "{skipped}");
    }
    for silent in [json!({}), json!({"ping": "pong"}), json!({"changed": "no"}), json!({"changed": 0})] {
        assert!(check(&silent).is_err(), "{silent}");
    }
}

#[test]
fn failures_are_failures() {
    let failed = |result: &Value| check(result).unwrap_err();
    assert_eq!(failed(&json!({"failed": true, "msg": "no such user"})), "ansible.builtin.file failed: no such user");
    assert!(failed(&json!({"failed": "yes", "changed": false})).contains("failed"));
    assert!(failed(&json!({"changed": false, "rc": 2, "msg": "bad"})).contains("bad"));
    assert_eq!(check(&json!({"changed": false, "rc": 2, "failed": false})), Ok(CheckResult::InDesiredState));
    assert!(check_text(1, r#"{"changed": false}"#).is_err());
    assert!(check_text(-9, r#"{"changed": false}"#).is_err());
    assert!(failed(&json!({"failed": true, "msg": "\u{1b}[31mred"})).ends_with(" [31mred"));
}

#[test]
fn what_is_no_result_is_none() {
    for text in ["", "[]", "null", "hello", "{\"changed\": false} {\"changed\": false}", "debug\n{\"changed\": false}"]
    {
        assert!(check_text(0, text).is_err(), "{text:?}");
    }
    assert!(check_text(0, "").unwrap_err().contains("controller"));
    let module = "ansible.builtin.file".parse().unwrap();
    let died = read_change(&module, &output(1, "", "Traceback\nImportError: no apt\n"), &Mask::default());
    assert!(died.unwrap_err().to_string().ends_with("code 1: ImportError: no apt"));
}

#[test]
fn what_differs_is_shown() {
    let text = shown(&json!([
        {"before": "a\nb\n", "after": "a\nc\n", "before_header": "/etc/x (content)"},
        {"before_header": "/etc/x (file attributes)", "after_header": "/etc/x (file attributes)"},
        {"before": {"mode": "0755"}, "after": {"mode": "0644"}},
        {"prepared": "hello will be installed"},
    ]));
    for part in ["/etc/x (content)", "-b\n", "+c\n", "-  \"mode\": \"0755\"", "+  \"mode\": \"0644\"", "hello will be"]
    {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(!text.contains("attributes"), "{text}");
}

#[test]
fn what_is_shown_is_bounded_and_holds_no_secret() {
    let long: String = (0..5000).map(|n| format!("line {n}\n")).collect();
    let text = shown(&json!({"before": "", "after": long}));
    assert!(text.len() < 5000 && text.lines().count() <= 61, "{} bytes", text.len());
    assert!(text.contains("more lines"), "{text}");
    let huge = "x".repeat(1 << 20);
    assert!(shown(&json!({"before": "", "after": huge})).len() < 200);
    let told = "user geheim and abcdef are VALUE_SPECIFIED_IN_NO_LOG_PARAMETER, open\n";
    let text = shown(&json!({"before": "", "after": told}));
    assert!(text.contains("user … and … are …, open"), "{text}");
    let failed = check(&json!({"failed": true, "msg": "wrong: geheim"})).unwrap_err();
    assert!(!failed.contains("geheim"), "{failed}");
}

#[test]
fn whole_names_are_names() {
    use crate::extension::ansible::ModuleName;
    for good in ["ansible.builtin.file", "community.general.ini_file", "a.b.c.d"] {
        assert_eq!(good.parse::<ModuleName>().unwrap().as_str(), good);
    }
    for bad in ["file", "a.b", "a..b", "../../etc", "a.b.-c", "a.b.c/d", "a.b.c\n", "a.b.", "a.b.ü", "1a.b.c"] {
        assert!(bad.parse::<ModuleName>().is_err(), "{bad}");
    }
}
