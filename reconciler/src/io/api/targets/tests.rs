use super::*;

fn fleet() -> BTreeMap<HostId, HostStatus> {
    let host = |role: &str, enrolled| HostStatus {
        environment: Some("production".to_owned()),
        labels: BTreeMap::from([("role".to_owned(), role.to_owned())]),
        key: Some("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap()),
        enrolled,
        ..HostStatus::default()
    };
    let mut gone = host("web", true);
    gone.environment = None;
    let hosts =
        [("db-1", host("db", true)), ("web-1", host("web", true)), ("web-2", host("web", false)), ("web-3", gone)];
    hosts.into_iter().map(|(id, host)| (id.parse().unwrap(), host)).collect()
}

fn chosen(ids: Option<&str>, selector: Option<&str>) -> Result<(Vec<String>, Vec<String>), ProblemReason> {
    let chosen = choose_hosts(&fleet(), ids, selector).map_err(|problem| problem.reason)?;
    let hosts = chosen.hosts.iter().map(|host| host.id.to_string()).collect();
    Ok((hosts, chosen.unanswered.iter().map(|host| host.host.to_string()).collect()))
}

#[test]
fn hosts_are_chosen_by_id_or_selector() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(chosen(Some("web-1,db-1"), None), Ok((words(&["web-1", "db-1"]), words(&[]))));
    assert_eq!(chosen(None, Some("role=web")), Ok((words(&["web-1"]), words(&["web-2"]))), "who left is not asked");
    assert_eq!(chosen(None, Some("*")), Ok((words(&["db-1", "web-1"]), words(&["web-2"]))));
}

#[test]
fn a_host_in_quarantine_is_not_asked() {
    let mut fleet = fleet();
    fleet.get_mut(&"db-1".parse::<HostId>().unwrap()).unwrap().copied = Some(muster_schema::Timestamp(1));
    let chosen = choose_hosts(&fleet, Some("db-1"), None).unwrap();
    assert_eq!(chosen.hosts, []);
    assert!(chosen.unanswered[0].reason.contains("host release"));
}

#[test]
fn to_ask_nobody_is_an_error() {
    use ProblemReason::{BadRequest, UnknownHost};
    assert_eq!(chosen(None, None), Err(BadRequest));
    assert_eq!(chosen(Some("web-1"), Some("*")), Err(BadRequest));
    assert_eq!(chosen(None, Some("role=")), Err(BadRequest));
    for ids in ["web-9", "web-1,web-9", "web-3", "..", ""] {
        assert_eq!(chosen(Some(ids), None), Err(UnknownHost), "{ids}");
    }
    assert_eq!(chosen(None, Some("role=mail")), Err(UnknownHost));
}
