//! Behind a proxy that ends TLS: who believes what it says, and what follows from it.

use gateway::GatewayConfig;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::stack::{Answer, PAGE, Stack};

const PUBLIC: &str = "https://chat.example.com";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy {
    Trusted,
    Unknown,
}

async fn stack(public: Option<&str>, proxy: Proxy) -> Stack {
    let public = public.map(str::to_owned);
    Stack::with(move |config: &mut GatewayConfig| {
        config.public_origin = public;
        config.metrics.token = Some("for the monitor".to_owned());
        if proxy == Proxy::Trusted {
            config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        }
    })
    .await
}

/// What a browser's page is answered, through a proxy that says this of its scheme.
async fn page(stack: &Stack, proto: Option<&str>, path: &str) -> Answer {
    let headers: Vec<_> = proto
        .map(|proto| ("x-forwarded-proto", proto))
        .into_iter()
        .collect();
    stack.get(path, &headers).await
}

/// Whether the cookie of a sign-in is one for encrypted lines alone.
async fn has_secure_cookie(stack: &Stack, proto: Option<&str>) -> bool {
    let headers: Vec<_> = proto
        .map(|proto| ("x-forwarded-proto", proto))
        .into_iter()
        .collect();
    let login = json!({"email": "owner@example.com", "password": crate::stack::PASSWORD});
    let answer = stack.post("/api/v1/login", &headers, &login).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = &answer.headers["set-cookie"];
    assert_eq!(
        cookie.contains("; Secure"),
        cookie.starts_with("__Host-"),
        "{cookie}"
    );
    cookie.contains("; Secure")
}

#[tokio::test]
async fn hsts_and_cookies_follow_what_is_known_of_the_browsers_side() {
    let (trusted, unknown) = (Proxy::Trusted, Proxy::Unknown);
    for (public, proxy, proto, is_encrypted) in [
        (None, trusted, Some("https"), true),
        (None, trusted, Some("HTTPS"), true),
        (None, trusted, Some("http"), false),
        (None, trusted, None, false),
        // Of several the nearest counts; what a client wrote before it does not.
        (None, trusted, Some("http, https"), true),
        (None, trusted, Some("https, http"), false),
        (None, unknown, Some("https"), false),
        (Some("http://chat.example.com"), unknown, None, false),
        (Some(PUBLIC), trusted, Some("https"), true),
        (Some(PUBLIC), trusted, None, true),
        (Some(PUBLIC), unknown, None, true),
        (Some(PUBLIC), unknown, Some("http"), true),
    ] {
        let stack = stack(public, proxy).await;
        for path in ["/console/", "/widget.js", "/api/v1/me", "/no/such/page"] {
            let answer = page(&stack, proto, path).await;
            assert_ne!(answer.status, 308, "{public:?} {proxy:?} {proto:?} {path}");
            let hsts = answer.headers.get("strict-transport-security");
            assert_eq!(
                hsts.is_some(),
                is_encrypted,
                "{public:?} {proxy:?} {proto:?} {path}"
            );
        }
        let is_secure = has_secure_cookie(&stack, proto).await;
        assert_eq!(is_secure, is_encrypted, "{public:?} {proxy:?} {proto:?}");
    }
}

#[tokio::test]
async fn who_asks_in_plain_text_is_sent_to_https_once_and_never_round() {
    let stack = stack(Some(PUBLIC), Proxy::Trusted).await;
    for path in [
        "/console/inbox?x=1",
        "/demo/",
        "/widget.js",
        "//evil.example/",
        "/api/v1/me",
    ] {
        let answer = page(&stack, Some("http"), path).await;
        let to = answer.headers.get("location").map(String::as_str);
        assert_eq!(
            (answer.status, to),
            (308, Some(format!("{PUBLIC}{path}").as_str()))
        );
        assert!(
            !answer.headers.contains_key("strict-transport-security"),
            "it would not count"
        );
        // There the proxy says https, or nothing at all.
        for proto in [Some("https"), None] {
            assert_ne!(page(&stack, proto, path).await.status, 308, "{path}");
        }
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = page(&stack, Some("http"), path).await;
        assert!([200, 401].contains(&answer.status), "{path} {answer:?}");
    }
    // A proxy behind the one that ended TLS says the wrong thing: the browser knows better.
    for mark in ["sec-fetch-mode", "sec-fetch-site"] {
        let headers = [("x-forwarded-proto", "http"), (mark, "navigate")];
        assert_eq!(stack.get("/console/", &headers).await.status, 200, "{mark}");
    }
    // What changes something is answered where it came.
    let headers = [("x-forwarded-proto", "http")];
    assert_eq!(
        stack
            .post("/api/v1/login", &headers, &json!({}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn nobody_is_sent_where_no_https_is_known() {
    for (public, proxy) in [
        (None, Proxy::Trusted),
        (Some("http://chat.example.com"), Proxy::Trusted),
        (Some(PUBLIC), Proxy::Unknown),
    ] {
        let stack = stack(public, proxy).await;
        let answer = page(&stack, Some("http"), "/console/").await;
        assert_eq!(answer.status, 200, "{public:?} {proxy:?}");
    }
}

/// Country and city, as the team sees them, of a visitor whose browser says a time zone and whose socket's request has
/// these headers.
async fn place(proxy: Proxy, time_zone: &str, headers: &[(&str, &str)]) -> [Value; 2] {
    let stack = Stack::with(|config: &mut GatewayConfig| {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb");
        config.geo.database = Some(file.into());
        config.geo.country_header = Some("cf-ipcountry".to_owned());
        config.geo.city_header = Some("cf-ipcity".to_owned());
        if proxy == Proxy::Trusted {
            config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        }
    })
    .await;
    let session = stack.session(json!({"time_zone": time_zone})).await;
    let headers = [&[("origin", PAGE)], headers].concat();
    let mut visitor = stack
        .open_with(TcpSocket::new_v4().unwrap(), &headers)
        .await;
    visitor.hello(json!({"token": session["token"]})).await;
    visitor.until("welcome").await;
    let mut agent = stack.agent().await;
    let watch = json!({"type": "watch", "view": "visitors", "filter": {}});
    agent.send(watch).await;
    loop {
        let news = agent.until_any(&["visitors", "visitor_changes"]).await;
        if let Some(row) = news["rows"].get(0) {
            let browser = &row["browser"];
            return [browser["country"].clone(), browser["city"].clone()];
        }
    }
}

#[tokio::test]
async fn a_visitors_place_is_what_a_trusted_proxy_says_or_the_files_or_his_time_zones() {
    let from = ("x-forwarded-for", "192.0.2.1");
    let (country, city) = (("cf-ipcountry", "BR"), ("cf-ipcity", "São Paulo"));
    for (proxy, zone, headers, wanted) in [
        // The file knows the address that a trusted proxy names.
        (
            Proxy::Trusted,
            "Europe/Ljubljana",
            &[from][..],
            [json!("AT"), json!("Vienna")],
        ),
        (
            Proxy::Trusted,
            "Europe/Ljubljana",
            &[from, country, city],
            [json!("BR"), json!("São Paulo")],
        ),
        // Of the address of whoever connects by himself nothing is known, here.
        (
            Proxy::Unknown,
            "Europe/Ljubljana",
            &[from, country, city],
            [json!("SI"), Value::Null],
        ),
        // As browsers say it still.
        (
            Proxy::Unknown,
            "Asia/Calcutta",
            &[],
            [json!("IN"), Value::Null],
        ),
        (Proxy::Unknown, "UTC", &[], [Value::Null, Value::Null]),
        (
            Proxy::Unknown,
            "Europe/Atlantis",
            &[],
            [Value::Null, Value::Null],
        ),
    ] {
        let found = place(proxy, zone, headers).await;
        assert_eq!(found, wanted, "{proxy:?} {zone} {headers:?}");
    }
}
