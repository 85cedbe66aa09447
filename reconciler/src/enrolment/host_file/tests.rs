#![allow(clippy::unwrap_used)]
use super::*;

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const RECIPIENT: &str = "age107k9xd9g70esrd94dffn7thk93v3an70p8hvz008u7r28gppjpuqfcw3t5";

fn approve(text: Option<&str>) -> Result<String, HostFileError> {
    approve_host_file(text, &KEY.parse().unwrap(), RECIPIENT, None)
}

#[test]
fn a_new_file_has_key_and_recipient() {
    assert_eq!(approve(None).unwrap(), format!("key: \"{KEY}\"\nrecipient: \"{RECIPIENT}\"\n"));
}

#[test]
fn a_declared_host_keeps_every_line_of_its_file() {
    let declared =
        "# The first web server.\n---\nlabels: {role: web}   # see profiles/web\n\napplications:\n  nginx: {}\n";
    let expected = format!(
        "# The first web server.\n---\nkey: \"{KEY}\"\nrecipient: \"{RECIPIENT}\"\nlabels: {{role: web}}   # see profiles/web\n\napplications:\n  nginx: {{}}\n"
    );
    assert_eq!(approve(Some(declared)).unwrap(), expected);
    assert_eq!(approve(Some(&expected)).unwrap(), expected, "again changes nothing");
}

#[test]
fn an_empty_or_the_same_key_is_filled_and_another_is_not_replaced() {
    for value in ["", " ", " null", " ~", " ''", &format!(" {KEY}  # approved")] {
        let text = approve(Some(&format!("labels: {{}}\nkey:{value}\n"))).unwrap();
        assert_eq!(text.matches("key:").count(), 1, "{text}");
    }
    let other = KEY.replace("mlYe", "mlYf");
    assert_eq!(approve(Some(&format!("key: \"{other}\"\n"))), Err(HostFileError::OtherKey(other)));
}

#[test]
fn a_file_of_another_form_is_left_alone() {
    for text in [
        "{labels: {role: web}}\n",
        "- a\n",
        "\"key\": x\n",
        "? key\n: x\n",
        "key:x\nplain\n",
        "<<: *base\n",
        "  role: web\n",
        "a: [\n",
    ] {
        assert!(approve(Some(text)).is_err(), "{text}");
    }
}

const OTHER: &str = "RWQf6LRCGA9i53mlYfcO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

#[test]
fn a_key_that_is_taken_back_leaves_everything_else() {
    let text = format!("# The first.\nkey: \"{KEY}\"\nrecipient: \"{RECIPIENT}\"\nlabels: {{role: web}}  # web\n");
    let expected = format!("# The first.\nrevoked_keys: [\"{KEY}\"]\nlabels: {{role: web}}  # web\n");
    assert_eq!(revoke_host_file(&text, None).unwrap().unwrap(), expected);
    assert_eq!(revoke_host_file("labels: {}\n", None).unwrap(), None, "it has none");
    assert_eq!(revoke_host_file(&expected, None).unwrap(), None, "nor now");
    for form in [format!("{{key: \"{KEY}\"}}\n"), format!("  key: \"{KEY}\"\n"), format!("\"key\": \"{KEY}\"\n")] {
        assert_eq!(revoke_host_file(&form, None), Err(HostFileError::Form), "{form}");
    }
    assert_eq!(approve(Some(&expected)), Err(HostFileError::Revoked));
}

#[test]
fn the_key_of_a_machine_that_is_the_host_by_a_token_is_taken_back_beside_those_before() {
    let bound = OTHER.parse().unwrap();
    let first = revoke_host_file("labels: {}\n", Some(&bound)).unwrap().unwrap();
    assert_eq!(first, format!("revoked_keys: [\"{OTHER}\"]\nlabels: {{}}\n"));
    let again = revoke_host_file(&format!("key: \"{KEY}\"\n{first}"), Some(&bound)).unwrap().unwrap();
    assert_eq!(again, format!("revoked_keys: [\"{KEY}\", \"{OTHER}\"]\nlabels: {{}}\n"));
    let block = format!("key: \"{KEY}\"\nrevoked_keys:\n  - \"{OTHER}\"\n");
    assert_eq!(revoke_host_file(&block, None), Err(HostFileError::Form), "no key that was taken back is lost");
}

#[test]
fn what_is_no_recipient_gets_into_no_file() {
    let lines = format!("{RECIPIENT}\"\nresources: {{commands: {{own: {{argv: [id]}}}}}}\n# \"");
    for recipient in [lines.as_str(), "", "age1abc", &format!("{RECIPIENT}\n")] {
        let written = approve_host_file(None, &KEY.parse().unwrap(), recipient, None);
        assert_eq!(written, Err(HostFileError::Recipient), "{recipient}");
    }
}
