//! Tokens of the arms that are not Switchboard: of its form, signed by a key that the tool makes.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use protocol::id::{Id, SiteId, VisitorId, WorkspaceId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Signs tokens and reads them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key([u8; 32]);

/// What a token says: as much as a visitor's of Switchboard.
#[derive(Serialize, Deserialize)]
struct Claims {
    k: char,
    w: WorkspaceId,
    s: SiteId,
    v: VisitorId,
    g: u64,
    e: u64,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write it as 64 digits".to_owned();
        let mut key = [0; 32];
        if text.len() != 2 * key.len() {
            return Err(wrong());
        }
        for (index, byte) in key.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(key))
    }
}

impl Key {
    /// A key of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The token of the visitor with a number.
    #[must_use]
    pub fn sign(&self, number: u64) -> String {
        let claims = Claims {
            k: 'v',
            w: WorkspaceId::from_bits(1),
            s: SiteId::from_bits(1),
            v: VisitorId::from_bits(u128::from(number) << 80 | 1),
            g: 0,
            e: u64::MAX,
        };
        let json = serde_json::to_vec(&claims).expect("claims are always JSON");
        let signed = format!("v1.{}", URL_SAFE_NO_PAD.encode(json));
        let signature = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whose token it is; nothing where the signature is not ours.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<VisitorId> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(signed).verify_slice(&signature).ok()?;
        let json = URL_SAFE_NO_PAD.decode(signed.strip_prefix("v1.")?).ok()?;
        let claims: Claims = serde_json::from_slice(&json).ok()?;
        Some(claims.v)
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is a key for HMAC");
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_with_its_own_key_alone() {
        let key = Key::new([7; 32]);
        let token = key.sign(3);
        assert_eq!(key.read(&token).map(Id::bits), Some(3 << 80 | 1));
        assert_eq!(Key::new([8; 32]).read(&token), None);
        for bad in ["", "v1.", "v1..", "v1.a.b", &token[1..]] {
            assert_eq!(key.read(bad), None, "{bad}");
        }
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!("07".parse::<Key>().is_err());
    }
}
