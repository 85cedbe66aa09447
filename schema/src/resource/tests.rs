use super::*;

fn read(json: &str) -> Result<Resource, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn a_resource_round_trips() {
    let json = r#"{"address":"files/etc/motd","application":"base","meta":{"requires":["packages/nginx"]},"attributes":{"owner":"root","mode":"0644"}}"#;
    let resource = read(json).expect("a resource");
    assert_eq!(serde_json::to_string(&resource).expect("json"), json);
    assert_eq!(resource.spec.collection(), Collection::Files);
}

#[test]
fn unknown_attributes_name_their_resource() {
    let error = read(r#"{"address":"users/anna","attributes":{"shel":"/bin/sh"}}"#).expect_err("refused");
    assert!(error.to_string().contains("users/anna: unknown field `shel`"), "{error}");
    assert!(read(r#"{"address":"users/anna","extra":1}"#).is_err());
    assert!(read(r#"{"address":"users/anna","meta":{"requires":["nothing"]}}"#).is_err());
}
