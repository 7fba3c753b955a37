//! Limits, each crossed.

use gateway::config::Rate;
use serde_json::json;

use crate::stack::{PAGE, Stack};

#[tokio::test]
async fn a_key_has_sixty_requests_a_minute() {
    let stack = Stack::start().await;
    let new = json!({"name": "reports", "scopes": ["conversations.read"]});
    let made = stack.as_owner("/api/v1/keys", &new).await;
    assert!(made.status < 300, "{made:?}");
    let bearer = format!("Bearer {}", made.json()["key"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    for _ in 0..60 {
        let answer = stack
            .get("/api/v1/conversations?filter=all", &headers)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let answer = stack
        .get("/api/v1/conversations?filter=all", &headers)
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "rate_limited")
    );
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    // What the key may not do it is not allowed, limit or not.
    let other = stack.get("/api/v1/audit", &headers).await;
    assert!(other.status == 403 || other.status == 429);
}

#[tokio::test]
async fn an_address_is_that_of_the_socket_unless_a_trusted_proxy_says_otherwise() {
    let stack = Stack::with(|config| {
        config.limits.address_requests = Rate::new(1, 3);
    })
    .await;
    let ask = async |forwarded: &str| {
        let headers = [("x-forwarded-for", forwarded)];
        stack.get("/api/v1/setup", &headers).await.status
    };
    // Signing in took one of three.
    assert_eq!(ask("1.1.1.1").await, 200);
    assert_eq!(ask("2.2.2.2").await, 200);
    assert_eq!(ask("3.3.3.3").await, 429);
    let stack = Stack::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.limits.address_requests = Rate::new(1, 1);
    })
    .await;
    let ask = async |forwarded: &str| {
        let headers = [("x-forwarded-for", forwarded)];
        stack.get("/api/v1/setup", &headers).await.status
    };
    assert_eq!(ask("1.1.1.1").await, 200);
    assert_eq!(ask("1.1.1.1").await, 429);
    assert_eq!(ask("2.2.2.2").await, 200);
    // What the client wrote himself stands before what the proxy wrote.
    assert_eq!(ask("9.9.9.9, 1.1.1.1").await, 429);
}

#[tokio::test]
async fn a_flood_of_frames_is_refused_and_then_ended() {
    let stack = Stack::with(|config| {
        config.limits.connection_frames = Rate::new(1, 5);
    })
    .await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    for _ in 0..120 {
        socket.send(json!({"type": "beat"})).await;
    }
    let refused = socket.until("error").await;
    assert_eq!(refused["problem"]["code"], "rate_limited");
    assert!(refused["problem"]["retry_after_ms"].as_u64().is_some());
    assert_eq!(socket.end().await, Some(4204));
}

#[tokio::test]
async fn a_site_and_a_visitor_have_their_rates_too() {
    let stack = Stack::with(|config| {
        config.limits.site_sessions = Rate::new(1, 2);
        config.limits.visitor_requests = Rate::new(1, 2);
    })
    .await;
    let token = stack.visitor_token().await;
    stack.visitor_token().await;
    let body = json!({"site_key": stack.site});
    let answer = stack
        .post("/api/v1/visitor/session", &[("origin", PAGE)], &body)
        .await;
    assert_eq!(answer.code(), "rate_limited");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    for _ in 0..2 {
        assert_eq!(
            stack.get("/api/v1/visitor/history", &headers).await.status,
            200
        );
    }
    assert_eq!(
        stack.get("/api/v1/visitor/history", &headers).await.status,
        429
    );
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let stack = Stack::with(|config| {
        config.limits.connections_per_address_max = 1;
    })
    .await;
    let token = stack.visitor_token().await;
    let _first = stack.visitor(&token).await;
    let body = json!({"hello": {"token": token}, "wait_ms": 0});
    let answer = stack
        .post("/api/v1/stream", &[("origin", PAGE)], &body)
        .await;
    assert_eq!(answer.code(), "rate_limited");
}
