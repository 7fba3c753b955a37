//! Public keys of a site: added, shown, used and dropped over HTTP.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::house::{House, Person, Trust, id_in};
use crate::wire::{Answer, Call};

const PEM: &str = include_str!("../identity/public.pem");
/// What `openssl pkey -pubin -in public.pem -outform der | sha256sum` says of it.
const FINGERPRINT: &str = "dc5196960dcf2ccc550527edc58524006dcf5b6b0a384263e83d3da9627e4b6a";

/// The site's own server, with a pair of keys.
struct Shop {
    pair: EcdsaKeyPair,
    site: String,
}

impl Shop {
    async fn open(house: &House, owner: &Person) -> Self {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self {
            pair: EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap(),
            site: house.site(owner).await,
        }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])})
    }

    fn token(&self, house: &House, customer: &str) -> String {
        let now_s = house.world.clock.now_ms() / 1_000;
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!(
            "{}.{}",
            part(json!({"alg": "ES256", "typ": "JWT"})),
            part(json!({"sub": customer, "aud": self.site, "iat": now_s, "exp": now_s + 900})),
        );
        let signature = self
            .pair
            .sign(&SystemRandom::new(), text.as_bytes())
            .unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn keys(&self) -> String {
        format!("/sites/{}/identity-keys", self.site)
    }

    async fn session(&self, house: &House, token: &str) -> Answer {
        let body = json!({"site_key": self.site, "identity": token});
        let call = Call::post("/visitor/session", &body);
        house
            .ask(call.header("origin", "https://shop.example.com"))
            .await
    }
}

fn key(text: impl ToString) -> Value {
    json!({"public_key": text.to_string()})
}

#[tokio::test]
async fn a_visitor_is_proved_by_the_sites_public_key_for_as_long_as_it_is_there() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let shop = Shop::open(&house, &owner).await;
    let before = shop.session(&house, &shop.token(&house, "42")).await;
    assert_eq!(
        (before.code().as_str(), before.field().as_str()),
        ("identity_invalid", "signature")
    );
    let made = house
        .as_(&owner, Call::post(&shop.keys(), &key(shop.jwk())))
        .await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let session = shop.session(&house, &shop.token(&house, "42")).await.good();
    assert_eq!(session["identified"], true);
    let path = format!("{}/{}", shop.keys(), id_in(&made, "id"));
    assert_eq!(house.as_(&owner, Call::delete(&path)).await.status, 204);
    assert_eq!(house.as_(&owner, Call::delete(&path)).await.status, 404);
    let after = shop.session(&house, &shop.token(&house, "42")).await;
    assert_eq!(
        (after.status, after.code().as_str()),
        (401, "identity_invalid")
    );
}

#[tokio::test]
async fn a_newer_key_takes_the_place_of_the_others_after_a_day() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let shop = Shop::open(&house, &owner).await;
    let first = house
        .as_(&owner, Call::post(&shop.keys(), &key(shop.jwk())))
        .await;
    assert_eq!(first.good()["expires_at_ms"], Value::Null);
    let body = json!({"public_key": PEM, "replace": true});
    let second = house
        .as_(&owner, Call::post(&shop.keys(), &body))
        .await
        .good();
    assert_eq!(second["fingerprint"], FINGERPRINT);
    let listed = house.as_(&owner, Call::get(&shop.keys())).await.good();
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    let old = listed.iter().find(|row| row["id"] != second["id"]).unwrap();
    let lives_ms =
        old["expires_at_ms"].as_u64().unwrap() - second["created_at_ms"].as_u64().unwrap();
    assert_eq!(lives_ms, 24 * 60 * 60 * 1_000);
    assert_eq!(
        shop.session(&house, &shop.token(&house, "42")).await.good()["identified"],
        true
    );
}

#[tokio::test]
async fn what_is_no_public_key_of_the_curve_is_refused_and_nothing_is_kept() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let shop = Shop::open(&house, &owner).await;
    let with = |name: &str, value: Value| {
        let mut jwk = shop.jwk();
        jwk[name] = value;
        key(jwk)
    };
    let pem = |kind: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        key(format!(
            "-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n"
        ))
    };
    let lines: String = PEM.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(lines).unwrap();
    let off_curve = [&der[..90], &[der[90] ^ 1]].concat();
    for (body, code) in [
        (key(""), "invalid"),
        (key("-----BEGIN PUBLIC KEY-----"), "invalid"),
        (key("{}"), "invalid"),
        (key("ssh-ed25519 AAAA"), "invalid"),
        (key(format!("{PEM}{PEM}")), "invalid"),
        (key("x".repeat(4_097)), "too_long"),
        (pem("PRIVATE KEY", &der), "invalid"),
        (pem("EC PRIVATE KEY", &der), "invalid"),
        (pem("CERTIFICATE", &der), "invalid"),
        (pem("PUBLIC KEY", &der[..90]), "invalid"),
        (pem("PUBLIC KEY", &[&der[..], &[0]].concat()), "invalid"),
        (pem("PUBLIC KEY", &off_curve), "invalid"),
        (with("d", json!("AAAA")), "invalid"),
        (with("kty", json!("RSA")), "invalid"),
        (with("crv", json!("P-384")), "invalid"),
        (with("crv", json!("secp256k1")), "invalid"),
        (with("alg", json!("ES384")), "invalid"),
        (with("use", json!("enc")), "invalid"),
        (with("key_ops", json!(["deriveKey"])), "invalid"),
        (with("x", json!("AAAA")), "invalid"),
        (with("y", shop.jwk()["x"].clone()), "invalid"),
        (
            key(shop.jwk().to_string().replacen('{', "{\"kty\":\"EC\",", 1)),
            "invalid",
        ),
    ] {
        let answer = house.as_(&owner, Call::post(&shop.keys(), &body)).await;
        let told = (answer.code(), answer.field());
        assert_eq!(told, (code.to_owned(), "public_key".to_owned()), "{body}");
    }
    let listed = house.as_(&owner, Call::get(&shop.keys())).await.good();
    assert_eq!(listed["items"], json!([]));
    let shown = house.as_(&owner, Call::get("/audit")).await.good();
    assert!(!shown.to_string().contains("identity_key"));
}

#[tokio::test]
async fn a_key_stands_once_and_only_admins_may_add_it() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let shop = Shop::open(&house, &owner).await;
    let agent = house.member(&owner, "bob@example.com", "agent").await;
    let admin = house.member(&owner, "ana@example.com", "admin").await;
    for call in [Call::get(&shop.keys()), Call::post(&shop.keys(), &key(PEM))] {
        assert_eq!(house.as_(&agent, call).await.code(), "forbidden");
    }
    house
        .as_(&admin, Call::post(&shop.keys(), &key(PEM)))
        .await
        .good();
    let twice = house.as_(&owner, Call::post(&shop.keys(), &key(PEM))).await;
    assert_eq!(
        (twice.status, twice.code().as_str()),
        (409, "already_exists")
    );
    for _ in 1..10 {
        let other = Shop::open(&house, &owner).await;
        house
            .as_(&owner, Call::post(&shop.keys(), &key(other.jwk())))
            .await
            .good();
    }
    let many = house
        .as_(&owner, Call::post(&shop.keys(), &key(shop.jwk())))
        .await;
    assert_eq!((many.status, many.code().as_str()), (422, "too_many"));
    let foreigner = house.foreigner().await;
    for call in [
        Call::get(&shop.keys()),
        Call::post(&shop.keys(), &key(shop.jwk())),
    ] {
        assert_eq!(house.as_(&foreigner, call).await.code(), "not_found");
    }
    let line = &house.as_(&owner, Call::get("/audit")).await.good()["items"][0];
    assert_eq!(line["action"], "site.identity_key_added");
}
