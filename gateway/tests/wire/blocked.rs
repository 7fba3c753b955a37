//! Blocked addresses: who comes from one can neither connect nor ask, whoever he is and however he comes; who
//! is connected is sent away; and nobody locks himself out without saying so.

use gateway::GatewayConfig;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::stack::{Answer, PAGE, PASSWORD, Socket, Stack};

/// Where the owner sits.
const OFFICE: (&str, &str) = ("x-forwarded-for", "192.0.2.1");
/// How a connection of a blocked address ends.
const REVOKED: Option<u16> = Some(4203);

/// Behind a proxy that is trusted and says who asks.
async fn stack() -> Stack {
    Stack::with(|config: &mut GatewayConfig| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await
}

async fn owner(stack: &Stack, method: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", stack.secret);
    let json = ("content-type", "application/json");
    let headers = [("authorization", bearer.as_str()), OFFICE, json];
    let body = serde_json::to_vec(body).unwrap();
    stack.request(method, path, &headers, &body).await
}

async fn block(stack: &Stack, network: &str) -> String {
    let body = json!({"network": network, "reason": "spam"});
    let answer = owner(stack, "POST", "/api/v1/blocked-addresses", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// A visitor's socket or a member's, from an address; whether it is let in is still open.
async fn knocks(stack: &Stack, origin: &str, from: &str, token: &str) -> Socket {
    let headers = [("origin", origin), ("x-forwarded-for", from)];
    let socket = TcpSocket::new_v4().unwrap();
    let mut socket = stack.open_with(socket, &headers).await;
    socket.hello(json!({"token": token})).await;
    socket
}

async fn enters(stack: &Stack, origin: &str, from: &str, token: &str) -> Socket {
    let mut socket = knocks(stack, origin, from, token).await;
    socket.until("welcome").await;
    socket
}

#[tokio::test]
async fn who_is_blocked_is_sent_away_and_refused_at_every_door() {
    let stack = stack().await;
    let own = stack.own_origin();
    let (visitor, member) = (stack.visitor_token().await, stack.agent_token().await);
    for (network, inside, outside) in [
        ("203.0.113.0/24", "203.0.113.77", "203.0.114.77"),
        ("2001:db8::/32", "2001:db8:1::7", "2001:db9::7"),
    ] {
        let mut connected = [
            enters(&stack, PAGE, inside, &visitor).await,
            enters(&stack, &own, inside, &member).await,
        ];
        let mut spared = enters(&stack, PAGE, outside, &visitor).await;
        let id = block(&stack, network).await;
        for socket in &mut connected {
            assert_eq!(socket.end().await, REVOKED, "{network}");
        }
        for (origin, token) in [(PAGE, &visitor), (own.as_str(), &member)] {
            let mut socket = knocks(&stack, origin, inside, token).await;
            assert_eq!(socket.until("error").await["problem"]["code"], "blocked");
            assert_eq!(socket.end().await, REVOKED, "{network}");
        }
        let from = ("x-forwarded-for", inside);
        let bearer = format!("Bearer {visitor}");
        let headers = [("origin", PAGE), ("authorization", bearer.as_str()), from];
        let history = stack.get("/api/v1/visitor/history", &headers).await;
        assert_eq!((history.status, history.code().as_str()), (403, "blocked"));
        let bearer = format!("Bearer {}", stack.secret);
        let headers = [("authorization", bearer.as_str()), from];
        let team = stack.get("/api/v1/conversations", &headers).await;
        assert_eq!((team.status, team.code().as_str()), (403, "blocked"));
        let asked = json!({"site_key": stack.site});
        let path = "/api/v1/visitor/session";
        let session = stack.post(path, &[("origin", PAGE), from], &asked).await;
        assert_eq!((session.status, session.code().as_str()), (403, "blocked"));
        // Who is elsewhere was not disturbed.
        spared
            .says("still-here", json!({"do": "send_message", "body": "hello"}))
            .await;
        spared.until("ack").await;
        let path = format!("/api/v1/blocked-addresses/{id}");
        assert_eq!(
            owner(&stack, "DELETE", &path, &Value::Null).await.status,
            204
        );
        enters(&stack, PAGE, inside, &visitor).await;
    }
}

#[tokio::test]
async fn the_right_password_from_a_blocked_address_is_a_wrong_one() {
    let stack = stack().await;
    block(&stack, "203.0.113.77").await;
    let login = json!({"email": "owner@example.com", "password": PASSWORD});
    let wrong = json!({"email": "owner@example.com", "password": "not the password"});
    let from = [("x-forwarded-for", "203.0.113.77")];
    let refused = stack.post("/api/v1/login", &from, &login).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (401, "wrong_credentials")
    );
    let guessed = stack.post("/api/v1/login", &from, &wrong).await;
    assert_eq!(guessed.body, refused.body);
    let failed = owner(&stack, "GET", "/api/v1/failed-logins", &Value::Null).await;
    assert_eq!(failed.json()["items"][1]["reason"], "blocked");
    assert_eq!(
        stack.post("/api/v1/login", &[OFFICE], &login).await.status,
        200
    );
}

#[tokio::test]
async fn nobody_locks_himself_out_unasked() {
    let stack = stack().await;
    let path = "/api/v1/blocked-addresses";
    let refusal = async |body: Value| {
        let answer = owner(&stack, "POST", path, &body).await;
        let field = answer.json()["field"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (answer.status, answer.code(), field)
    };
    let refused =
        |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    let own = refused(422, "invalid", "including_me");
    for network in [
        "192.0.2.1",
        "192.0.2.0/24",
        "0.0.0.0/0",
        "::/0",
        "::ffff:192.0.2.1",
    ] {
        assert_eq!(refusal(json!({"network": network})).await, own, "{network}");
    }
    for network in [
        "",
        "example.com",
        "203.0.113.0/33",
        "203.0.113",
        "2001:db8::/129",
    ] {
        let wrong = refused(422, "invalid", "network");
        assert_eq!(
            refusal(json!({"network": network})).await,
            wrong,
            "{network}"
        );
    }
    let long = format!("{}::1", " ".repeat(protocol::limit::NETWORK_BYTES_MAX));
    assert_eq!(
        refusal(json!({"network": long})).await,
        refused(422, "too_long", "network")
    );
    block(&stack, "203.0.113.9/24").await;
    let again = refused(409, "already_exists", "network");
    assert_eq!(refusal(json!({"network": "203.0.113.0/24"})).await, again);
    // Who asks for it gets it.
    let asked = json!({"network": "192.0.2.1", "including_me": true});
    assert_eq!(owner(&stack, "POST", path, &asked).await.status, 201);
    assert_eq!(
        owner(&stack, "GET", path, &Value::Null).await.code(),
        "blocked"
    );
}

#[tokio::test]
async fn what_a_stranger_says_of_himself_blocks_nobody_and_saves_nobody() {
    let stack = Stack::start().await;
    let bearer = format!("Bearer {}", stack.secret);
    let team = ("authorization", bearer.as_str());
    // He is where his socket is, whatever he says.
    for (network, status) in [("203.0.113.77", 201), ("127.0.0.1", 422)] {
        let headers = [team, OFFICE];
        let body = json!({"network": network});
        let answer = stack
            .post("/api/v1/blocked-addresses", &headers, &body)
            .await;
        assert_eq!(answer.status, status, "{network}");
    }
    let lying = [team, ("x-forwarded-for", "203.0.113.77")];
    assert_eq!(stack.get("/api/v1/conversations", &lying).await.status, 200);
}
