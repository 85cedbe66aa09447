#![allow(clippy::unwrap_used)]
use super::*;
use crate::model::tests::load;

const RECIPIENT: &str = "age107k9xd9g70esrd94dffn7thk93v3an70p8hvz008u7r28gppjpuqfcw3t5";

fn left_out(hosts: &[(&str, &str)]) -> Option<String> {
    let mut text = "=== muster.yaml\nschema: 1\nfleet: test\n=== secrets/recipients.yaml\nadmins: []\nsecrets:\n  \
                    db: {hosts: role=db}\n"
        .to_owned();
    for (id, file) in hosts {
        text += &format!("=== environments/lab/hosts/{id}.yaml\n{file}\n");
    }
    let (model, _) = load(&text);
    let secret = model.secrets().get(&"db".parse().unwrap()).unwrap();
    tell_without_recipient(&without_recipient(&model, secret))
}

#[test]
fn hosts_to_which_nothing_can_be_encrypted_are_named_with_what_is_to_be_run() {
    let named = format!("recipient: {RECIPIENT}\nlabels: {{role: db}}");
    let (bare, other) = ("labels: {role: db}", "labels: {role: web}");
    assert_eq!(left_out(&[("db-1", &named), ("web-1", other)]), None);
    let one = left_out(&[("db-1", &named), ("db-2", bare), ("web-1", other)]).unwrap();
    assert!(one.contains("host: db-2\n") && one.contains("muster host approve db-2 --identity"), "{one}");
    let two = left_out(&[("db-1", bare), ("db-2", bare)]).unwrap();
    assert!(two.contains("db-1, db-2") && two.contains("muster host approve HOST"), "{two}");
}
