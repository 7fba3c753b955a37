//! Secrets that are shown once: sessions, keys, links, signing secrets. Random, prefixed, stored as
//! a hash wherever the plain form is not needed again.

use sha2::{Digest, Sha256};
use world::Ids;

/// What a login session's secret begins with.
pub const SESSION_PREFIX: &str = "sbs_";
/// What the secret of a set-up link begins with.
pub const SETUP_PREFIX: &str = "sbu_";
/// What the secret of an invitation begins with.
pub const INVITATION_PREFIX: &str = "sbv_";
/// What a site's secret for identities begins with.
pub const SITE_SECRET_PREFIX: &str = "sbi_";
/// What a site's secret for webhooks begins with.
pub const WEBHOOK_SECRET_PREFIX: &str = "sbw_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Digits of base 62 that hold 256 bits.
const DIGITS: usize = 43;

/// The last or first characters that are shown to tell secrets apart.
const HINT_LENGTH: usize = 4;

/// A new secret: the prefix and 32 random bytes in base 62.
#[must_use]
pub fn make(ids: &Ids, prefix: &str) -> String {
    format!("{prefix}{}", base62(ids.bytes()))
}

/// The SHA-256 under which a secret is stored. Enough for 256 random bits, and cheap on every
/// request; passwords go through argon2 instead.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether a text can be a secret with this prefix at all. Spares the store a look.
#[must_use]
pub fn has_form(secret: &str, prefix: &str) -> bool {
    secret.strip_prefix(prefix).is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// The prefix and the first characters: tells keys apart and gives nothing away.
#[must_use]
pub fn first_characters(secret: &str, prefix: &str) -> String {
    secret.chars().take(prefix.len() + HINT_LENGTH).collect()
}

/// The last characters.
#[must_use]
pub fn last_characters(secret: &str) -> String {
    let start = secret.len().saturating_sub(HINT_LENGTH);
    secret.get(start..).unwrap_or_default().to_owned()
}

fn base62(bytes: [u8; 32]) -> String {
    let mut number = bytes;
    let mut digits = [0_u8; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let part = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(part / 62).expect("rest is below 62, so part / 62 is below 256");
            rest = part % 62;
        }
        *digit = ALPHABET[usize::try_from(rest).expect("rest is below 62")];
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::Clock;

    #[test]
    fn base_62_keeps_all_256_bits() {
        assert_eq!(base62([0; 32]), "0".repeat(DIGITS));
        let mut one = [0; 32];
        one[31] = 61;
        assert!(base62(one).ends_with("00z"));
        // 2^256 - 1, computed with big numbers elsewhere.
        assert_eq!(
            base62([255; 32]),
            "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"
        );
    }

    #[test]
    fn a_secret_has_its_form_and_no_two_are_alike() {
        let ids = Ids::seeded(1, Clock::manual(0));
        let [a, b] = [(); 2].map(|()| make(&ids, SESSION_PREFIX));
        assert_ne!(a, b);
        assert!(has_form(&a, SESSION_PREFIX));
        assert!(!has_form(&a, SETUP_PREFIX));
        assert!(!has_form(&a[..a.len() - 1], SESSION_PREFIX));
        assert!(!has_form("sbs_", SESSION_PREFIX));
        assert_ne!(hash(&a), hash(&b));
    }

    #[test]
    fn hints_give_only_a_few_characters() {
        assert_eq!(first_characters("sbk_abcdefgh", "sbk_"), "sbk_abcd");
        assert_eq!(last_characters("sbi_abcdefgh"), "efgh");
        assert_eq!(last_characters("ab"), "ab");
    }
}
