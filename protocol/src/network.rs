//! Networks written as CIDR: of addresses of both versions, as an operator or an admin names them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network, as `10.0.0.0/8`, `2001:db8::/32` or a single address. Addresses of version 4 that are written as
/// ones of version 6 belong to networks of version 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    network: u128,
    /// Leading bits that count, of 128: addresses of version 4 are read as mapped ones.
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a network like 10.0.0.0/8: {text}")]
pub struct NetworkError {
    /// The text.
    pub text: String,
}

/// Bits before a mapped address of version 4.
const MAPPED_BITS: u8 = 96;

impl Network {
    /// Whether an address belongs to the network.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        (wide(address) ^ self.network) & mask(self.prefix) == 0
    }
}

/// Whether an address belongs to one of the networks.
#[must_use]
pub fn is_in(address: IpAddr, networks: &[Network]) -> bool {
    networks.iter().any(|network| network.has(address))
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError {
            text: text.to_owned(),
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let (bits, offset) = match address {
            IpAddr::V4(_) => (32, MAPPED_BITS),
            IpAddr::V6(_) => (128, 0),
        };
        let prefix: u8 = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| wrong())?,
            None => bits,
        };
        if prefix > bits {
            return Err(wrong());
        }
        let prefix = prefix + offset;
        Ok(Self {
            network: wide(address) & mask(prefix),
            prefix,
        })
    }
}

/// One text for each network: without what the prefix cuts off, and without the prefix of a single address.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wide = Ipv6Addr::from(self.network);
        let (address, prefix, bits) = match wide.to_ipv4_mapped() {
            Some(address) if self.prefix >= MAPPED_BITS => {
                (IpAddr::V4(address), self.prefix - MAPPED_BITS, 32)
            }
            Some(_) | None => (IpAddr::V6(wide), self.prefix, 128),
        };
        match prefix {
            whole if whole == bits => write!(f, "{address}"),
            prefix => write!(f, "{address}/{prefix}"),
        }
    }
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_exactly_its_addresses() {
        let check = |text: &str, address: &str, expected: bool| {
            let has = network(text).has(address.parse().unwrap());
            assert_eq!(has, expected, "{text} {address}");
        };
        check("10.1.0.0/16", "10.1.255.1", true);
        check("10.1.0.0/16", "::ffff:10.1.0.1", true);
        check("10.1.0.0/16", "10.2.0.0", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("0.0.0.0/0", "1.2.3.4", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "1.2.3.4", true);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
    }

    #[test]
    fn a_text_that_is_no_network_is_refused() {
        for bad in [
            "",
            "10.0.0.0/33",
            "ten",
            "10.0.0.0/-1",
            "::/129",
            "1.2.3.4/x",
            "1.2.3",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_is_written_in_one_way() {
        let check = |text: &str, expected: &str| {
            assert_eq!(network(text).to_string(), expected);
            assert_eq!(network(expected), network(text));
        };
        check("203.0.113.77/24", "203.0.113.0/24");
        check("203.0.113.77", "203.0.113.77");
        check(" 203.0.113.77 / 32", "203.0.113.77");
        check("::ffff:203.0.113.77", "203.0.113.77");
        check("::ffff:203.0.113.77/120", "203.0.113.0/24");
        check("2001:DB8:0:0::1/32", "2001:db8::/32");
        check("2001:db8::1", "2001:db8::1");
        check("0.0.0.0/0", "0.0.0.0/0");
        check("::/0", "::/0");
    }
}
