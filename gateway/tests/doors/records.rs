//! Records over HTTP: versions, roles, key scopes, lists, hostile values.

use protocol::limit::{
    CONSENT_BYTES_MAX, LAUNCHER_GAP_PX_MAX as GAP_MAX, LAUNCHER_TEXT_BYTES_MAX as TEXT_MAX,
    LOGO_BYTES_MAX, QUESTIONS_MAX,
};
use serde_json::{Value, json};

use crate::house::{House, Trust, id_in};
use crate::sweep::Ids;
use crate::wire::Call;

#[tokio::test]
async fn a_change_needs_the_version_it_is_based_on() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let path = format!("/sites/{}", house.site(&owner).await);
    let read = house.as_(&owner, Call::get(&path)).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    let body = json!({"description": "The shop"});
    let missing = house
        .as_(&owner, Call::new("PATCH", &path).json(&body))
        .await;
    assert_eq!((missing.status, missing.code().as_str()), (428, "invalid"));
    assert_eq!(missing.field(), "if_match");
    for wrong in ["1", "\"x\"", "W/\"1\"", "*", ""] {
        let call = Call::new("PATCH", &path)
            .header("if-match", wrong)
            .json(&body);
        let answer = house.as_(&owner, call).await;
        assert_eq!(
            (answer.status, answer.field().as_str()),
            (422, "if_match"),
            "{wrong}"
        );
    }
    let done = house.as_(&owner, Call::patch(&path, 1, &body)).await;
    assert_eq!((done.status, done.header("etag")), (200, Some("\"2\"")));
    let late = house
        .as_(&owner, Call::patch(&path, 1, &json!({"description": "x"})))
        .await;
    assert_eq!(
        (late.status, late.code().as_str()),
        (412, "version_conflict")
    );
    let now = house.as_(&owner, Call::get(&path)).await.good();
    assert_eq!(now["description"], "The shop");
}

#[tokio::test]
async fn a_role_cannot_be_raised_over_http() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let admin = house.member(&owner, "ana@example.com", "admin").await;
    let agent = house.member(&owner, "bob@example.com", "agent").await;
    let path = |person: &crate::house::Person| format!("/agents/{}", person.agent_id());
    for (by, target, body) in [
        (&agent, &agent, json!({"role": "owner"})),
        (&agent, &admin, json!({"deactivated": true})),
        (&admin, &admin, json!({"role": "owner"})),
        (&admin, &owner, json!({"role": "agent"})),
        (&admin, &owner, json!({"name": "Nobody"})),
    ] {
        let answer = house.as_(by, Call::patch(&path(target), 1, &body)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "forbidden"),
            "{body}"
        );
    }
    let invite = json!({"email": "eve@example.com", "role": "owner"});
    let invited = house.as_(&admin, Call::post("/invitations", &invite)).await;
    assert_eq!(invited.code(), "forbidden");
    let last = house
        .as_(
            &owner,
            Call::patch(&path(&owner), 1, &json!({"role": "agent"})),
        )
        .await;
    assert_eq!((last.status, last.code().as_str()), (409, "last_owner"));
    let off = json!({"deactivated": true});
    assert_eq!(
        house
            .as_(&owner, Call::patch(&path(&agent), 1, &off))
            .await
            .status,
        200
    );
    let out = house.as_(&agent, Call::get("/me")).await;
    assert_eq!((out.status, out.code().as_str()), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_nothing_else() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let key = house.key(&owner, &["conversations.read"]).await;
    let ask = |call: Call| house.ask(call.bearer(&key));
    for open in ["/conversations", "/sites", "/agents", "/workspace"] {
        assert_eq!(ask(Call::get(open)).await.status, 200, "{open}");
    }
    for closed in ["/keys", "/audit", "/failed-logins", "/invitations"] {
        let answer = ask(Call::get(closed)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "forbidden"),
            "{closed}"
        );
    }
    for personal in ["/me", "/sessions"] {
        assert_eq!(
            ask(Call::get(personal)).await.code(),
            "unauthenticated",
            "{personal}"
        );
    }
    assert_eq!(
        ask(Call::get("/conversations?filter=mine")).await.field(),
        "filter"
    );
    let site = json!({"name": "Blog", "allowed_origins": []});
    assert_eq!(ask(Call::post("/sites", &site)).await.code(), "forbidden");
    let wider = json!({"name": "wider", "scopes": ["owner"]});
    let admin = house.member(&owner, "ana@example.com", "admin").await;
    let refused = house.as_(&admin, Call::post("/keys", &wider)).await;
    assert_eq!(
        (refused.code().as_str(), refused.field().as_str()),
        ("forbidden", "scopes")
    );
    let keys = house.as_(&owner, Call::get("/keys")).await.good();
    assert!(keys["items"][0].get("key").is_none());
    let path = format!("/keys/{}", id_in(&keys["items"][0], "id"));
    assert_eq!(house.as_(&owner, Call::delete(&path)).await.status, 204);
    assert_eq!(
        ask(Call::get("/conversations")).await.code(),
        "unauthenticated"
    );
}

#[tokio::test]
async fn a_secret_is_shown_in_one_answer_only() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let path = format!("/sites/{}/secrets", house.site(&owner).await);
    let made = house.as_(&owner, Call::new("POST", &path)).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert!(id_in(&made, "secret").starts_with("sbi_"));
    let listed = house.as_(&owner, Call::get(&path)).await.good();
    let rows = listed["items"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row["kind"] == "identity")
        .collect();
    assert_eq!(rows.len(), 2);
    let other = Call::new("POST", &format!("{path}?kind=webhook"));
    let webhook = house.as_(&owner, other).await.json();
    assert!(id_in(&webhook, "secret").starts_with("sbw_"));
    let odd = Call::new("POST", &format!("{path}?kind=odd"));
    let refused = house.as_(&owner, odd).await;
    assert_eq!((refused.status, refused.field().as_str()), (422, "kind"));
    assert!(rows.iter().all(|row| row.get("secret").is_none()));
    let old = rows.iter().find(|row| row["id"] != made["id"]).unwrap();
    assert!(old["expires_at_ms"].is_u64());
    let drop = Call::delete(&format!("{path}/{}", id_in(old, "id")));
    assert_eq!(house.as_(&owner, drop).await.status, 204);
    let last = Call::delete(&format!("{path}/{}", id_in(&made, "id")));
    let refused = house.as_(&owner, last).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "out_of_order")
    );
}

#[tokio::test]
async fn hostile_values_are_refused_by_name_and_change_nothing() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let path = format!("/sites/{}", house.site(&owner).await);
    for (body, code, field) in looks().into_iter().chain([
        (json!({"name": "a\u{202e}b"}), "invalid", "name"),
        (json!({"name": "  "}), "empty", "name"),
        (json!({"name": "x".repeat(201)}), "too_long", "name"),
        (json!({"name": "nul\u{0}"}), "invalid", "name"),
        (
            json!({"allowed_origins": ["javascript:alert(1)"]}),
            "invalid",
            "allowed_origins",
        ),
        (
            json!({"allowed_origins": ["https://a.example/x"]}),
            "invalid",
            "allowed_origins",
        ),
        (
            json!({"allowed_origins": vec!["https://a.example"; 51]}),
            "too_many",
            "allowed_origins",
        ),
        (json!({"domain": "<script>"}), "invalid", "domain"),
        (
            json!({"description": "x".repeat(2_001)}),
            "too_long",
            "description",
        ),
        (
            json!({"reopen_within_ms": u64::MAX}),
            "invalid",
            "reopen_within_ms",
        ),
        (json!({"surprise": 1}), "invalid", "surprise"),
        (json!({"theme": {"surprise": 1}}), "invalid", "surprise"),
        (json!({"reopen_within_ms": -1}), "invalid", ""),
        (json!({"name": 7}), "malformed", ""),
    ]) {
        let answer = house.as_(&owner, Call::patch(&path, 1, &body)).await;
        assert_eq!(
            (answer.code().as_str(), answer.field().as_str()),
            (code, field),
            "{body}"
        );
    }
    let site = house.as_(&owner, Call::get(&path)).await.good();
    assert_eq!(site["version"], 1);
    // What only looks dangerous is a name like any other: it is text, and stays text.
    let body = json!({"name": "<script>alert(1)</script> & \"co\" עדי"});
    let named = house.as_(&owner, Call::patch(&path, 1, &body)).await;
    assert_eq!(named.header("content-type"), Some("application/json"));
    assert_eq!(named.good()["name"], body["name"]);
    let most = Call::patch(&path, 2, &launcher(GAP_MAX, TEXT_MAX));
    house.as_(&owner, most).await.good();
    let most = Call::patch(&path, 3, &asking(QUESTIONS_MAX, CONSENT_BYTES_MAX));
    house.as_(&owner, most).await.good();
}

/// A PNG of one point, small and whole.
pub(crate) const POINT: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

#[tokio::test]
async fn a_members_picture_is_seen_by_all_who_know_it_and_is_gone_with_the_next() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let agent = house.member(&owner, "bob@example.com", "agent").await;
    let path = format!("/agents/{}", agent.agent_id());
    let picture = |text: &str| json!({"picture": text});
    // One's own, or of whom one may change.
    let foreign = format!("/agents/{}", owner.agent_id());
    let foreign = Call::patch(&foreign, 1, &picture(POINT));
    assert_eq!(house.as_(&agent, foreign).await.code(), "forbidden");
    let set = house
        .as_(&agent, Call::patch(&path, 1, &picture(POINT)))
        .await;
    let first = id_in(&set.good(), "picture");
    let at = |id: &str| Call::get(&format!("/pictures/{id}"));
    let seen = house.ask(at(&first)).await;
    assert_eq!(
        (seen.status, seen.header("content-type")),
        (200, Some("image/png"))
    );
    let keep = Some("public, max-age=31536000, immutable");
    assert_eq!(
        (seen.header("cache-control"), seen.header("set-cookie")),
        (keep, None)
    );
    assert_eq!(seen.header("x-content-type-options"), Some("nosniff"));
    let sandbox = Some("default-src 'none'; sandbox");
    assert_eq!(seen.header("content-security-policy"), sandbox);
    for (bad, code) in [
        ("data:image/svg+xml;base64,PHN2Zz4=", "file_type"),
        (POINT.strip_suffix("YII=").unwrap(), "file_type"),
        (
            &format!("data:image/png;base64,{}", "A".repeat(44_000)),
            "too_large",
        ),
    ] {
        let refused = house
            .as_(&agent, Call::patch(&path, 2, &picture(bad)))
            .await;
        let refused = (refused.code(), refused.field());
        assert_eq!(refused, (code.to_owned(), "picture".to_owned()), "{bad}");
    }
    let next = house
        .as_(&owner, Call::patch(&path, 2, &picture(POINT)))
        .await;
    let next = id_in(&next.good(), "picture");
    assert_eq!(house.ask(at(&first)).await.status, 404);
    assert_eq!(house.ask(at(&next)).await.status, 200);
    let none = house
        .as_(&agent, Call::patch(&path, 3, &picture("")))
        .await
        .good();
    assert_eq!(none["picture"], Value::Null);
    assert_eq!(house.ask(at(&next)).await.status, 404);
    // What is not there is taken away without a word.
    let again = house
        .as_(&agent, Call::patch(&path, 4, &picture("")))
        .await
        .good();
    assert_eq!(again["version"], 4);
}

/// Looks that no site may have.
fn looks() -> [(Value, &'static str, &'static str); 7] {
    [
        (theme("red;}</style><script>"), "invalid", "color"),
        (
            launcher(GAP_MAX + 1, TEXT_MAX),
            "invalid",
            "launcher_gap_px",
        ),
        (launcher(GAP_MAX, TEXT_MAX + 1), "too_long", "launcher_text"),
        (
            pictured(&"x".repeat(LOGO_BYTES_MAX + 1)),
            "too_large",
            "logo",
        ),
        (pictured("data:image/svg+xml,<svg/>"), "file_type", "logo"),
        (
            asking(QUESTIONS_MAX + 1, CONSENT_BYTES_MAX),
            "too_many",
            "questions",
        ),
        (
            asking(QUESTIONS_MAX, CONSENT_BYTES_MAX + 1),
            "too_long",
            "consent",
        ),
    ]
}

fn pictured(logo: &str) -> Value {
    let mut change = theme("#0f4c5c");
    change["theme"]["logo"] = logo.into();
    change
}

fn asking(question_count: usize, consent_bytes: usize) -> Value {
    let mut change = theme("#0f4c5c");
    let ask =
        |index| json!({"name": format!("q{index}"), "label": "?", "kind": "flag", "needed": true});
    change["theme"]["questions"] = (0..question_count).map(ask).collect();
    change["theme"]["consent"] = "x".repeat(consent_bytes).into();
    change
}

fn theme(color: &str) -> Value {
    json!({"theme": {"color": color, "title": "", "logo": "",
        "greeting": "", "launcher_side": "end",
        "launcher_gap_px": 20, "launcher_text": "", "brightness": "system",
        "asks": {"name": "never", "email": "never", "phone": "never"}, "questions": [],
        "consent": "", "asks_email_later": false, "show_brand": true}})
}

fn launcher(gap_px: u16, text_bytes: usize) -> Value {
    let mut change = theme("#0f4c5c");
    change["theme"]["launcher_gap_px"] = gap_px.into();
    change["theme"]["launcher_text"] = "x".repeat(text_bytes).into();
    change
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_are_refused() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let json = |body: &str| {
        Call::new("POST", "/sites")
            .header("content-type", "application/json")
            .text(body)
    };
    for body in ["", "{", "[]", "null", "{\"name\":\"\\ud800\"}"] {
        assert_eq!(
            house.as_(&owner, json(body)).await.code(),
            "malformed",
            "{body}"
        );
    }
    let form = Call::new("POST", "/sites")
        .header("content-type", "text/plain")
        .text("{\"name\":\"x\",\"allowed_origins\":[]}");
    assert_eq!(house.as_(&owner, form).await.field(), "content-type");
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    let answer = house.as_(&owner, json(&large)).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let nowhere = house.as_(&owner, Call::get("/nothing")).await;
    assert_eq!(
        (nowhere.status, nowhere.code().as_str()),
        (404, "not_found")
    );
}

#[tokio::test]
async fn a_fault_of_ours_is_told_by_its_requests_id_and_by_nothing_else() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    house.spoils_sites(&owner).await;
    let answer = house.as_(&owner, Call::get("/sites")).await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        problem["request_id"].as_str(),
        answer.header("switchboard-request-id")
    );
    assert_eq!(problem["retry"], "later");
    for inner in ["spoilt", "theme", "json", "site"] {
        assert!(!answer.body.contains(inner), "{}", answer.body);
    }
}

#[tokio::test]
async fn lists_page_by_cursor_and_within_limits() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let path = format!("/sites/{}", house.site(&owner).await);
    for version in 1..=5 {
        let body = json!({"description": format!("take {version}")});
        house
            .as_(&owner, Call::patch(&path, version, &body))
            .await
            .good();
    }
    let whole = house.as_(&owner, Call::get("/audit")).await.good();
    let whole = whole["items"].as_array().unwrap().clone();
    let mut paged = Vec::new();
    let mut next = "/audit?limit=2".to_owned();
    loop {
        let page = house.as_(&owner, Call::get(&next)).await.good();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["cursor"].as_str() else {
            break;
        };
        next = format!("/audit?limit=2&cursor={cursor}");
    }
    assert_eq!(paged, whole);
    assert_eq!(whole[0]["action"], "site.changed");
    assert_eq!(whole[0]["address"], "127.0.0.1");
    for (query, code) in [
        ("limit=0", "invalid"),
        ("limit=101", "too_many"),
        ("limit=x", "invalid"),
        ("limit=-1", "invalid"),
        ("limit=", "invalid"),
        ("limit=99999999999999999999", "invalid"),
    ] {
        let answer = house
            .as_(&owner, Call::get(&format!("/audit?{query}")))
            .await;
        let told = (answer.code(), answer.field());
        assert_eq!(told, (code.to_owned(), "limit".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn the_log_is_narrowed_to_what_each_line_is_about() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let ids = Ids::of(&house, &owner).await;
    for path in [
        format!("/agents/{}", ids.agent),
        format!("/contacts/{}", ids.contact),
    ] {
        let version = house.as_(&owner, Call::get(&path)).await.good()["version"].clone();
        let rename = Call::patch(&path, version.as_u64().unwrap(), &json!({"name": "Ana"}));
        house.as_(&owner, rename).await.good();
    }
    let whole = house
        .as_(&owner, Call::get("/audit?limit=100"))
        .await
        .good();
    let whole = whole["items"].as_array().unwrap();
    let narrowed = async |query: &str| {
        house
            .as_(&owner, Call::get(&format!("/audit?{query}")))
            .await
    };
    for line in whole {
        let target = id_in(line, "target");
        let found = narrowed(&format!("target={target}")).await.good();
        let wanted = whole
            .iter()
            .filter(|line| line["target"] == target.as_str());
        assert_eq!(
            found["items"],
            json!(wanted.collect::<Vec<_>>()),
            "{target}"
        );
    }
    // A page at a time, and no line of anything else between them.
    let path = format!("/sites/{}", ids.site);
    let site = house.as_(&owner, Call::get(&path)).await.good();
    let version = site["version"].as_u64().unwrap();
    for version in version..version + 3 {
        let body = json!({"description": format!("take {version}")});
        house
            .as_(&owner, Call::patch(&path, version, &body))
            .await
            .good();
    }
    let of_site = format!("target={}", ids.site);
    let first = narrowed(&format!("{of_site}&limit=2")).await.good();
    let cursor = id_in(&first, "cursor");
    let next = narrowed(&format!("{of_site}&limit=2&cursor={cursor}"))
        .await
        .good();
    assert!(first["items"][1]["at_ms"].as_u64() >= next["items"][0]["at_ms"].as_u64());
    assert_ne!(first["items"][1]["id"], next["items"][0]["id"]);
}

#[tokio::test]
async fn the_log_of_what_is_nothing_or_anothers_is_no_ones() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let eve = house.foreigner().await;
    let foreign = Ids::of(&house, &eve).await;
    let narrowed = async |target: &str| {
        let path = format!("/audit?target={target}");
        house.as_(&owner, Call::get(&path)).await
    };
    let hers = id_in(&eve.me["memberships"][0], "workspace_id");
    for target in [&foreign.site, &foreign.agent, &foreign.contact, &hers] {
        assert_eq!(
            narrowed(target).await.good()["items"],
            json!([]),
            "{target}"
        );
    }
    let unknown_kind = "tea_01k00000000000000000000009";
    for target in [
        "",
        "site",
        "site_",
        "site_1",
        "%00",
        unknown_kind,
        foreign.conversation.as_str(),
    ] {
        let answer = narrowed(target).await;
        let told = (answer.status, answer.code(), answer.field());
        assert_eq!(
            told,
            (422, "invalid".to_owned(), "target".to_owned()),
            "{target}"
        );
    }
    let colleague = house.member(&owner, "bob@example.com", "agent").await;
    let own = format!("/audit?target={}", colleague.agent_id());
    assert_eq!(
        house.as_(&colleague, Call::get(&own)).await.code(),
        "forbidden"
    );
}

#[tokio::test]
async fn the_document_and_its_page_are_served_to_anybody() {
    let house = House::open(Trust::Trusted).await;
    let document = house.ask(Call::get("!/api/openapi.json")).await.good();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let page = house.ask(Call::get("!/api/docs/")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("/api/v1/conversations"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(
        house.ask(Call::get("!/api/docs/style.css")).await.status,
        200
    );
}
