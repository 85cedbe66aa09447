use super::*;

fn read(json: &str) -> Result<Resource, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn a_resource_round_trips() {
    let json = r#"{"address":"files/etc/motd","application":"base","meta":{"requires":["packages/nginx"]},"attributes":{"owner":"root","mode":"0644"}}"#;
    let resource = read(json).expect("a resource");
    assert_eq!(serde_json::to_string(&resource).expect("json"), json);
    assert!(resource.spec.is_of(Collection::Files));
}

#[test]
fn unknown_attributes_name_their_resource() {
    let error = read(r#"{"address":"users/anna","attributes":{"shel":"/bin/sh"}}"#).expect_err("refused");
    assert!(error.to_string().contains("users/anna: unknown field `shel`"), "{error}");
    assert!(read(r#"{"address":"users/anna","extra":1}"#).is_err());
    assert!(read(r#"{"address":"users/anna","meta":{"requires":["nothing"]}}"#).is_err());
}

#[test]
fn an_exception_holds_until_its_time() {
    let json = r#"{"address":"files/etc/motd","attributes":{"mode":"0644"},"exception":{"reason":"audit","until":1000,"state":"present","attributes":{"mode":"0600"}}}"#;
    let resource = read(json).expect("a resource");
    assert_eq!(serde_json::to_string(&resource).expect("json"), json);
    let mode = |at| match resource.at(Timestamp(at)).spec {
        Spec::File(file) => file.mode.map(|mode| mode.to_string()),
        _ => None,
    };
    assert_eq!((mode(999).as_deref(), mode(1000).as_deref()), (Some("0600"), Some("0644")));
}

#[test]
fn a_waiver_is_there_only_while_it_holds() {
    let json = r#"{"address":"services/auditd","attributes":{"running":true},"exception":{"reason":"migration","until":1000}}"#;
    let resource = read(json).expect("a resource");
    assert_eq!(serde_json::to_string(&resource).expect("json"), json);
    assert_eq!(resource.at(Timestamp(999)), resource);
    assert_eq!(resource.at(Timestamp(1000)), Resource { exception: None, ..resource.clone() });
    assert!(read(&json.replace("running\":true}", "running\":true},\"x\":1")).is_err());
}
