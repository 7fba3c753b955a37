//! Signed identity: what a site's own server says of its customer, proved by a secret of the site.
//!
//! Two forms, told apart by their dots. WID-14: `base64(json).hex(HMAC-SHA256(json))`. A JSON Web Token
//! with `HS256`, and no other algorithm: a token does not choose how it is checked. Clocks may differ
//! by a minute. Any of the site's living secrets will do, so that a site can change over.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use protocol::id::SiteId;
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use serde::Deserialize;
use sha2::Sha256;

/// How much the clocks of the site's server and ours may differ.
const LEEWAY_MS: u64 = 60_000;
/// The longest a token may live, whatever it says of itself.
const LIFE_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// Base 64 with or without padding: servers write both.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A customer whom the site vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The site's own id for the customer.
    pub customer_id: String,
    /// The address.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// Text or number: servers write ids both ways.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Number(u64),
}

impl Word {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Payload {
    site_key: Option<String>,
    customer: Option<Customer>,
    sub: Option<Word>,
    email: Option<String>,
    name: Option<String>,
    iat: Option<u64>,
    nbf: Option<u64>,
    exp: u64,
}

#[derive(Deserialize)]
struct Customer {
    id: Word,
    email: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// What a token proves.
///
/// # Errors
/// `identity_invalid`, whatever is wrong with it.
pub fn prove<'a>(
    token: &str,
    site_id: SiteId,
    secrets: impl Iterator<Item = &'a [u8]>,
    now_ms: u64,
) -> Result<Proved, Rejection> {
    verified(token, secrets)
        .and_then(|json| serde_json::from_slice::<Payload>(&json).ok())
        .filter(|payload| is_now(payload, now_ms))
        .and_then(|payload| customer(payload, site_id))
        .ok_or_else(|| ErrorCode::IdentityInvalid.into())
}

/// The payload, if one of the secrets signed it.
fn verified<'a>(token: &str, mut secrets: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    if token.len() > limit::IDENTITY_TOKEN_BYTES_MAX {
        return None;
    }
    let parts: Vec<&str> = token.split('.').collect();
    match parts[..] {
        [payload, signature] => {
            let json = STANDARD
                .decode(payload)
                .or_else(|_| URL_SAFE.decode(payload))
                .ok()?;
            let signature = from_hex(signature)?;
            secrets
                .any(|secret| is_signed(secret, &json, &signature))
                .then_some(json)
        }
        [header, payload, signature] => {
            let head: Header = serde_json::from_slice(&URL_SAFE.decode(header).ok()?).ok()?;
            if head.alg != "HS256" {
                return None;
            }
            let signed = &token[..header.len() + 1 + payload.len()];
            let signature = URL_SAFE.decode(signature).ok()?;
            let is_ours = secrets.any(|secret| is_signed(secret, signed.as_bytes(), &signature));
            if is_ours {
                URL_SAFE.decode(payload).ok()
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Compares in constant time.
fn is_signed(secret: &[u8], text: &[u8], signature: &[u8]) -> bool {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is a key for HMAC");
    mac.update(text);
    mac.verify_slice(signature).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

fn is_now(payload: &Payload, now_ms: u64) -> bool {
    let ms = |seconds: u64| seconds.saturating_mul(1_000);
    let is_over = ms(payload.exp).saturating_add(LEEWAY_MS) <= now_ms;
    let from = payload.nbf.max(payload.iat).map_or(0, ms);
    let lives_too_long = ms(payload.exp) > now_ms.saturating_add(LIFE_MS_MAX + LEEWAY_MS);
    !is_over && from <= now_ms.saturating_add(LEEWAY_MS) && !lives_too_long
}

fn customer(payload: Payload, site_id: SiteId) -> Option<Proved> {
    if let Some(key) = &payload.site_key
        && *key != site_id.to_string()
    {
        return None;
    }
    let (id, email, name) = match payload.customer {
        // The form of WID-14 names its site, so that a token of one cannot be shown to another that
        // shares its secret.
        Some(customer) => {
            payload.site_key.as_ref()?;
            (customer.id, customer.email, customer.name)
        }
        None => (payload.sub?, payload.email, payload.name),
    };
    let customer_id = id.into_text();
    let is_fit = |text: &String| {
        !text.trim().is_empty()
            && text.len() <= limit::NAME_BYTES_MAX
            && !text.chars().any(char::is_control)
    };
    if !is_fit(&customer_id) {
        return None;
    }
    Some(Proved {
        customer_id,
        email: email.filter(|text| protocol::text::Email::parse(text).is_ok()),
        name: name.filter(|text| protocol::text::Name::parse(text).is_ok()),
    })
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    const SECRET: &[u8] = b"the secret of the site";
    const NOW_MS: u64 = 1_750_000_000_000;

    fn site() -> SiteId {
        SiteId::from_bits(5)
    }

    fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    fn wid14(secret: &[u8], json: &str) -> String {
        let hex: String = hmac(secret, json.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}.{hex}", STANDARD.encode(json))
    }

    fn jwt(secret: &[u8], header: &str, json: &str) -> String {
        let plain = |bytes: &[u8]| URL_SAFE.encode(bytes).replace('=', "");
        let signed = format!("{}.{}", plain(header.as_bytes()), plain(json.as_bytes()));
        let signature = plain(&hmac(secret, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn payload(site_key: &str, exp_offset: i64) -> String {
        let exp = (NOW_MS / 1_000).saturating_add_signed(exp_offset);
        let iat = exp.saturating_sub(900);
        format!(
            r#"{{"site_key":"{site_key}","customer":{{"id":42,"email":"ana@example.com","name":"Ana"}},"iat":{iat},"exp":{exp}}}"#
        )
    }

    fn check(token: &str) -> Option<String> {
        prove(token, site(), [SECRET].into_iter(), NOW_MS)
            .ok()
            .map(|proved| proved.customer_id)
    }

    #[test]
    fn both_forms_prove_the_same_customer() {
        let token = wid14(SECRET, &payload(&site().to_string(), 300));
        let proved = prove(&token, site(), [&b"old"[..], SECRET].into_iter(), NOW_MS).unwrap();
        assert_eq!(proved.customer_id, "42");
        assert_eq!(proved.email.as_deref(), Some("ana@example.com"));
        assert_eq!(proved.name.as_deref(), Some("Ana"));
        let exp = NOW_MS / 1_000 + 60;
        let token = jwt(
            SECRET,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            &format!(r#"{{"sub":"42","email":"ana@example.com","exp":{exp}}}"#),
        );
        assert_eq!(check(&token).as_deref(), Some("42"));
    }

    #[test]
    fn a_minute_of_leeway_and_no_more() {
        let token = |offset| wid14(SECRET, &payload(&site().to_string(), offset));
        assert!(check(&token(-59)).is_some());
        assert!(check(&token(-60)).is_none());
        // Signed in the future: `iat` is 900 s before `exp`.
        assert!(check(&token(960)).is_some());
        assert!(check(&token(961)).is_none());
        assert!(check(&token(3 * 24 * 60 * 60)).is_none());
    }

    #[test]
    fn a_token_of_another_site_or_secret_proves_nothing() {
        let other = SiteId::from_bits(6).to_string();
        assert!(check(&wid14(SECRET, &payload(&other, 300))).is_none());
        assert!(check(&wid14(b"guess", &payload(&site().to_string(), 300))).is_none());
        let no_site = payload("x", 300).replace(r#""site_key":"x","#, "");
        assert!(check(&wid14(SECRET, &no_site)).is_none());
    }

    #[test]
    fn a_token_does_not_choose_its_algorithm() {
        let exp = NOW_MS / 1_000 + 60;
        let json = format!(r#"{{"sub":"42","exp":{exp}}}"#);
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"RS256"}"#,
            "{}",
        ] {
            assert!(check(&jwt(SECRET, header, &json)).is_none(), "{header}");
        }
    }

    #[test]
    fn a_changed_token_is_refused_wherever_it_was_changed() {
        let token = wid14(SECRET, &payload(&site().to_string(), 300));
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).unwrap();
            // A base 64 text may end in bits that mean nothing; all others matter.
            if STANDARD.decode(changed.split('.').next().unwrap()).ok()
                != STANDARD.decode(token.split('.').next().unwrap()).ok()
                || changed.split('.').nth(1) != token.split('.').nth(1)
            {
                assert!(check(&changed).is_none(), "{index}");
            }
        }
        for bad in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", &"a".repeat(5_000)] {
            assert!(check(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_customer_without_a_usable_id_is_nobody() {
        let exp = NOW_MS / 1_000 + 60;
        for sub in [r#""""#, r#""  ""#, r#""a\u0000""#, "null", "[]"] {
            let json = format!(r#"{{"sub":{sub},"exp":{exp}}}"#);
            assert!(check(&jwt(SECRET, r#"{"alg":"HS256"}"#, &json)).is_none());
        }
    }
}
