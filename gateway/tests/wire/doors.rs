//! Doors: sessions of visitors, CSRF, CORS, files of the apps, and what no visitor may ever see.

use serde_json::{Value, json};

use crate::stack::{PAGE, Stack};

fn bearer(token: &Value) -> String {
    format!("Bearer {}", token.as_str().unwrap())
}

#[tokio::test]
async fn a_session_is_begun_by_pages_of_the_site_only() {
    let stack = Stack::start().await;
    let door = "/api/v1/visitor/session";
    let body = json!({"site_key": stack.site});
    let check = async |origin: Option<&str>, body: &Value, status: u16, code: &str| {
        let headers: Vec<_> = origin
            .map(|origin| ("origin", origin))
            .into_iter()
            .collect();
        let answer = stack.post(door, &headers, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{origin:?}"
        );
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    };
    check(None, &body, 403, "origin_refused").await;
    check(Some("https://evil.example"), &body, 403, "origin_refused").await;
    check(
        Some("http://localhost.evil.example"),
        &body,
        403,
        "origin_refused",
    )
    .await;
    let unknown = json!({"site_key": "site_00000000000000000000000000"});
    check(Some(PAGE), &unknown, 404, "unknown_site").await;
    let own = stack.own_origin();
    for origin in [PAGE, "http://127.0.0.1:1", own.as_str()] {
        let answer = stack.post(door, &[("origin", origin)], &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        assert!(
            !answer
                .headers
                .contains_key("access-control-allow-credentials")
        );
    }
    for (content_type, body) in [("text/plain", "{}"), ("application/json", "{")] {
        let headers = [("origin", PAGE), ("content-type", content_type)];
        let answer = stack.request("POST", door, &headers, body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed"));
    }
}

#[tokio::test]
async fn the_origins_of_a_site_count_as_soon_as_they_are_set() {
    const WITH: &str = "https://www.example.com";
    const WITHOUT: &str = "https://example.com";
    let stack = Stack::start().await;
    let body = json!({"site_key": stack.site});
    let site = format!("/api/v1/sites/{}", stack.site);
    for allowed in [&[WITH][..], &[WITHOUT], &[WITH, WITHOUT], &[]] {
        stack
            .change(&site, &json!({"allowed_origins": allowed}))
            .await;
        for origin in [WITH, WITHOUT] {
            let answer = stack
                .post("/api/v1/visitor/session", &[("origin", origin)], &body)
                .await;
            let status = if allowed.contains(&origin) { 200 } else { 403 };
            assert_eq!(answer.status, status, "{origin} where {allowed:?} may");
        }
    }
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_harm() {
    let stack = Stack::start().await;
    let panel = format!("/widget/panel?site={}", stack.site);
    for path in [
        "/console/",
        "/demo/",
        "/widget.js",
        &panel,
        "/api/v1/me",
        "/api/docs/",
        "/healthz",
        "/no/such/page",
    ] {
        let answer = stack.get(path, &[]).await;
        let says = |name: &str| answer.headers.get(name).map_or("", String::as_str);
        assert_eq!(says("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(says("referrer-policy"), "no-referrer", "{path}");
        assert!(
            says("cross-origin-opener-policy").starts_with("same-origin"),
            "{path}"
        );
        let policy = says("content-security-policy");
        assert!(policy.contains("frame-ancestors "), "{path}: {policy}");
        for unused in ["camera", "microphone", "geolocation", "payment", "usb"] {
            let permissions = says("permissions-policy");
            assert!(
                permissions.contains(&format!("{unused}=()")),
                "{path}: {permissions}"
            );
        }
    }
}

#[tokio::test]
async fn two_origins_are_none_and_a_target_that_nobody_can_read_is_named() {
    let stack = Stack::start().await;
    let (own, cookie) = (
        stack.own_origin(),
        format!("switchboard_session={}", stack.secret),
    );
    let of_a_page = [("origin", PAGE), ("origin", "https://evil.example")];
    let of_ours = [
        ("cookie", cookie.as_str()),
        ("switchboard-csrf", "1"),
        ("origin", own.as_str()),
        ("origin", PAGE),
    ];
    let no_text = [("origin", "https://b\u{fc}cher.example")];
    let socket = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "switchboard.v1"),
        ("origin", PAGE),
        ("origin", PAGE),
    ];
    let session = "/api/v1/visitor/session";
    let body = json!({"site_key": stack.site});
    for (answer, field) in [
        (stack.post(session, &of_a_page, &body).await, "origin"),
        (stack.post(session, &no_text, &body).await, "origin"),
        (
            stack
                .post("/api/v1/socket-token", &of_ours, &json!({}))
                .await,
            "origin",
        ),
        (stack.get("/api/v1/socket", &socket).await, "origin"),
        (stack.get("/demo/?site=<", &[]).await, "target"),
    ] {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "malformed"),
            "{answer:?}"
        );
        assert_eq!(answer.json()["field"], field);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn a_browser_goes_on_as_the_same_visitor_until_it_logs_out() {
    let stack = Stack::start().await;
    let first = stack.session(json!({})).await;
    let again = stack.session(json!({"token": first["token"]})).await;
    assert_eq!(first["visitor_id"], again["visitor_id"]);
    let garbage = stack.session(json!({"token": "v1.x.y"})).await;
    assert_ne!(first["visitor_id"], garbage["visitor_id"]);
    let fresh = stack
        .session(json!({"token": first["token"], "fresh": true}))
        .await;
    assert_ne!(first["visitor_id"], fresh["visitor_id"]);
    let old = bearer(&first["token"]);
    let answer = stack
        .get("/api/v1/visitor/history", &[("authorization", &old)])
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "unauthenticated")
    );
    let after = stack.session(json!({"token": first["token"]})).await;
    assert_ne!(first["visitor_id"], after["visitor_id"]);
}

#[tokio::test]
async fn a_cookie_changes_nothing_without_our_page_and_its_mark() {
    let stack = Stack::start().await;
    let cookie = format!("switchboard_session={}", stack.secret);
    let own = stack.own_origin();
    let check = async |headers: &[(&str, &str)], status: u16, code: &str| {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        let answer = stack.post("/api/v1/socket-token", &all, &json!({})).await;
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
        if status >= 400 {
            assert_eq!(answer.code(), code);
        }
    };
    check(&[], 403, "origin_refused").await;
    check(&[("switchboard-csrf", "1")], 403, "origin_refused").await;
    check(
        &[("origin", PAGE), ("switchboard-csrf", "1")],
        403,
        "origin_refused",
    )
    .await;
    check(&[("origin", &own)], 403, "forbidden").await;
    check(&[("origin", &own), ("switchboard-csrf", "1")], 200, "").await;
    check(
        &[("sec-fetch-site", "same-origin"), ("switchboard-csrf", "1")],
        200,
        "",
    )
    .await;
    let read = stack.get("/api/v1/me", &[("cookie", &cookie)]).await;
    assert_eq!(read.status, 200);
    assert_eq!(stack.get("/api/v1/me", &[]).await.code(), "unauthenticated");
}

#[tokio::test]
async fn preflights_are_for_the_doors_of_pages() {
    let stack = Stack::start().await;
    let headers = [("origin", PAGE), ("access-control-request-method", "POST")];
    let answer = stack
        .request("OPTIONS", "/api/v1/frames", &headers, b"")
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
    assert!(answer.headers["access-control-allow-headers"].contains("switchboard-file-name"));
    let answer = stack
        .request("OPTIONS", "/api/v1/login", &headers, b"")
        .await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn files_of_the_apps_say_who_may_use_them() {
    let stack = Stack::start().await;
    let loader = stack.get("/widget.js", &[]).await;
    assert_eq!(
        (loader.status, loader.body.as_slice()),
        (200, &b"loader()"[..])
    );
    assert_eq!(
        loader.headers["cross-origin-resource-policy"],
        "cross-origin"
    );
    assert_eq!(loader.headers["cache-control"], "public, max-age=300");
    let tag = loader.headers["etag"].clone();
    let again = stack.get("/widget.js", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let asset = stack.get("/widget/assets/panel-1a2b.js", &[]).await;
    assert!(asset.headers["cache-control"].contains("immutable"));
    let panel = stack
        .get(&format!("/widget/panel?site={}", stack.site), &[])
        .await;
    let policy = &panel.headers["content-security-policy"];
    assert!(
        policy.contains("frame-ancestors 'self' http://localhost:*"),
        "{policy}"
    );
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    assert!(!panel.headers.contains_key("x-frame-options"));
    let unknown = stack.get("/widget/panel?site=site_x", &[]).await;
    assert!(unknown.headers["content-security-policy"].ends_with("frame-ancestors 'none'"));
    for path in ["/console/", "/console/inbox/cnv_1", "/console/settings"] {
        let page = stack.get(path, &[]).await;
        assert_eq!(
            (page.status, page.body.as_slice()),
            (200, &b"<title>console</title>"[..])
        );
        assert!(page.headers["content-security-policy"].contains("frame-ancestors 'none'"));
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["cache-control"], "no-cache");
    }
    assert_eq!(stack.get("/console/assets/none.js", &[]).await.status, 404);
    let demo = stack.get("/demo/", &[]).await;
    assert_eq!(demo.body, format!("<p>{}</p>", stack.site).into_bytes());
    let other = "site_00000000000000000000000001";
    let demo = stack.get(&format!("/demo/?site={other}"), &[]).await;
    assert_eq!(demo.body, format!("<p>{other}</p>").into_bytes());
    let hostile = stack.get("/demo/?site=%3Cscript%3E", &[]).await;
    assert_eq!(hostile.status, 422);
    assert_eq!(
        stack.get("/demo/shop", &[]).await.headers["location"],
        "/demo/shop/"
    );
    for path in [
        "/demo/../secret.txt",
        "/demo/%2e%2e/%2e%2e/secret.txt",
        "/demo/..%2f..%2fsecret.txt",
        "/widget/assets/..%2f..%2f..%2fsecret.txt",
        "/console/assets/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.txt",
    ] {
        let answer = stack.get(path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn health_is_open_and_metrics_are_not() {
    let stack =
        Stack::with(|config| config.metrics.token = Some("for the monitor".to_owned())).await;
    assert_eq!(stack.get("/healthz", &[]).await.status, 200);
    assert_eq!(stack.get("/readyz", &[]).await.status, 200);
    assert_eq!(stack.get("/metrics", &[]).await.status, 401);
    let wrong = [("authorization", "Bearer for the monitoR")];
    assert_eq!(stack.get("/metrics", &wrong).await.status, 401);
    let right = [("authorization", "Bearer for the monitor")];
    let metrics = stack.get("/metrics", &right).await;
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("switchboard_http_requests_total "));
    stack.gateway.set_ready(false);
    assert_eq!(stack.get("/readyz", &[]).await.status, 503);
}
