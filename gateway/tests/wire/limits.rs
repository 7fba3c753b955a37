//! Limits, each crossed.

use std::time::Duration;

use gateway::config::Rate;
use gateway::metric::Metric;
use protocol::limit;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::stack::{PAGE, Socket, Stack};

/// A new key with scopes, as the header that carries it.
async fn key(stack: &Stack, scopes: &[&str]) -> String {
    let new = json!({"name": "reports", "scopes": scopes});
    let made = stack.as_owner("/api/v1/keys", &new).await;
    assert!(made.status < 300, "{made:?}");
    format!("Bearer {}", made.json()["key"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_has_its_requests_and_is_told_when_to_come_back() {
    let stack = Stack::with(|config| {
        config.limits.key_requests = Rate::new(1, 3);
    })
    .await;
    let bearer = key(&stack, &["conversations.read"]).await;
    let headers = [("authorization", bearer.as_str())];
    for _ in 0..3 {
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
    let wait: u64 = answer.headers["retry-after"].parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Each key counts for itself; what it may not do it is not allowed, limit or not.
    let other = key(&stack, &["conversations.read"]).await;
    let answer = stack
        .get("/api/v1/audit", &[("authorization", other.as_str())])
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
}

#[tokio::test]
async fn nobody_guesses_the_token_of_the_metrics() {
    let stack = Stack::with(|config| {
        config.metrics.token = Some("right".to_owned());
        config.limits.metrics_requests = Rate::new(1, 3);
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let ask = async |from: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-forwarded-for", from),
        ];
        stack.get("/metrics", &headers).await.status
    };
    for guess in ["a", "b", "c"] {
        assert_eq!(ask("1.1.1.1", guess).await, 401);
    }
    for guess in ["d", "right"] {
        assert_eq!(ask("1.1.1.1", guess).await, 429, "the right one too");
    }
    assert_eq!(ask("2.2.2.2", "right").await, 200);
}

#[tokio::test]
async fn new_connections_of_an_address_have_a_rate() {
    let stack = Stack::with(|config| {
        config.limits.address_connections = Rate::new(1, 2);
    })
    .await;
    let token = stack.visitor_token().await;
    let _first = stack.visitor(&token).await;
    let _second = stack.visitor(&token).await;
    let path = "/api/v1/socket";
    let headers = [
        ("origin", PAGE),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "switchboard.v1"),
    ];
    let answer = stack.get(path, &headers).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "rate_limited")
    );
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn a_visitor_has_the_rate_of_messages_that_his_workspace_sets() {
    let stack = Stack::with(|_| {}).await;
    let settings = |rate: u32| {
        json!({"settings": {
            "session_timeout_ms": 1_800_000, "active_threshold_ms": 90_000, "anonymize_addresses": false,
            "respect_do_not_track": false, "messages_per_minute": rate, "sessions_per_minute": null,
            "visitor_refresh_ms": 0,
        }})
    };
    let (mut ana, mut bob) = (
        stack.visitor(&stack.visitor_token().await).await,
        stack.visitor(&stack.visitor_token().await).await,
    );
    stack.change("/api/v1/workspace", &settings(2)).await;
    // It counts within two seconds, and those who are there hear of it.
    while ana.until("config").await["respect_do_not_track"] == true {}
    let say = |text: &str| json!({"do": "send_message", "body": text});
    for n in 1..=2 {
        ana.says(&format!("a-{n}"), say("hello")).await;
        ana.until("ack").await;
    }
    ana.says("a-3", say("more")).await;
    let refused = ana.until("rejected").await;
    assert_eq!(refused["client_id"], "a-3");
    assert_eq!(refused["problem"]["code"], "rate_limited");
    assert!(refused["problem"]["retry_after_ms"].as_u64().unwrap() <= 30_000);
    bob.says("b-1", say("hello")).await;
    bob.until("ack").await;
}

#[tokio::test]
async fn a_site_sets_its_own_rate_below_the_servers() {
    let stack = Stack::with(|_| {}).await;
    let site = format!("/api/v1/sites/{}", stack.site);
    let begin = async || {
        let body = json!({"site_key": stack.site});
        stack
            .post("/api/v1/visitor/session", &[("origin", PAGE)], &body)
            .await
    };
    let overrides = json!({"sessions_per_minute": 2, "respect_do_not_track": false});
    stack.change(&site, &json!({"overrides": overrides})).await;
    // What was changed counts within two seconds; from then on the rate does.
    let mut last = begin().await;
    while last.status == 200 && last.json()["config"]["respect_do_not_track"] == true {
        last = begin().await;
    }
    assert_eq!(last.status, 200, "the rate begins with the setting");
    let mut refused = begin().await;
    for _ in 0..2 {
        if refused.status == 200 {
            refused = begin().await;
        }
    }
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "rate_limited")
    );
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    // Another site of the same workspace is as the workspace says.
    let new = json!({"name": "Blog", "allowed_origins": ["loopback"]});
    let blog = stack.as_owner("/api/v1/sites", &new).await.json();
    let body = json!({"site_key": blog["id"]});
    for _ in 0..4 {
        let answer = stack
            .post("/api/v1/visitor/session", &[("origin", PAGE)], &body)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["config"]["respect_do_not_track"], true);
    }
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
async fn traces_have_rates_of_their_own_and_stop_nobody_from_writing() {
    let stack = Stack::with(|config| {
        config.limits.visitor_traces = Rate::new(1, 2);
        config.limits.site_traces = Rate::new(1, 3);
        config.limits.visitor_requests = Rate::new(1, 1);
        config.metrics.token = Some("right".to_owned());
    })
    .await;
    let mut ana = stack.visitor(&stack.visitor_token().await).await;
    let track = json!({"type": "track", "name": "scrolled", "properties": {}});
    let page = json!({"type": "page", "url": "https://shop.example/b", "title": "B"});
    ana.send(page.clone()).await;
    ana.send(track.clone()).await;
    ana.send(track.clone()).await;
    let refused = ana.until("error").await;
    assert_eq!(refused["problem"]["code"], "rate_limited");
    assert!(refused["problem"]["retry_after_ms"].as_u64().is_some());
    ana.send(page.clone()).await;
    assert_eq!(ana.until("error").await["problem"]["code"], "rate_limited");
    ana.send(json!({
        "type": "command", "client_id": "c1", "command": {"do": "send_message", "body": "hello"},
    }))
    .await;
    ana.until("ack").await;
    // Another visitor has an allowance of his own, and the site one for all.
    let mut bob = stack.visitor(&stack.visitor_token().await).await;
    bob.send(page).await;
    bob.send(track.clone()).await;
    assert_eq!(bob.until("error").await["problem"]["code"], "rate_limited");
    let headers = [("authorization", "Bearer right")];
    let metrics = stack.get("/metrics", &headers).await;
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(
        text.contains("switchboard_traces_refused_total 3\n"),
        "{text}"
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

#[tokio::test]
async fn all_together_have_so_many_connections() {
    let stack = Stack::with(|config| {
        config.limits.connections_max = 1;
        config.limits.trusted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let token = stack.visitor_token().await;
    let _first = stack.visitor(&token).await;
    let body = json!({"hello": {"token": token}, "wait_ms": 0});
    let answer = stack
        .post("/api/v1/stream", &[("origin", PAGE)], &body)
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "unavailable")
    );
    // What needs no lasting connection goes on.
    assert_eq!(stack.get("/healthz", &[]).await.status, 200);
}

fn say(body: &str) -> Value {
    json!({"do": "send_message", "body": body})
}

/// What the server answered to commands, by their client ids, until each had an answer.
async fn answers(socket: &mut Socket, count: usize) -> Vec<(String, Option<u64>)> {
    let mut answers = Vec::new();
    while answers.len() < count {
        let answer = socket.until_any(&["ack", "rejected"]).await;
        let id = answer["client_id"].as_str().unwrap().to_owned();
        if answer["type"] == "rejected" {
            let problem = &answer["problem"];
            assert_eq!(problem["retry"], "later", "{answer}");
            // When the store is back, nobody knows.
            let is_open = problem["code"] == "unavailable";
            assert!(is_open || problem["retry_after_ms"].is_u64(), "{answer}");
        }
        answers.push((id, answer["number"].as_u64()));
    }
    answers
}

#[tokio::test]
async fn who_writes_faster_than_allowed_is_slowed_down_and_stays_in_order() {
    let stack = Stack::with(|config| {
        config.limits.visitor_requests = Rate::new(1_200, 5);
        config.limits.connection_frames = Rate::new(2_400, 20);
    })
    .await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    // All at once, at many times the rate.
    for number in 1..=60 {
        socket
            .says(&format!("line-{number}"), say(&number.to_string()))
            .await;
    }
    let expected: Vec<_> = (1..=60)
        .map(|number| (format!("line-{number}"), Some(number)))
        .collect();
    assert_eq!(answers(&mut socket, 60).await, expected);
    let metrics = stack.gateway.metrics();
    assert_eq!(metrics.get(Metric::RateLimited), 0);
}

#[tokio::test]
async fn what_is_said_at_once_is_answered_and_heard_in_order() {
    let stack = Stack::with(|config| {
        config.limits.visitor_requests = Rate::new(60_000, 1_000);
        config.limits.connection_frames = Rate::new(60_000, 1_000);
    })
    .await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    socket.says("line-1", say("1")).await;
    let id = socket.until("ack").await["conversation_id"].clone();
    let follow = json!({"token": token, "resume": [{"conversation_id": id}]});
    let mut tab = stack.join(Some(PAGE), follow).await;
    tab.until("entries").await;
    for number in 2..=30 {
        let name = format!("line-{number}");
        socket.says(&name, say(&number.to_string())).await;
    }
    let expected: Vec<_> = (2..=30)
        .map(|number| (format!("line-{number}"), Some(number)))
        .collect();
    assert_eq!(answers(&mut socket, 29).await, expected);
    for number in 2..=30_u64 {
        let entry = tab.until("entry").await["entry"].clone();
        assert_eq!(entry["number"], number);
        assert_eq!(entry["content"]["message"]["body"], number.to_string());
    }
}

#[tokio::test]
async fn a_command_that_would_wait_too_long_for_its_rate_is_refused() {
    // So few a minute that the next may come just after the longest wait is over.
    let per_minute = u32::try_from(60_000 / limit::PACE_MS_MAX).unwrap() - 1;
    let stack = Stack::with_own_time_and(|config| {
        config.limits.visitor_requests = Rate::new(per_minute, 1);
    })
    .await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    socket.says("a", say("a")).await;
    assert_eq!(answers(&mut socket, 1).await, [("a".to_owned(), Some(1))]);
    // No time passes: who would wait, waited for ever.
    socket.says("b", say("b")).await;
    let problem = socket.until("rejected").await["problem"].clone();
    assert_eq!(problem["code"], "rate_limited");
    let wait_ms = problem["retry_after_ms"].as_u64().unwrap();
    assert!(wait_ms > limit::PACE_MS_MAX, "{wait_ms}");
}

#[tokio::test]
async fn a_visitors_words_can_be_changed_for_a_while() {
    let stack = Stack::with_own_time().await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    socket.says("a", say("helo")).await;
    let ack = socket.until("ack").await;
    let edit = |body: &str| {
        json!({"do": "edit_message", "conversation_id": ack["conversation_id"],
            "entry_id": ack["entry_id"], "body": body})
    };
    let window = Duration::from_millis(limit::VISITOR_EDIT_WINDOW_MS);
    // Nobody was heard for so long, so he comes back.
    stack.world.clock.advance(window);
    let mut socket = stack.visitor(&token).await;
    socket.says("b", edit("hello")).await;
    socket.until("ack").await;
    stack.world.clock.advance(Duration::from_millis(1));
    socket.says("c", edit("bye")).await;
    let refused = socket.until("rejected").await;
    assert_eq!(refused["problem"]["code"], "edit_window_over");
}

#[tokio::test]
async fn a_closed_conversation_is_not_put_off() {
    let stack = Stack::start().await;
    let mut visitor = stack.visitor(&stack.visitor_token().await).await;
    visitor.says("a", say("hello")).await;
    let id = visitor.until("ack").await["conversation_id"].clone();
    let mut agent = stack.agent().await;
    agent
        .says("close", json!({"do": "close", "conversation_id": id}))
        .await;
    agent.until("ack").await;
    let until_ms = stack.world.clock.now_ms() + 60_000;
    let snooze = json!({"do": "snooze", "conversation_id": id, "until_ms": until_ms});
    agent.says("snooze", snooze).await;
    let refused = agent.until("rejected").await;
    assert_eq!(refused["problem"]["code"], "conversation_state");
}

#[tokio::test]
async fn nothing_overtakes_a_command_that_was_refused_for_its_rate() {
    let stack = Stack::with_own_time_and(|config| {
        config.limits.visitor_requests = Rate::new(2, 2);
    })
    .await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    for id in ["a", "b", "c", "d"] {
        socket.says(id, say(id)).await;
    }
    let refused = |id: &str| (id.to_owned(), None);
    let stored = |id: &str, number| (id.to_owned(), Some(number));
    let told = answers(&mut socket, 4).await;
    assert_eq!(
        told,
        [stored("a", 1), stored("b", 2), refused("c"), refused("d")]
    );
    // There is room for one now, but not for the one that came second.
    stack.world.clock.advance(Duration::from_secs(31));
    socket.says("d", say("d")).await;
    assert_eq!(answers(&mut socket, 1).await, [refused("d")]);
    socket.says("c", say("c")).await;
    assert_eq!(answers(&mut socket, 1).await, [stored("c", 3)]);
    stack.world.clock.advance(Duration::from_secs(31));
    socket.says("d", say("d")).await;
    assert_eq!(answers(&mut socket, 1).await, [stored("d", 4)]);
}

#[tokio::test]
async fn who_never_sends_a_refused_command_again_is_sent_away_and_begins_anew() {
    let stack = Stack::with_own_time_and(|config| {
        config.limits.visitor_requests = Rate::new(2, 1);
    })
    .await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    for id in ["a", "b"] {
        socket.says(id, say(id)).await;
    }
    let told = answers(&mut socket, 2).await;
    assert_eq!(told, [("a".to_owned(), Some(1)), ("b".to_owned(), None)]);
    stack.world.clock.advance(Duration::from_secs(41));
    socket.says("c", say("c")).await;
    assert_eq!(socket.end().await, Some(4003));
    let mut socket = stack.visitor(&token).await;
    assert_eq!(stored(&mut socket, "c").await, 2);
}

/// Sends a command until it is stored. Gives its number.
async fn stored(socket: &mut Socket, id: &str) -> u64 {
    loop {
        socket.says(id, say(id)).await;
        if let [(_, Some(number))] = answers(socket, 1).await[..] {
            return number;
        }
    }
}

#[tokio::test]
async fn nothing_overtakes_a_command_that_could_not_be_stored() {
    let stack = Stack::start().await;
    let mut socket = stack.visitor(&stack.visitor_token().await).await;
    assert_eq!(stored(&mut socket, "a").await, 1);
    stack.world.faults.fail("storage.commit", 0, 3);
    for id in ["b", "c", "d"] {
        socket.says(id, say(id)).await;
    }
    answers(&mut socket, 3).await;
    for (id, number) in [("b", 2), ("c", 3), ("d", 4)] {
        assert_eq!(stored(&mut socket, id).await, number);
    }
}

#[tokio::test]
async fn what_was_said_before_hanging_up_stays_in_order() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let mut socket = stack.visitor(&token).await;
    assert_eq!(stored(&mut socket, "a").await, 1);
    stack.world.faults.fail("storage.commit", 0, 3);
    for id in ["b", "c", "d"] {
        socket.says(id, say(id)).await;
    }
    socket.raw(Message::Close(None)).await;
    while stack.gateway.metrics().get(Metric::Connections) > 0 {
        tokio::task::yield_now().await;
    }
    let mut socket = stack.visitor(&token).await;
    for (id, number) in [("b", 2), ("c", 3), ("d", 4)] {
        assert_eq!(stored(&mut socket, id).await, number);
    }
}
