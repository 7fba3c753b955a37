//! Signed identities, as a site's own server makes them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use protocol::id::SiteId;
use serde_json::json;
use sha2::Sha256;

/// How long an identity is good for, in seconds.
const LIFE_S: u64 = 900;

fn signature(secret: &str, text: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("a key of any length is a key for HMAC");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// An identity in the form of WID-14.
#[must_use]
pub fn identity(secret: &str, site_key: SiteId, customer: &str, now_ms: u64) -> String {
    let claims = json!({
        "site_key": site_key,
        "customer": { "id": customer, "email": format!("{customer}@example.com"), "name": customer },
        "iat": now_ms / 1_000,
        "exp": now_ms / 1_000 + LIFE_S,
    });
    sealed(secret, claims.to_string().as_bytes())
}

/// Whatever it is, in the form of WID-14.
#[must_use]
pub fn sealed(secret: &str, claims: &[u8]) -> String {
    let signature = signature(secret, claims);
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}.{hex}", STANDARD.encode(claims))
}

/// An identity as a JSON Web Token, with whatever algorithm its head names.
#[must_use]
pub fn web_token(secret: &str, algorithm: &str, customer: &str, exp_s: u64) -> String {
    let head = json!({ "alg": algorithm, "typ": "JWT" }).to_string();
    let claims = json!({ "sub": customer, "name": customer, "exp": exp_s }).to_string();
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(head),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = signature(secret, text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
