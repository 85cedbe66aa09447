use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::bus::BrokerUser;
use muster_schema::{FleetName, PublicKey};

use super::*;

fn fleet() -> FleetName {
    "shop".parse().unwrap()
}

fn wanted(hosts: &[&str]) -> Definitions {
    // In minisign's form: two bytes of its kind, its id, and the key.
    let key: PublicKey = STANDARD.encode([&b"Ed"[..], &[7; 40]].concat()).parse().unwrap();
    let login = |host: &&str| HostLogin {
        host: host.parse().unwrap(),
        key: key.id(),
        password_hash: format!("hash of {host}"),
    };
    let hosts: Vec<HostLogin> = hosts.iter().map(login).collect();
    render_definitions(&fleet(), "shop", "orchestrator's", "enrolment's", &hosts)
}

/// The broker after these changes.
fn after(mut broker: Definitions, changes: &Changes) -> Definitions {
    broker.users.retain(|user| !changes.remove.contains(&user.name));
    broker.permissions.retain(|held| !changes.remove.contains(&held.user));
    broker.topic_permissions.retain(|held| !changes.remove.contains(&held.user));
    let Definitions { vhosts, users, permissions, topic_permissions, policies } = changes.import.clone();
    broker.users.retain(|user| users.iter().all(|new| new.name != user.name));
    broker.policies.retain(|held| policies.iter().all(|new| new.name != held.name));
    broker.permissions.retain(|held| permissions.iter().all(|new| new.user != held.user));
    broker
        .topic_permissions
        .retain(|held| topic_permissions.iter().all(|new| (&new.user, &new.exchange) != (&held.user, &held.exchange)));
    broker.vhosts.extend(vhosts);
    broker.users.extend(users);
    broker.permissions.extend(permissions);
    broker.topic_permissions.extend(topic_permissions);
    broker.policies.extend(policies);
    broker
}

fn plan(current: &Definitions, wanted: &Definitions) -> Changes {
    plan_changes(current, wanted, &BrokerUser::tag(&fleet())).unwrap()
}

/// A broker where others are at home too.
fn with_others() -> Definitions {
    serde_json::from_str(
        r#"{"rabbit_version": "3.10.8", "vhosts": [{"name": "/", "limits": []}],
        "users": [{"name": "guest", "password_hash": "x", "tags": "administrator,management"},
                  {"name": "mill~host~web-9", "password_hash": "x", "tags": ["muster~mill"], "limits": {}}],
        "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}"#,
    )
    .unwrap()
}

#[test]
fn a_second_run_changes_nothing_and_others_are_left_alone() {
    let others = with_others();
    let wanted = wanted(&["web-1", "db-1"]);
    let first = plan(&others, &wanted);
    assert!(first.remove.is_empty());
    assert_eq!(first.import, wanted);
    let broker = after(others.clone(), &first);
    assert!(plan(&broker, &wanted).is_empty());
    assert!(others.users.iter().all(|user| broker.users.contains(user)));
}

#[test]
fn users_of_hosts_that_left_go_and_no_others() {
    let broker = after(with_others(), &plan(&with_others(), &wanted(&["web-1", "db-1"])));
    let changes = plan(&broker, &wanted(&["web-1"]));
    assert_eq!(changes.remove.iter().collect::<Vec<_>>(), ["shop~host~db-1"]);
    assert_eq!(changes.import, Definitions::default());
    assert_eq!(changes.gone().count(), 1);
}

#[test]
fn what_somebody_changed_goes_back() {
    let wanted = wanted(&["web-1", "db-1"]);
    let broker = after(with_others(), &plan(&with_others(), &wanted));
    let user = "shop~host~web-1";

    // More rights elsewhere: they go only with the user, who comes anew.
    let mut more = broker.clone();
    let mut right = broker.permissions.iter().find(|held| held.user == user).unwrap().clone();
    right.vhost = "/".to_owned();
    more.permissions.push(right);
    let changes = plan(&more, &wanted);
    assert_eq!(changes.remove.iter().collect::<Vec<_>>(), [user]);
    assert_eq!(changes.gone().count(), 0);
    let import = &changes.import;
    assert_eq!((import.users.len(), import.permissions.len(), import.topic_permissions.len()), (1, 1, 2));
    assert!(plan(&after(more, &changes), &wanted).is_empty());

    // Wider rights, another password, a right to the management, a lost topic permission.
    type Edit = fn(&mut Definitions);
    let edits: [Edit; 4] = [
        |broker| broker.permissions.iter_mut().for_each(|held| held.read = ".*".to_owned()),
        |broker| broker.users.iter_mut().for_each(|user| user.password_hash = "other".to_owned()),
        |broker| broker.users.iter_mut().for_each(|user| user.tags.0.push("administrator".to_owned())),
        |broker| broker.topic_permissions.clear(),
    ];
    for edit in edits {
        let mut edited = broker.clone();
        edit(&mut edited);
        let changes = plan(&edited, &wanted);
        assert!(!changes.is_empty());
        assert!(plan(&after(edited, &changes), &wanted).is_empty());
    }
}

#[test]
fn a_user_whose_password_is_another_one_comes_anew() {
    let wanted = wanted(&["web-1", "db-1"]);
    let broker = after(with_others(), &plan(&with_others(), &wanted));
    let user = "shop~host~web-1";
    let mut rekeyed = wanted.clone();
    rekeyed.users.iter_mut().find(|wanted| wanted.name == user).unwrap().password_hash = "of a new key".to_owned();
    let changes = plan(&broker, &rekeyed);
    assert_eq!(changes.remove.iter().collect::<Vec<_>>(), [user], "connections of the old one end with the user");
    assert_eq!(changes.gone().count(), 0);
    let import = &changes.import;
    assert_eq!((import.users.len(), import.permissions.len(), import.topic_permissions.len()), (1, 1, 2));
    assert!(plan(&after(broker, &changes), &rekeyed).is_empty());
}

#[test]
fn a_user_that_is_not_ours_is_not_taken_over() {
    let mut broker = with_others();
    broker.users[0].name = "shop~host~web-1".to_owned();
    let refused = plan_changes(&broker, &wanted(&["web-1"]), &BrokerUser::tag(&fleet())).unwrap_err();
    assert!(refused.to_string().contains("'shop~host~web-1' that muster did not make"), "{refused}");
}

#[test]
fn the_server_takes_nobody_without_a_certificate() {
    let config = ServerConfig { port: 5671, tls_folder: "/etc/rabbitmq/tls".into() };
    let text = render_server_config(&fleet(), &config);
    for line in ["listeners.tcp = none", "ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = true"]
    {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(!text.contains("EXTERNAL"));
}
