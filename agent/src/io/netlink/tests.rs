use super::{fetch_addresses, fetch_interfaces};

#[test]
fn the_loopback_is_there_with_its_address() {
    let interfaces = fetch_interfaces().expect("interfaces");
    let loopback = interfaces.iter().find(|interface| interface.name == "lo").expect("a loopback");
    assert!(loopback.loopback);
    let addresses = fetch_addresses().expect("addresses");
    assert!(
        addresses.iter().any(|address| address.index == loopback.index && address.address.to_string() == "127.0.0.1"),
        "{addresses:?}"
    );
}
