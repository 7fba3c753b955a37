//! Signed identity: what a site's own server says of its customer, proved by a key of the site.
//!
//! Two forms, told apart by their dots. WID-14: `base64(json).hex(HMAC-SHA256(json))`. A JSON Web Token
//! with `HS256`, checked by the site's secrets, or `ES256`, checked by its public keys, and no other
//! algorithm. A token names the kind of its signature, but each kind has keys of its own: none can be
//! taken for another. Clocks may differ by a minute. Any of the site's living keys will do, so that a
//! site can change over. What a token names besides (`kid`, `jku`, `iss`, …) decides nothing.

mod json;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use protocol::id::SiteId;
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::{Email, Name};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use sha2::Sha256;

/// How much the clocks of the site's server and ours may differ.
const LEEWAY_MS: u64 = 60_000;

/// Base 64 with or without padding: servers write the form of WID-14 both ways.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a site's tokens are checked by.
#[derive(Debug, Clone, Default)]
pub struct SiteKeys {
    /// Secrets, for `HMAC-SHA256`.
    pub secrets: Vec<Vec<u8>>,
    /// Points of P-256, uncompressed, for `ES256`.
    pub public_keys: Vec<Vec<u8>>,
}

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

/// What is wrong with a token, by the part that is: told to whoever sent it, who knows the token anyway.
type Wrong = &'static str;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Hmac,
    Es256,
}

/// A token taken apart, nothing of it believed.
struct Token<'a> {
    algorithm: Algorithm,
    signed: std::borrow::Cow<'a, [u8]>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The head of a JSON Web Token (RFC 7515).
#[derive(Deserialize)]
struct Head {
    alg: String,
    typ: Option<String>,
    /// Whether it names things that the reader must understand. We know no such thing.
    #[serde(default, deserialize_with = "is_said")]
    crit: bool,
}

/// Whatever is said: `null` too.
fn is_said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[derive(Deserialize)]
struct Payload {
    site_key: Option<String>,
    aud: Option<Audience>,
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

/// Text or number: servers write ids both ways.
#[derive(Deserialize)]
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

/// Whom a token is for (RFC 7519, 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, site_key: &str) -> bool {
        match self {
            Self::One(name) => name == site_key,
            Self::Many(names) => names.iter().any(|name| name == site_key),
        }
    }
}

/// What a token proves.
///
/// # Errors
/// `identity_invalid`; `field` names the part that is wrong.
pub fn prove(
    token: &str,
    site_id: SiteId,
    keys: &SiteKeys,
    now_ms: u64,
) -> Result<Proved, Rejection> {
    proved(token, site_id, keys, now_ms)
        .map_err(|wrong| Rejection::of(ErrorCode::IdentityInvalid, wrong))
}

fn proved(token: &str, site_id: SiteId, keys: &SiteKeys, now_ms: u64) -> Result<Proved, Wrong> {
    let token = read(token)?;
    if !is_signed(&token, keys) {
        return Err("signature");
    }
    let payload: Payload = json::read(&token.payload).ok_or("payload")?;
    check_time(&payload, now_ms)?;
    check_site(&payload, token.algorithm, site_id)?;
    customer(payload)
}

fn read(token: &str) -> Result<Token<'_>, Wrong> {
    if token.len() > limit::IDENTITY_TOKEN_BYTES_MAX {
        return Err("token");
    }
    let parts: Vec<&str> = token.split('.').collect();
    match parts[..] {
        [payload, signature] => {
            let payload = STANDARD
                .decode(payload)
                .or_else(|_| URL_SAFE.decode(payload))
                .map_err(|_| "token")?;
            Ok(Token {
                algorithm: Algorithm::Hmac,
                signed: payload.clone().into(),
                payload,
                signature: from_hex(signature).ok_or("signature")?,
            })
        }
        [head, payload, signature] => {
            let signed = &token[..head.len() + 1 + payload.len()];
            let plain = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "token");
            Ok(Token {
                algorithm: algorithm(&plain(head)?)?,
                signed: signed.as_bytes().into(),
                payload: plain(payload)?,
                signature: plain(signature)?,
            })
        }
        _ => Err("token"),
    }
}

fn algorithm(head: &[u8]) -> Result<Algorithm, Wrong> {
    let head: Head = json::read(head).ok_or("token")?;
    if head.crit {
        return Err("crit");
    }
    if head.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err("typ");
    }
    match head.alg.as_str() {
        "HS256" => Ok(Algorithm::Hmac),
        "ES256" => Ok(Algorithm::Es256),
        _ => Err("alg"),
    }
}

/// Whether one of the site's keys of the token's kind signed it.
fn is_signed(token: &Token<'_>, keys: &SiteKeys) -> bool {
    match token.algorithm {
        // Compares in constant time.
        Algorithm::Hmac => keys.secrets.iter().any(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret)
                .expect("a key of any length is a key for HMAC");
            mac.update(&token.signed);
            mac.verify_slice(&token.signature).is_ok()
        }),
        Algorithm::Es256 => keys.public_keys.iter().any(|point| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(&token.signed, &token.signature)
                .is_ok()
        }),
    }
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

fn check_time(payload: &Payload, now_ms: u64) -> Result<(), Wrong> {
    let ms = |seconds: u64| seconds.saturating_mul(1_000);
    let latest_ms = now_ms.saturating_add(LEEWAY_MS);
    let exp_ms = ms(payload.exp);
    let is_over = exp_ms.saturating_add(LEEWAY_MS) <= now_ms;
    let lives_too_long = exp_ms > latest_ms.saturating_add(limit::IDENTITY_TOKEN_MS_MAX);
    if is_over || lives_too_long {
        return Err("exp");
    }
    if payload
        .iat
        .is_some_and(|iat| ms(iat) > latest_ms || iat > payload.exp)
    {
        return Err("iat");
    }
    if payload.nbf.is_some_and(|nbf| ms(nbf) > latest_ms) {
        return Err("nbf");
    }
    Ok(())
}

/// A token that names sites must name this one. Where the key may be good for more than this site, it
/// must name one: secrets are a site's own, but the form of WID-14 is often used with one secret for
/// all, and public keys are handed to many, of other systems too.
fn check_site(payload: &Payload, algorithm: Algorithm, site_id: SiteId) -> Result<(), Wrong> {
    let site_key = site_id.to_string();
    if payload
        .site_key
        .as_ref()
        .is_some_and(|key| *key != site_key)
    {
        return Err("site_key");
    }
    if payload
        .aud
        .as_ref()
        .is_some_and(|aud| !aud.names(&site_key))
    {
        return Err("aud");
    }
    let must_name = payload.customer.is_some() || algorithm == Algorithm::Es256;
    if must_name && payload.site_key.is_none() && payload.aud.is_none() {
        return Err(match algorithm {
            Algorithm::Hmac => "site_key",
            Algorithm::Es256 => "aud",
        });
    }
    Ok(())
}

fn customer(payload: Payload) -> Result<Proved, Wrong> {
    let sub = payload.sub.map(Word::into_text);
    let (customer_id, email, name) = match payload.customer {
        Some(customer) => {
            let id = customer.id.into_text();
            // Two names for one person: whichever we took, the other was meant as well.
            if sub.is_some_and(|sub| sub != id) {
                return Err("sub");
            }
            (id, customer.email, customer.name)
        }
        None => (sub.ok_or("customer")?, payload.email, payload.name),
    };
    if !Name::parse(&customer_id).is_ok_and(|id| id.as_str() == customer_id) {
        return Err("customer");
    }
    Ok(Proved {
        customer_id,
        email: within(email, limit::EMAIL_BYTES_MAX, "email")?
            .filter(|text| Email::parse(text).is_ok()),
        name: within(name, limit::NAME_BYTES_MAX, "name")?.filter(|text| Name::parse(text).is_ok()),
    })
}

/// A text over its limit is refused. One that says nothing usable is dropped by the caller: a customer
/// with an odd address in the site's books may still write.
fn within(text: Option<String>, bytes_max: usize, part: Wrong) -> Result<Option<String>, Wrong> {
    match text {
        Some(text) if text.len() > bytes_max => Err(part),
        other => Ok(other),
    }
}
