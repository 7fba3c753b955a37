//! The workspace over HTTP: what the business is, when somebody is there, and the icon of its consoles.

use protocol::limit::{HOURS_SPANS_MAX, NAME_BYTES_MAX};
use serde_json::{Value, json};

use crate::house::{House, Trust, id_in};
use crate::records::POINT;
use crate::wire::Call;

fn span(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

#[tokio::test]
async fn an_admin_sees_the_node_that_answers() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let nodes = house.as_(&owner, Call::get("/nodes")).await.good();
    let [node] = nodes["items"].as_array().unwrap().as_slice() else {
        panic!("not one node: {nodes}");
    };
    assert_eq!(node["state"], "ready");
    assert_eq!(node["answers"], true);
    assert_eq!(node["connection_count"], 0);
    assert!(node["seen_at_ms"].as_u64() >= node["started_at_ms"].as_u64());
}

#[tokio::test]
async fn a_workspace_says_what_it_does_and_when_somebody_is_there() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let change =
        |version, body: Value| house.as_(&owner, Call::patch("/workspace", version, &body));
    let fresh = house.as_(&owner, Call::get("/workspace")).await.good();
    assert_eq!(
        (&fresh["industry"], &fresh["currency"]),
        (&json!(""), &json!(""))
    );
    assert_eq!(fresh["support_hours"]["monday"], json!([]));
    let friday = json!([span("09:00", "12:00"), span("13:00", "24:00")]);
    let body = json!({"industry": " Tea ", "currency": "eur", "support_hours": {"friday": friday}});
    let set = change(1, body).await.good();
    assert_eq!(
        (&set["industry"], &set["currency"]),
        (&json!("Tea"), &json!("EUR"))
    );
    assert_eq!(set["support_hours"]["friday"], friday);
    assert_eq!(set["support_hours"]["sunday"], json!([]));
    let stale = change(1, json!({"industry": "Coffee"})).await;
    assert_eq!(stale.code(), "version_conflict");
    // What is said again is no change.
    let again = change(
        2,
        json!({"currency": "EUR", "support_hours": {"friday": friday}}),
    )
    .await;
    assert_eq!(again.good()["version"], 2);
    let gone = change(
        2,
        json!({"industry": "", "currency": "", "support_hours": {}}),
    )
    .await
    .good();
    assert_eq!(
        (&gone["industry"], &gone["currency"]),
        (&json!(""), &json!(""))
    );
    assert_eq!(gone["support_hours"], fresh["support_hours"]);
    let log = house.as_(&owner, Call::get("/audit")).await.good();
    assert_eq!(
        log["items"][0]["fields"],
        json!(["industry", "currency", "support_hours"])
    );
}

#[tokio::test]
async fn what_a_workspace_cannot_be_is_refused_and_changes_nothing() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let many: Value = (0..=HOURS_SPANS_MAX)
        .map(|hour| span(&format!("0{hour}:00"), &format!("0{hour}:30")))
        .collect();
    for (body, code, field) in [
        (json!({"currency": "DEM"}), "invalid", "currency"),
        (
            json!({"industry": "x".repeat(NAME_BYTES_MAX + 1)}),
            "too_long",
            "industry",
        ),
        (
            json!({"support_hours": {"friday": [span("9:00", "12:00")]}}),
            "invalid",
            "support_hours",
        ),
        (
            json!({"support_hours": {"friday": [span("12:00", "09:00")]}}),
            "invalid",
            "support_hours",
        ),
        (
            json!({"support_hours": {"friday": [span("13:00", "24:00"), span("09:00", "12:00")]}}),
            "invalid",
            "support_hours",
        ),
        (
            json!({"support_hours": {"friday": many}}),
            "too_many",
            "support_hours",
        ),
        (
            json!({"support_hours": {"freitag": []}}),
            "invalid",
            "freitag",
        ),
        (
            json!({"support_hours": {"friday": [{"from": "09:00"}]}}),
            "malformed",
            "",
        ),
        (
            json!({"icon": "data:image/svg+xml;base64,PHN2Zz4="}),
            "file_type",
            "icon",
        ),
        (
            json!({"icon": format!("data:image/png;base64,{}", "A".repeat(44_000))}),
            "too_large",
            "icon",
        ),
    ] {
        let refused = house.as_(&owner, Call::patch("/workspace", 1, &body)).await;
        let refused = (refused.code(), refused.field());
        assert_eq!(refused, (code.to_owned(), field.to_owned()));
    }
    let kept = house.as_(&owner, Call::get("/workspace")).await.good();
    assert_eq!(kept["version"], 1);
}

#[tokio::test]
async fn a_main_language_is_told_to_widgets_and_is_one_that_they_speak() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let site = house.site(&owner).await;
    let begin = json!({"site_key": site, "locale": "nb"});
    let language = async || {
        let call = Call::post("/visitor/session", &begin);
        let call = call.header("origin", "https://shop.example.com");
        house.ask(call).await.good()["config"]["language"].clone()
    };
    assert_eq!(language().await, Value::Null);
    let set = |version, language: Value| {
        let body = json!({"settings": {"language": language}});
        house.as_(&owner, Call::patch("/workspace", version, &body))
    };
    for wrong in [json!("nb"), json!("de-AT"), json!(""), json!(1)] {
        assert_eq!(set(1, wrong).await.code(), "malformed");
    }
    let set = set(1, json!("de")).await.good();
    assert_eq!(set["settings"]["language"], "de");
    assert_eq!(language().await, "de");
    // A site may have another one.
    let path = format!("/sites/{site}");
    let otherwise = json!({"overrides": {"language": "fr"}});
    house
        .as_(&owner, Call::patch(&path, 1, &otherwise))
        .await
        .good();
    assert_eq!(language().await, "fr");
    let unknown = json!({"overrides": {"language": "hr"}});
    let refused = house.as_(&owner, Call::patch(&path, 2, &unknown)).await;
    assert_eq!(refused.code(), "malformed");
    let back = json!({"overrides": {}});
    house.as_(&owner, Call::patch(&path, 2, &back)).await.good();
    assert_eq!(language().await, "de");
}

#[tokio::test]
async fn a_workspaces_icon_is_a_picture_as_a_members_is() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let agent = house.member(&owner, "bob@example.com", "agent").await;
    let icon = |version, text: &str| Call::patch("/workspace", version, &json!({"icon": text}));
    assert_eq!(house.as_(&agent, icon(1, POINT)).await.code(), "forbidden");
    let first = id_in(&house.as_(&owner, icon(1, POINT)).await.good(), "icon");
    // The team reads which it is.
    let read = house.as_(&agent, Call::get("/workspace")).await.good();
    assert_eq!(id_in(&read, "icon"), first);
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
    let next = id_in(&house.as_(&owner, icon(2, POINT)).await.good(), "icon");
    assert_eq!(house.ask(at(&first)).await.status, 404);
    assert_eq!(house.ask(at(&next)).await.status, 200);
    let none = house.as_(&owner, icon(3, "")).await.good();
    assert_eq!(none["icon"], Value::Null);
    assert_eq!(house.ask(at(&next)).await.status, 404);
}
