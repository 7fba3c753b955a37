//! Who failed too often waits: the rule over failed sign-ins from one network address.

use std::net::IpAddr;

use protocol::rejection::{ErrorCode, Rejection};

/// How many failures lock an address out, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct LockoutRule {
    /// Failures within the time that lock an address out; zero locks nobody out.
    pub failures: u32,
    /// The time over which failures count and, from the last of them, the lock holds.
    pub lock_ms: u64,
}

impl LockoutRule {
    /// Whether an address with so many failures in the last `lock_ms`, the newest at
    /// `newest_at_ms`, may try now.
    ///
    /// A success in between takes nothing back: somebody with an account of his own could clear his
    /// guesses at another's that way.
    ///
    /// # Errors
    /// `locked_out` with the time left.
    pub fn check(self, failures: u64, newest_at_ms: u64, now_ms: u64) -> Result<(), Rejection> {
        let until_ms = newest_at_ms.saturating_add(self.lock_ms);
        if self.failures == 0 || failures < u64::from(self.failures) || until_ms <= now_ms {
            return Ok(());
        }
        Err(Rejection::after(ErrorCode::LockedOut, until_ms - now_ms))
    }
}

/// The name under which an address' failures are counted: itself, or the network of 64 bits that
/// one subscriber has of IPv6, in which every guess could come from another address.
#[must_use]
pub fn counted_as(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = std::net::Ipv6Addr::from(u128::from(address) >> 64 << 64);
            format!("{network}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: LockoutRule = LockoutRule {
        failures: 5,
        lock_ms: 900_000,
    };

    #[test]
    fn the_fifth_failure_locks_until_its_time_is_over() {
        let now = 10_000_000;
        assert_eq!(RULE.check(4, now, now), Ok(()));
        assert_eq!(
            RULE.check(5, now - 60_000, now),
            Err(Rejection::after(ErrorCode::LockedOut, 840_000))
        );
        assert_eq!(RULE.check(5, now - 900_000, now), Ok(()));
        assert!(RULE.check(500, now, now).is_err());
    }

    #[test]
    fn a_rule_of_zero_locks_nobody_out() {
        let rule = LockoutRule {
            failures: 0,
            ..RULE
        };
        assert_eq!(rule.check(1_000, 5, 5), Ok(()));
    }

    #[test]
    fn addresses_of_one_subscriber_count_together() {
        let counted = |text: &str| counted_as(text.parse().unwrap());
        assert_eq!(counted("192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(counted("2001:db8:1:2::1"), counted("2001:db8:1:2:ffff::1"));
    }
}
