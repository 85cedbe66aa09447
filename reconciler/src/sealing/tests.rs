use super::*;
use crate::model::tests::load;

const ADMIN: &str = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";

fn name() -> SecretName {
    "db".parse().unwrap()
}

fn selector() -> Selector {
    "role=db".parse().unwrap()
}

#[test]
fn a_secret_opens_for_each_recipient_and_for_nobody_else() {
    let (admin, host, other) =
        (x25519::Identity::generate(), x25519::Identity::generate(), x25519::Identity::generate());
    let to = [&admin, &host].map(|one| Arc::from(one.to_public().to_string())).into();
    let edits = seal(&name(), b"hunter2", &to).unwrap();
    let [(path, ciphertext), (listed_at, listed)] =
        edits.into_iter().map(|(path, bytes)| (path, bytes.unwrap())).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((path.as_str(), listed_at.as_str()), ("secrets/db.age", "secrets/db.recipients"));
    for identity in [&admin, &host] {
        assert_eq!(*open(&name(), &ciphertext, std::slice::from_ref(identity)).unwrap(), b"hunter2");
        assert!(String::from_utf8_lossy(&listed).contains(&identity.to_public().to_string()));
    }
    assert!(matches!(open(&name(), &ciphertext, &[other]), Err(SealError::Decrypt { .. })));
    assert!(matches!(seal(&name(), &vec![0; MAX_SECRET_BYTES + 1], &to), Err(SealError::TooLarge)));
}

#[test]
fn the_recipients_are_the_admins_and_the_selected_hosts_that_have_enrolled() {
    let host = x25519::Identity::generate().to_public().to_string();
    let (model, _) = load(&format!(
        "=== muster.yaml\nschema: 1\nfleet: lab\n\
         === environments/lab/hosts/db-1.yaml\nrecipient: {host}\nlabels: {{role: db}}\n\
         === environments/lab/hosts/db-2.yaml\nlabels: {{role: db}}\n\
         === environments/lab/hosts/web-1.yaml\nrecipient: {ADMIN}\nlabels: {{role: web}}\n"
    ));
    let admins = [ADMIN.to_owned()];
    let expected: BTreeSet<Arc<str>> = [Arc::from(ADMIN), Arc::from(host.as_str())].into();
    assert_eq!(recipients(&model, &admins, &[], &selector()).unwrap(), expected);
    assert!(matches!(recipients(&model, &[], &[], &selector()), Err(SealError::NoAdmins)));
    assert!(matches!(recipients(&model, &["me".to_owned()], &[], &selector()), Err(SealError::Recipient { .. })));
}

#[test]
fn a_rule_is_added_and_nothing_that_people_wrote_changes() {
    let admins = [ADMIN.to_owned()];
    let (_, first) = with_rule(None, &name(), Some(&selector()), &admins).unwrap();
    let first = first.unwrap();
    assert_eq!(first, format!("admins:\n  - {ADMIN}\nsecrets:\n  db: {{hosts: \"role=db\"}}\n"));
    assert!(with_rule(Some(&first), &name(), Some(&selector()), &admins).unwrap().1.is_none());
    assert!(with_rule(Some(&first), &name(), None, &[]).unwrap().1.is_none());
    let commented = format!("# ours\n{first}  # the end\n");
    let other: SecretName = "api".parse().unwrap();
    let (document, second) = with_rule(Some(&commented), &other, Some(&selector()), &[]).unwrap();
    assert_eq!(second.unwrap(), commented.replace("secrets:\n", "secrets:\n  api: {hosts: \"role=db\"}\n"));
    assert_eq!(document.secrets.len(), 2);
}

#[test]
fn what_is_said_otherwise_or_not_at_all_is_told() {
    let text = format!("admins: [{ADMIN}]\nsecrets:\n  db: {{hosts: \"*\"}}\n");
    assert!(matches!(with_rule(Some(&text), &name(), Some(&selector()), &[]), Err(RuleFault::Other { .. })));
    let other: SecretName = "api".parse().unwrap();
    assert!(matches!(with_rule(Some(&text), &other, None, &[]), Err(RuleFault::NoHosts(_))));
    let flow = "secrets: {db: {hosts: \"*\"}}\n";
    assert!(matches!(with_rule(Some(flow), &other, Some(&selector()), &[]), Err(RuleFault::Form(_))));
    assert!(matches!(with_rule(Some("secrets: 1"), &other, Some(&selector()), &[]), Err(RuleFault::Faulty)));
}

#[test]
fn identities_are_read_as_age_writes_them() {
    use age::secrecy::ExposeSecret;
    let identity = x25519::Identity::generate();
    let text = format!("# created: today\n# public key: x\n{}\n", identity.to_string().expose_secret());
    assert_eq!(load_identities(&text).unwrap().len(), 1);
    for bad in ["", "# nothing\n", ADMIN, "AGE-SECRET-KEY-1X"] {
        assert!(load_identities(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_sealer_adds_and_takes_away_hosts_of_its_own_secrets_alone() {
    let key = || x25519::Identity::generate();
    let (admin, sealer, host, gone) = (key(), key(), key(), key());
    let [admin, host, gone] = [admin, host, gone].map(|one| one.to_public().to_string());
    let own = sealer.to_public().to_string();
    let db = |admins: &str, rule: &str, listed: &[&str]| {
        let (model, _) = load(&format!(
            "=== muster.yaml\nschema: 1\nfleet: lab\n\
             === environments/lab/hosts/db-1.yaml\nrecipient: {host}\nlabels: {{role: db}}\n\
             === secrets/recipients.yaml\nadmins: [{admins}]\nsealers: [{own}]\nsecrets:\n  db: {{hosts: role=db{rule}}}\n\
             === secrets/db.recipients\n{}\n",
            listed.join("\n")
        ));
        due_secrets(&model, &own)
    };
    let marked = ", sealer: true";
    assert!(db(&admin, "", &[&admin, &own]).is_empty(), "it is not the sealer's");
    assert!(db(&admin, ", sealer: false", &[&admin, &own]).is_empty());
    assert!(db(&admin, marked, &[&admin, &own, &host]).is_empty(), "nothing is due");
    let due = db(&admin, marked, &[&admin, &own, &gone]).pop().unwrap().1.unwrap();
    let sealed = seal(&name(), b"hunter2", &[Arc::from(own.as_str())].into()).unwrap();
    let ciphertext = sealed["secrets/db.age"].clone().unwrap();
    let edits = seal_due(&due, &ciphertext, &sealer).unwrap();
    assert_eq!(edits.keys().collect::<Vec<_>>(), ["secrets/db.age", "secrets/db.recipients"]);
    let listed = String::from_utf8(edits["secrets/db.recipients"].clone().unwrap()).unwrap();
    assert!(listed.contains(&host) && listed.contains(&admin) && !listed.contains(&gone), "{listed}");
    assert!(matches!(seal_due(&due, &ciphertext, &key()), Err(NotSealed::Seal(SealError::Decrypt { .. }))));
    // Admins and sealers are people's business.
    for admins in [format!("{admin}, {gone}"), gone.clone()] {
        let (_, due) = db(&admins, marked, &[&admin, &own]).pop().unwrap();
        assert!(matches!(due, Err(NotSealed::People(who)) if *who == gone));
    }
    let (_, due) = db(&admin, marked, &[&admin, &host]).pop().unwrap();
    assert!(matches!(due, Err(NotSealed::People(who)) if *who == own));
}
