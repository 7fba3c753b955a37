//! Signed identity over the wire: who a browser is from then on, and what a token of before is worth.

use gateway::identity::{SiteKeys, prove};
use hmac::{Hmac, KeyInit, Mac};
use protocol::limit;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stack::{Answer, PAGE, Stack};

/// A site's own server, which vouches for its customers.
struct Shop<'a> {
    stack: &'a Stack,
    secret: String,
}

impl<'a> Shop<'a> {
    async fn of(stack: &'a Stack) -> Self {
        let door = format!("/api/v1/sites/{}/secrets", stack.site);
        let made = stack.as_owner(&door, &json!({})).await;
        assert!(made.status < 300, "{made:?}");
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        Self { stack, secret }
    }

    fn vouch(&self, customer: &str) -> String {
        self.vouch_at_length(customer, "")
    }

    /// With so much in it that is skipped.
    fn vouch_at_length(&self, customer: &str, more: &str) -> String {
        use base64::Engine;
        let now_s = self.stack.world.clock.now_ms() / 1_000;
        let json = json!({"site_key": self.stack.site, "iat": now_s, "exp": now_s + 900, "more": more,
            "customer": {"id": customer, "email": format!("{customer}@example.com"), "name": customer}})
        .to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(json.as_bytes());
        let hex: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let json = base64::engine::general_purpose::STANDARD.encode(json);
        format!("{json}.{hex}")
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Asks at a door with a token.
pub(crate) async fn ask(
    stack: &Stack,
    method: &str,
    path: &str,
    token: &Value,
    body: &str,
) -> Answer {
    let bearer = format!("Bearer {}", text(token));
    let headers = [
        ("authorization", bearer.as_str()),
        ("origin", PAGE),
        ("content-type", "application/json"),
    ];
    stack.request(method, path, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn a_signed_identity_never_takes_over_somebody_elses_visitor() {
    let stack = Stack::start().await;
    let shop = Shop::of(&stack).await;
    let ana = shop.vouch("ana");
    let keys = SiteKeys {
        secrets: vec![shop.secret.clone().into_bytes()],
        ..SiteKeys::default()
    };
    let site = stack.site.parse().unwrap();
    prove(&ana, site, &keys, stack.world.clock.now_ms()).unwrap();
    let anonymous = stack.session(json!({})).await;
    assert_eq!(anonymous["identified"], false);
    let first = stack
        .session(json!({"token": anonymous["token"], "identity": ana}))
        .await;
    assert_eq!(first["identified"], true);
    assert_eq!(first["visitor_id"], anonymous["visitor_id"]);
    // Whoever kept the token of before the sign-in does not become the person who signed in.
    let kept = stack.session(json!({"token": anonymous["token"]})).await;
    assert_eq!(kept["identified"], false);
    assert_ne!(kept["visitor_id"], first["visitor_id"]);
    let renewed = stack.session(json!({"token": first["token"]})).await;
    assert_eq!(renewed["visitor_id"], first["visitor_id"]);
    assert_eq!(renewed["identified"], true);
    let second = stack
        .session(json!({"token": first["token"], "identity": shop.vouch("bob")}))
        .await;
    assert_ne!(second["visitor_id"], first["visitor_id"]);
    let body = json!({"site_key": stack.site, "identity": ana.replace('a', "b")});
    let answer = stack
        .post("/api/v1/visitor/session", &[("origin", PAGE)], &body)
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "identity_invalid")
    );
}

/// The doors of the document that take a visitor's token, with the ids of a conversation and a file.
pub(crate) async fn visitors_doors(
    stack: &Stack,
    conversation: &str,
    file: &str,
) -> Vec<(String, String)> {
    let document = stack.get("/api/openapi.json", &[]).await.json();
    let mut doors = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let is_visitors = operation["security"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind.get("visitor").is_some()));
            if is_visitors {
                let id = if path.contains("attachments") {
                    file
                } else {
                    conversation
                };
                doors.push((method.to_uppercase(), path.replace("{id}", id)));
            }
        }
    }
    assert!(doors.len() >= 5, "{doors:?}");
    doors
}

#[tokio::test]
async fn a_token_from_before_the_proof_has_expired_at_every_door() {
    let stack = Stack::start().await;
    let shop = Shop::of(&stack).await;
    let before = stack.session(json!({})).await;
    let mut socket = stack.visitor(text(&before["token"])).await;
    let say = json!({"do": "send_message", "body": "who am I?"});
    socket.says("one", say.clone()).await;
    let ack = socket.until("ack").await;
    let conversation = text(&ack["conversation_id"]);
    let file = ask(
        &stack,
        "POST",
        "/api/v1/attachments",
        &before["token"],
        "{}",
    )
    .await;
    assert_eq!(file.status, 201, "{file:?}");
    let file = file.json()["id"].as_str().unwrap().to_owned();
    let doors = visitors_doors(&stack, conversation, &file).await;
    let identity = json!({"token": before["token"], "identity": shop.vouch("ana")});
    let proved = stack.session(identity).await;
    assert_eq!(proved["visitor_id"], before["visitor_id"]);
    assert_eq!(socket.end().await, Some(4101));

    let files = stack.file_count();
    let message = json!({"type": "command", "client_id": "two", "command": say}).to_string();
    for (method, path) in &doors {
        let stale = ask(&stack, method, path, &before["token"], &message).await;
        assert_eq!(
            (stale.status, stale.code().as_str()),
            (401, "token_expired"),
            "{method} {path}"
        );
    }
    for wait_ms in [json!(null), json!(0)] {
        let hello = json!({"hello": {"token": before["token"]}, "wait_ms": wait_ms});
        let answer = stack.post("/api/v1/stream", &[("origin", PAGE)], &hello);
        let answer = answer.await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "token_expired")
        );
    }
    let mut late = stack.open(Some(PAGE)).await;
    late.hello(json!({"token": before["token"]})).await;
    let told = late.until("error").await;
    assert_eq!(told["problem"]["code"], "token_expired");
    assert_eq!(late.end().await, Some(4100));
    // A browser that asks for a session with it begins anew.
    let kept = stack.session(json!({"token": before["token"]})).await;
    assert_ne!(kept["visitor_id"], proved["visitor_id"]);

    // Nothing was stored, and the person's own token opens what was his.
    assert_eq!(stack.file_count(), files);
    let path = format!("/api/v1/visitor/conversations/{conversation}/entries");
    let entries = ask(&stack, "GET", &path, &proved["token"], "").await;
    assert_eq!(entries.json()["entries"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/attachments/{file}");
    assert_eq!(
        ask(&stack, "GET", &path, &proved["token"], "").await.status,
        200
    );
}

#[tokio::test]
async fn a_person_stays_who_he_is_when_his_contact_is_merged_into_another() {
    let stack = Stack::start().await;
    let shop = Shop::of(&stack).await;
    let ana = stack.session(json!({"identity": shop.vouch("ana")})).await;
    let other = stack
        .session(json!({"identity": shop.vouch("ana-mail")}))
        .await;
    let contact = async |session: &Value| {
        let path = format!("/api/v1/visitors/{}", text(&session["visitor_id"]));
        let bearer = format!("Bearer {}", stack.secret);
        let row = stack.get(&path, &[("authorization", &bearer)]).await.json();
        text(&row["contact_id"]).to_owned()
    };
    let (from, into) = (contact(&ana).await, contact(&other).await);
    let path = format!("/api/v1/contacts/{from}/merge");
    let merged = stack.as_owner(&path, &json!({"into_id": into})).await;
    assert!(merged.status < 300, "{merged:?}");
    // The token of before names the contact of before; it is the same person's.
    let history = ask(&stack, "GET", "/api/v1/visitor/history", &ana["token"], "").await;
    assert_eq!(history.status, 200, "{history:?}");
    let renewed = stack.session(json!({"token": ana["token"]})).await;
    assert_eq!(renewed["visitor_id"], ana["visitor_id"]);
    assert_eq!(renewed["identified"], true);
}

#[tokio::test]
async fn an_identity_token_over_the_limit_proves_nothing() {
    let stack = Stack::start().await;
    let shop = Shop::of(&stack).await;
    // Four characters carry three bytes: the longest that fits, and the next one.
    let empty = shop.vouch_at_length("ana", "").len();
    let more = (limit::IDENTITY_TOKEN_BYTES_MAX - empty) / 4 * 3;
    let (fits, over) = ("x".repeat(more), "x".repeat(more + 3));
    let (fits, over) = (
        shop.vouch_at_length("ana", &fits),
        shop.vouch_at_length("ana", &over),
    );
    assert!(
        fits.len() <= limit::IDENTITY_TOKEN_BYTES_MAX,
        "{}",
        fits.len()
    );
    assert!(
        over.len() > limit::IDENTITY_TOKEN_BYTES_MAX,
        "{}",
        over.len()
    );
    let body = json!({"site_key": stack.site, "identity": over});
    let door = "/api/v1/visitor/session";
    let refused = stack.post(door, &[("origin", PAGE)], &body).await;
    assert_eq!(
        (
            refused.status,
            refused.code().as_str(),
            &refused.json()["field"]
        ),
        (401, "identity_invalid", &json!("token"))
    );
    let taken = stack.session(json!({"identity": fits})).await;
    assert_eq!(taken["identified"], true);
}
