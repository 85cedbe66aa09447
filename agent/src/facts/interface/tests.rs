use std::net::IpAddr;

use super::{Interface, InterfaceAddress, lasting_addresses, load_address, load_interface};

fn interface(index: u32, name: &str, kind: &str) -> Interface {
    Interface { index, name: name.to_owned(), kind: kind.to_owned(), loopback: name == "lo" }
}

fn address(index: u32, address: &str, flags: u32) -> InterfaceAddress {
    InterfaceAddress { index, address: address.parse().expect("an address"), flags }
}

fn lasting(interfaces: &[Interface], addresses: &[InterfaceAddress], in_container: bool) -> Vec<String> {
    lasting_addresses(interfaces, addresses, in_container).iter().map(IpAddr::to_string).collect()
}

#[test]
fn passing_addresses_are_left_out() {
    let interfaces = [interface(1, "lo", ""), interface(2, "eth0", "")];
    let addresses = [
        address(2, "2001:db8::5", 0x80),
        address(2, "2001:db8::beef", 0x01),
        address(2, "2001:db8::dead", 0x20),
        address(2, "fe80::1", 0x80),
        address(1, "127.0.0.1", 0x80),
        address(1, "10.9.9.9", 0x80),
        address(2, "169.254.3.4", 0x80),
        // The second address of its network has IPv6's flag of a temporary one.
        address(2, "10.0.0.6", 0x01),
        address(2, "10.0.0.5", 0x80),
        address(2, "10.0.0.5", 0x80),
        address(7, "10.0.0.7", 0x80),
    ];
    assert_eq!(lasting(&interfaces, &addresses, false), ["10.0.0.5", "10.0.0.6", "2001:db8::5"]);
}

#[test]
fn guests_networks_are_not_the_hosts_own() {
    let interfaces = [
        interface(1, "br0", "bridge"),
        interface(2, "docker0", "bridge"),
        interface(3, "host0", "veth"),
        interface(4, "wg0", "wireguard"),
        interface(5, "br-0123456789ab", "bridge"),
        interface(6, "br-lan", "bridge"),
    ];
    let addresses = [
        address(1, "10.0.0.1", 0),
        address(2, "172.17.0.1", 0),
        address(3, "10.91.0.11", 0),
        address(4, "10.7.0.1", 0),
        address(5, "172.18.0.1", 0),
        address(6, "10.0.0.2", 0),
    ];
    assert_eq!(lasting(&interfaces, &addresses, false), ["10.0.0.1", "10.0.0.2", "10.7.0.1"]);
    assert_eq!(lasting(&interfaces, &addresses, true), ["10.0.0.1", "10.0.0.2", "10.7.0.1", "10.91.0.11"]);
}

#[test]
fn messages_that_are_cut_short_are_nothing() {
    let mut link = vec![0u8; 16];
    link[4] = 3;
    link.extend([9, 0, 3, 0, b'e', b't', b'h', b'0', 0, 0, 0, 0]);
    assert_eq!(load_interface(&link), Some(interface(3, "eth0", "")));
    let mut message = vec![2, 24, 0x80, 0, 3, 0, 0, 0];
    message.extend([8, 0, 2, 0, 10, 0, 0, 5]);
    assert_eq!(load_address(&message), Some(address(3, "10.0.0.5", 0x80)));
    for length in 0..message.len() {
        assert_eq!(load_address(&message[..length]), None, "{length}");
    }
    for length in 0..16 {
        assert_eq!(load_interface(&link[..length]), None, "{length}");
    }
    // An attribute that says it has no length must not loop.
    let mut endless = vec![2, 24, 0x80, 0, 3, 0, 0, 0];
    endless.extend([0, 0, 2, 0, 10, 0, 0, 5]);
    assert_eq!(load_address(&endless), None);
}
