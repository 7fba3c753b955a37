//! Tokens good and bad, in tables: what each proves, or the part that is wrong with it.

use protocol::id::Id;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::*;

const SECRET: &[u8] = b"the secret of the site";
const NOW_S: u64 = 1_750_000_000;
const NOW_MS: u64 = NOW_S * 1_000;
const ES256: &str = r#"{"alg":"ES256","typ":"JWT"}"#;
const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A site with a secret and a public key, and whoever holds both halves.
struct Shop {
    pair: EcdsaKeyPair,
    keys: SiteKeys,
}

impl Shop {
    fn open() -> Self {
        let pair = pair();
        let keys = SiteKeys {
            secrets: vec![b"old".to_vec(), SECRET.to_vec()],
            public_keys: vec![point_of(&self::pair()), point_of(&pair)],
        };
        Self { pair, keys }
    }

    fn es256(&self, head: &str, json: &str) -> String {
        signed_by(&self.pair, head, json)
    }

    /// What a token proves: the customer, or the part that is wrong.
    fn check(&self, token: &str) -> Result<String, &'static str> {
        proved(token, site(), &self.keys, NOW_MS).map(|proved| proved.customer_id)
    }
}

fn pair() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap()
}

fn point_of(pair: &EcdsaKeyPair) -> Vec<u8> {
    pair.public_key().as_ref().to_vec()
}

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

fn unsigned(head: &str, json: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", part(head), part(json))
}

fn hs256(secret: &[u8], head: &str, json: &str) -> String {
    let text = unsigned(head, json);
    let signature = URL_SAFE_NO_PAD.encode(hmac(secret, text.as_bytes()));
    format!("{text}.{signature}")
}

fn signed_by(pair: &EcdsaKeyPair, head: &str, json: &str) -> String {
    let text = unsigned(head, json);
    let signature = pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Claims of a token of this site that lives until `exp_offset` seconds from now, and more besides.
fn claims(exp_offset: i64, more: &str) -> String {
    let exp = NOW_S.saturating_add_signed(exp_offset);
    let site = site();
    format!(r#"{{"sub":"42","aud":"{site}","exp":{exp}{more}}}"#)
}

/// The same in the form of WID-14.
fn customer(site_key: &str, exp_offset: i64) -> String {
    let exp = NOW_S.saturating_add_signed(exp_offset);
    let iat = exp.saturating_sub(900);
    format!(
        r#"{{"site_key":"{site_key}","customer":{{"id":42,"email":"ana@example.com","name":"Ana"}},"iat":{iat},"exp":{exp}}}"#
    )
}

#[test]
fn every_form_proves_the_same_customer() {
    let shop = Shop::open();
    let json = customer(&site().to_string(), 300);
    let more = r#","email":"ana@example.com","name":"Ana""#;
    for token in [
        wid14(SECRET, &json),
        hs256(SECRET, HS256, &json),
        shop.es256(ES256, &json),
        hs256(SECRET, r#"{"alg":"HS256"}"#, &claims(60, more)),
        shop.es256(r#"{"alg":"ES256","kid":"2","cty":"x"}"#, &claims(60, more)),
    ] {
        let proved = prove(&token, site(), &shop.keys, NOW_MS).unwrap();
        assert_eq!(proved.customer_id, "42");
        assert_eq!(proved.email.as_deref(), Some("ana@example.com"));
        assert_eq!(proved.name.as_deref(), Some("Ana"));
    }
}

#[test]
fn tokens_that_other_programs_made_are_good() {
    let pem = include_bytes!("../../tests/identity/public.pem");
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).unwrap();
    let keys = SiteKeys {
        secrets: Vec::new(),
        public_keys: vec![der.as_ref()[26..].to_vec()],
    };
    for token in [
        include_str!("../../tests/identity/node.jwt"),
        include_str!("../../tests/identity/openssl.jwt"),
    ] {
        let proved = prove(token, site(), &keys, NOW_MS).unwrap();
        assert_eq!(proved.customer_id, "42");
        assert_eq!(proved.email.as_deref(), Some("ana@example.com"));
        let late_ms = NOW_MS + 660_000;
        let refused = prove(token, site(), &keys, late_ms).unwrap_err();
        assert_eq!(refused, Rejection::of(ErrorCode::IdentityInvalid, "exp"));
        let strange = prove(token, site(), &Shop::open().keys, NOW_MS).unwrap_err();
        assert_eq!(strange.field.as_deref(), Some("signature"));
    }
}

#[test]
fn a_token_does_not_choose_how_it_is_checked() {
    let shop = Shop::open();
    let json = claims(60, "");
    for (head, wrong) in [
        (r#"{"alg":"none"}"#, "alg"),
        (r#"{"alg":"hs256"}"#, "alg"),
        (r#"{"alg":"HS512"}"#, "alg"),
        (r#"{"alg":"RS256"}"#, "alg"),
        (r#"{"alg":"ES384"}"#, "alg"),
        (r#"{"alg":"ES256","alg":"none"}"#, "token"),
        (r#"{"alg":"ES256","kid":"1","kid":"2"}"#, "token"),
        (r#"{"alg":["ES256"]}"#, "token"),
        (r#"{"alg":null}"#, "token"),
        ("{}", "token"),
        ("[]", "token"),
        ("", "token"),
        (r#"{"alg":"ES256","crit":["exp"]}"#, "crit"),
        (r#"{"alg":"ES256","crit":[]}"#, "crit"),
        (r#"{"alg":"ES256","crit":null}"#, "crit"),
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, "typ"),
        (r#"{"alg":"ES256","typ":7}"#, "token"),
    ] {
        assert_eq!(shop.check(&shop.es256(head, &json)), Err(wrong), "{head}");
        assert_eq!(
            shop.check(&hs256(SECRET, head, &json)),
            Err(if wrong == "alg" || wrong == "crit" || wrong == "typ" {
                wrong
            } else {
                "token"
            }),
            "{head}"
        );
    }
    let naked = format!("{}.", unsigned(r#"{"alg":"none"}"#, &json));
    assert_eq!(shop.check(&naked), Err("alg"));
}

#[test]
fn a_key_of_one_kind_is_none_of_the_other() {
    let shop = Shop::open();
    let json = claims(60, "");
    // Whoever knows the public key, as everybody may, signs with it as if it were a secret.
    let point = point_of(&shop.pair);
    let pem = include_bytes!("../../tests/identity/public.pem");
    for public in [point.as_slice(), &point[1..], pem] {
        assert_eq!(shop.check(&hs256(public, HS256, &json)), Err("signature"));
        assert_eq!(shop.check(&wid14(public, &json)), Err("signature"));
    }
    // The right signature under the other name.
    let swapped = |token: String, head: &str| {
        let (_, rest) = token.split_once('.').unwrap();
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(head))
    };
    let (hmac, curve) = (hs256(SECRET, HS256, &json), shop.es256(ES256, &json));
    assert_eq!(shop.check(&swapped(hmac, ES256)), Err("signature"));
    assert_eq!(shop.check(&swapped(curve, HS256)), Err("signature"));
    // A site without public keys takes no token of their kind, one without secrets none of theirs.
    let none = SiteKeys::default();
    for token in [hs256(SECRET, HS256, &json), shop.es256(ES256, &json)] {
        let refused = proved(&token, site(), &none, NOW_MS);
        assert_eq!(refused.unwrap_err(), "signature");
    }
}

#[test]
fn a_minute_of_leeway_and_no_more() {
    let shop = Shop::open();
    const DAY_S: i64 = 24 * 60 * 60;
    let now = |offset: i64| NOW_S.saturating_add_signed(offset);
    for (exp, more, wanted) in [
        (-59, String::new(), None),
        (-60, String::new(), Some("exp")),
        (DAY_S + 60, String::new(), None),
        (DAY_S + 61, String::new(), Some("exp")),
        (300, format!(r#","iat":{}"#, now(60)), None),
        (300, format!(r#","iat":{}"#, now(61)), Some("iat")),
        (30, format!(r#","iat":{}"#, now(31)), Some("iat")),
        (300, format!(r#","iat":{}"#, now(-DAY_S * 9)), None),
        (300, format!(r#","nbf":{}"#, now(60)), None),
        (300, format!(r#","nbf":{}"#, now(61)), Some("nbf")),
        (300, format!(r#","nbf":{0},"iat":{0}"#, now(-5)), None),
        (300, format!(r#","iat":{}"#, u64::MAX), Some("iat")),
        (300, r#","iat":-1"#.to_owned(), Some("payload")),
        (300, r#","iat":1750000000.5"#.to_owned(), Some("payload")),
        (300, r#","nbf":"1750000000""#.to_owned(), Some("payload")),
        (300, r#","exp":1750000300"#.to_owned(), Some("payload")),
    ] {
        let json = claims(exp, &more);
        let wanted = wanted.map_or(Ok("42".to_owned()), Err);
        assert_eq!(shop.check(&shop.es256(ES256, &json)), wanted, "{json}");
        assert_eq!(shop.check(&hs256(SECRET, HS256, &json)), wanted, "{json}");
        assert_eq!(shop.check(&wid14(SECRET, &json)), wanted, "{json}");
    }
    let endless = format!(r#"{{"sub":"42","aud":"{}"}}"#, site());
    assert_eq!(shop.check(&shop.es256(ES256, &endless)), Err("payload"));
}

#[test]
fn a_token_is_for_this_site_or_for_nobody_here() {
    let shop = Shop::open();
    let (here, there) = (site().to_string(), SiteId::from_bits(6).to_string());
    let both =
        |more: &str, by_key: Result<&str, &'static str>, by_secret: Result<&str, &'static str>| {
            let json = format!(r#"{{"sub":"42","exp":{}{more}}}"#, NOW_S + 60);
            let wanted = |who: Result<&str, &'static str>| who.map(str::to_owned);
            assert_eq!(
                shop.check(&shop.es256(ES256, &json)),
                wanted(by_key),
                "{json}"
            );
            assert_eq!(
                shop.check(&hs256(SECRET, HS256, &json)),
                wanted(by_secret),
                "{json}"
            );
        };
    both("", Err("aud"), Ok("42"));
    both(&format!(r#","aud":"{here}""#), Ok("42"), Ok("42"));
    both(&format!(r#","aud":["x","{here}"]"#), Ok("42"), Ok("42"));
    both(&format!(r#","site_key":"{here}""#), Ok("42"), Ok("42"));
    both(&format!(r#","aud":"{there}""#), Err("aud"), Err("aud"));
    both(r#","aud":[]"#, Err("aud"), Err("aud"));
    both(r#","aud":7"#, Err("payload"), Err("payload"));
    both(
        &format!(r#","site_key":"{there}""#),
        Err("site_key"),
        Err("site_key"),
    );
    both(
        &format!(r#","site_key":"{here}","aud":"{there}""#),
        Err("aud"),
        Err("aud"),
    );
    assert_eq!(
        shop.check(&wid14(SECRET, &customer(&there, 300))),
        Err("site_key")
    );
    let no_site = customer("x", 300).replace(r#""site_key":"x","#, "");
    assert_eq!(shop.check(&wid14(SECRET, &no_site)), Err("site_key"));
    assert_eq!(shop.check(&shop.es256(ES256, &no_site)), Err("aud"));
}

#[test]
fn a_token_of_another_hand_proves_nothing() {
    let shop = Shop::open();
    let json = customer(&site().to_string(), 300);
    assert_eq!(shop.check(&wid14(b"guess", &json)), Err("signature"));
    assert_eq!(shop.check(&hs256(b"", HS256, &json)), Err("signature"));
    assert_eq!(
        shop.check(&signed_by(&pair(), ES256, &json)),
        Err("signature")
    );
    // The key inside the token is whoever's who wrote it there.
    let own = pair();
    let x = URL_SAFE_NO_PAD.encode(&point_of(&own)[1..33]);
    let y = URL_SAFE_NO_PAD.encode(&point_of(&own)[33..]);
    let head =
        format!(r#"{{"alg":"ES256","jwk":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}}}"#);
    assert_eq!(shop.check(&signed_by(&own, &head, &json)), Err("signature"));
}

#[test]
fn a_changed_token_is_refused_wherever_it_was_changed() {
    let shop = Shop::open();
    let json = customer(&site().to_string(), 300);
    for token in [
        wid14(SECRET, &json),
        hs256(SECRET, HS256, &json),
        shop.es256(ES256, &json),
    ] {
        assert!(shop.check(&token).is_ok());
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(shop.check(&changed).is_err(), "{index} of {token}");
        }
        for end in [1, 2, token.len() / 2, token.len() - 1] {
            assert!(shop.check(&token[..end]).is_err());
            assert!(shop.check(&format!("{token}{}", &token[..end])).is_err());
        }
    }
    for bad in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", &"a".repeat(5_000)] {
        assert!(shop.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_signature_has_one_form() {
    let shop = Shop::open();
    let text = unsigned(ES256, &claims(60, ""));
    let raw = shop
        .pair
        .sign(&SystemRandom::new(), text.as_bytes())
        .unwrap();
    let with = |signature: &[u8]| format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert!(shop.check(&with(raw.as_ref())).is_ok());
    for bad in [
        &[][..],
        &[0; 64],
        &raw.as_ref()[..63],
        &[raw.as_ref(), &[0]].concat(),
        // ASN.1, as most libraries sign unless told otherwise: 0x30 …
        &[
            &[0x30, 0x44, 0x02, 0x20],
            &raw.as_ref()[..32],
            &[0x02, 0x20],
            &raw.as_ref()[32..],
        ]
        .concat(),
    ] {
        assert_eq!(shop.check(&with(bad)), Err("signature"));
    }
    // RFC 7515 has no padding.
    assert_eq!(
        shop.check(&format!("{}==", with(raw.as_ref()))),
        Err("token")
    );
}

#[test]
fn a_customer_without_a_usable_id_is_nobody() {
    let shop = Shop::open();
    let long = "x".repeat(limit::NAME_BYTES_MAX + 1);
    let exp = NOW_S + 60;
    let site = site();
    for (who, wrong) in [
        (r#""sub":"""#.to_owned(), "customer"),
        (r#""sub":"  ""#.to_owned(), "customer"),
        (r#""sub":" 42""#.to_owned(), "customer"),
        (r#""sub":"a\u0000""#.to_owned(), "customer"),
        (r#""sub":"a\u202e""#.to_owned(), "customer"),
        (format!(r#""sub":"{long}""#), "customer"),
        (r#""sub":null"#.to_owned(), "customer"),
        (r#""name":"Ana""#.to_owned(), "customer"),
        (r#""sub":[]"#.to_owned(), "payload"),
        (r#""sub":4.2"#.to_owned(), "payload"),
        (r#""sub":"1","sub":"2""#.to_owned(), "payload"),
        (r#""customer":{"id":"1","id":"2"}"#.to_owned(), "payload"),
        (r#""customer":{"email":"a@b.co"}"#.to_owned(), "payload"),
        (r#""customer":"42""#.to_owned(), "payload"),
        (r#""customer":{"id":"1"},"sub":"2""#.to_owned(), "sub"),
        (format!(r#""sub":"1","name":"{long}""#), "name"),
        (format!(r#""sub":"1","email":"{long}{long}@b.co""#), "email"),
        (r#""sub":"1","email":7"#.to_owned(), "payload"),
        (r#""sub":"1","other":{"a":1,"a":2}"#.to_owned(), "payload"),
    ] {
        let json = format!(r#"{{{who},"site_key":"{site}","exp":{exp}}}"#);
        assert_eq!(shop.check(&shop.es256(ES256, &json)), Err(wrong), "{json}");
        assert_eq!(
            shop.check(&hs256(SECRET, HS256, &json)),
            Err(wrong),
            "{json}"
        );
    }
}

#[test]
fn an_odd_name_or_address_in_the_books_keeps_nobody_out() {
    let shop = Shop::open();
    for more in [
        r#","email":"none","name":"  ""#,
        r#","email":"","name":"a\u202eb""#,
        r#","email":null,"name":null"#,
    ] {
        let token = shop.es256(ES256, &claims(60, more));
        let proved = prove(&token, site(), &shop.keys, NOW_MS).unwrap();
        assert_eq!((proved.email, proved.name), (None, None), "{more}");
    }
}

#[test]
fn a_token_nested_without_end_is_refused() {
    let shop = Shop::open();
    let deep = format!(r#","x":{}{}"#, "[".repeat(1_000), "]".repeat(1_000));
    assert_eq!(
        shop.check(&shop.es256(ES256, &claims(60, &deep))),
        Err("payload")
    );
}
