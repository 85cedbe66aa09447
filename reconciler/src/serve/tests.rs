use super::api_address;
use std::net::SocketAddr;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

#[test]
fn the_api_leaves_loopback_only_when_told() {
    let cases = [
        ("127.0.0.1:8420", None, "127.0.0.1:8420"),
        ("[::1]:8420", None, "[::1]:8420"),
        ("0.0.0.0:8420", None, "127.0.0.1:8421"),
        ("192.0.2.1:65535", None, "127.0.0.1:0"),
        ("[::]:8420", None, "127.0.0.1:8421"),
        ("0.0.0.0:8420", Some("0.0.0.0:8420"), "0.0.0.0:8420"),
        ("127.0.0.1:8420", Some("127.0.0.1:9000"), "127.0.0.1:9000"),
    ];
    for (listen, told, wanted) in cases {
        assert_eq!(api_address(address(listen), told.map(address)), address(wanted), "{listen} {told:?}");
    }
}
