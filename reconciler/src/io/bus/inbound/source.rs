//! Where frames come from.

use std::net::IpAddr;

/// Where a frame came from; for limits, never for trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// By HTTP, from this address.
    Address(IpAddr),
    /// From the broker.
    Broker,
}

impl Source {
    /// The network that limits are counted by: one person can have a whole /64.
    pub(in crate::io::bus) fn network(self) -> String {
        match self {
            Source::Address(IpAddr::V4(address)) => address.to_string(),
            Source::Address(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => {
                    let [a, b, c, d, ..] = address.segments();
                    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
                }
            },
            Source::Broker => "broker".to_owned(),
        }
    }
}
