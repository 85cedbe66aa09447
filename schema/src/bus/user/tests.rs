use super::*;

#[test]
fn a_hosts_user_stands_beside_the_one_of_enrolment() {
    let (fleet, host): (FleetName, HostId) = ("shop".parse().unwrap(), "web-1".parse().unwrap());
    let enrolment = BrokerUser::Enrolment.name(&fleet);
    assert_eq!(enrolment, "shop~enrol");
    assert_eq!(BrokerUser::host_beside(&enrolment, &host), Some("shop~host~web-1".to_owned()));
    assert_eq!(BrokerUser::Host(host.clone()).name(&fleet), "shop~host~web-1");
    for other in ["guest", "enrol", "shop.enrol", "shop~orchestrator", "shop~host~enrol-1", ""] {
        assert_eq!(BrokerUser::host_beside(other, &host), None, "{other}");
    }
}

#[test]
fn a_hash_is_salt_and_sha256_of_salt_and_password() {
    let bytes = STANDARD.decode(hash_password("secret")).unwrap();
    let (salt, hash) = bytes.split_at(SALT_BYTES);
    assert_eq!(hash, &Sha256::digest([salt, b"secret"].concat())[..]);
    assert_ne!(hash_password("secret"), hash_password("Secret"));
}
