use super::*;

#[test]
fn only_addresses_of_this_machine_stay_on_it() {
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"] {
        assert!(!leaves_this_machine(host), "{host}");
    }
    for host in
        ["broker.example.org", "localhost.example.org", "192.0.2.1", "[2001:db8::1]", "127.0.0.1.example.org", ""]
    {
        assert!(leaves_this_machine(host), "{host}");
    }
}
