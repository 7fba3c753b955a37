//! Network addresses: the client behind trusted proxies, and what is kept and counted of it.

use std::net::IpAddr;

use http::HeaderMap;
use protocol::network::{Network, is_in};

/// The client's address. `X-Forwarded-For` is read from its end, and only while each who wrote the
/// next part is a trusted proxy: what a client wrote there himself never counts.
#[must_use]
pub fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut address = peer.to_canonical();
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in hops.into_iter().rev() {
        if !is_in(address, trusted) {
            break;
        }
        let Some(next) = hop_address(hop.trim()) else {
            break;
        };
        address = next.to_canonical();
    }
    address
}

/// An address, also with a port behind it or in brackets.
fn hop_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(with_port) = text.parse::<std::net::SocketAddr>() {
        return Some(with_port.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// The part of an address that one subscriber holds: all of version 4, the /64 of version 6. Limits
/// count by it, or one client had 2^64 allowances.
#[must_use]
pub fn subscriber(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

/// An address as it is kept: whole, or without what tells one subscriber from another.
#[must_use]
pub fn written(address: IpAddr, shortened: bool) -> String {
    let address = address.to_canonical();
    if !shortened {
        return address.to_string();
    }
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::from([a, b, c, 0]).to_string()
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::from([a, b, c, 0, 0, 0, 0, 0]).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn behind(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        behind_proxies(peer.parse().unwrap(), &headers, &networks(trusted)).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_whom_it_stands_for() {
        assert_eq!(behind("9.9.9.9", &["1.1.1.1"], &[]), "9.9.9.9");
        assert_eq!(behind("10.0.0.1", &["1.1.1.1"], &["10.0.0.0/8"]), "1.1.1.1");
    }

    #[test]
    fn what_a_client_wrote_before_the_proxies_does_not_count() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(
            behind("10.0.0.1", &["6.6.6.6, 1.1.1.1"], trusted),
            "1.1.1.1"
        );
        assert_eq!(
            behind("10.0.0.1", &["6.6.6.6", "1.1.1.1, 10.0.0.2"], trusted),
            "1.1.1.1"
        );
        assert_eq!(
            behind("10.0.0.1", &["1.1.1.1, garbage"], trusted),
            "10.0.0.1"
        );
        assert_eq!(
            behind("10.0.0.1", &["[2001:db8::1]:443"], trusted),
            "2001:db8::1"
        );
    }

    #[test]
    fn a_subscriber_of_version_six_is_a_64() {
        let one = subscriber("2001:db8::1".parse().unwrap());
        assert_eq!(one, subscriber("2001:db8::2".parse().unwrap()));
        assert_ne!(one, subscriber("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn a_shortened_address_names_no_subscriber() {
        let check = |address: &str, expected: &str| {
            assert_eq!(written(address.parse().unwrap(), true), expected);
        };
        check("203.0.113.77", "203.0.113.0");
        check("::ffff:203.0.113.77", "203.0.113.0");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1::");
        let whole = written("203.0.113.77".parse().unwrap(), false);
        assert_eq!(whole, "203.0.113.77");
    }
}
