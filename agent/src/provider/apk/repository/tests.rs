use super::ApkRepositories;
use crate::provider::repository::RepositoryForm;
use muster_schema::resource::RepositorySpec;
use serde_json::json;

fn spec(attributes: serde_json::Value) -> RepositorySpec {
    serde_json::from_value(attributes).expect("a spec")
}

#[test]
fn a_list_has_a_file_of_its_own_and_the_key_the_name_of_its_signer() {
    let mut own =
        spec(json!({"urls": ["https://a.example/v3.19/main", "https://b.example/x"], "key_name": "b.rsa.pub"}));
    let rendered = ApkRepositories.render("own", &own);
    let mark = "# Managed by muster: changes here are taken back.\n";
    assert_eq!(rendered.file, format!("{mark}https://a.example/v3.19/main\nhttps://b.example/x\n"));
    assert_eq!(ApkRepositories.places("own", &own).key, "/etc/apk/keys/b.rsa.pub");
    own.enabled = Some(false);
    assert_eq!(
        ApkRepositories.render("own", &own).file,
        format!("{mark}#https://a.example/v3.19/main\n#https://b.example/x\n")
    );
}

#[test]
fn what_apk_cannot_do_is_named() {
    let own = json!({"url": "https://a.example/", "key_name": "b.rsa.pub"});
    assert_eq!(ApkRepositories.lacks(&spec(own.clone())), None);
    let unnamed = json!({"url": "https://a.example/"});
    assert!(ApkRepositories.lacks(&spec(unnamed)).expect("a lack").contains("key_name"));
    for (name, value) in [("priority", json!(1)), ("trusted", json!(true)), ("suites", json!(["x"]))] {
        let mut more = own.clone();
        more[name] = value;
        assert!(ApkRepositories.lacks(&spec(more)).expect("a lack").contains(name));
    }
}
