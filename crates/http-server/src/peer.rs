//! Peers, the unit of the fair sharing of connections.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The peer that a connection counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An IPv4 address, or a /64 of IPv6: a host can use all addresses of its /64.
    Network(IpAddr),
    /// A user of this machine, by uid (SO_PEERCRED).
    User(u32),
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::Network(match address.ip().to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let peer = |address: &str| Peer::from(address.parse::<SocketAddr>().unwrap());
        assert_eq!(peer("127.0.0.1:1"), peer("[::ffff:127.0.0.1]:2"));
        assert_eq!(peer("[2001:db8::1]:1"), peer("[2001:db8::ffff:0:0:1]:1"));
        assert_ne!(peer("127.0.0.1:1"), peer("127.0.0.2:1"));
        assert_ne!(peer("[2001:db8::1]:1"), peer("[2001:db8:0:1::1]:1"));
    }
}
