//! What a door does not know is refused by name: fields, parameters, cursors, numbers.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Person, Trust, id_in, setup};
use crate::sweep::{Door, Ids, body_of, call, doors, ids_path};
use crate::wire::{Answer, Call};

fn told(answer: &Answer) -> (String, String) {
    (answer.code(), answer.field())
}

fn invalid(field: &str) -> (String, String) {
    ("invalid".to_owned(), field.to_owned())
}

/// What the doors take that ask for no credentials.
fn open_body_of(door: &Door, ids: &Ids) -> Option<Value> {
    Some(match door.id.as_str() {
        "set_up" => setup("sbu_x"),
        "log_in" => json!({"email": "olga@example.com", "password": PASSWORD}),
        "look_up_invitation" => json!({"token": "sbv_x"}),
        "accept_invitation" => json!({"token": "sbv_x", "name": "Ana", "password": PASSWORD}),
        "begin_visitor_session" => json!({"site_key": ids.site}),
        "open_stream" => json!({"hello": {"token": "x"}}),
        _ => return body_of(door, ids),
    })
}

async fn house() -> (House, Person, Ids) {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let ids = Ids::of(&house, &owner).await;
    (house, owner, ids)
}

#[tokio::test]
async fn no_door_takes_a_field_that_it_does_not_know() {
    let (house, owner, ids) = house().await;
    let mut swept = 0;
    for door in doors(&house).await {
        let Some(mut body) = open_body_of(&door, &ids) else {
            continue;
        };
        // It speaks for a connection, and there is none here.
        if door.id == "send_frame" {
            continue;
        }
        body["surprise"] = json!(1);
        let call = call(&door, &ids_path(&door, &ids), &ids).json(&body);
        let answer = house
            .as_(&owner, call.header("origin", &house.origin()))
            .await;
        assert_eq!(
            told(&answer),
            invalid("surprise"),
            "{} {}",
            door.method,
            door.path
        );
        swept += 1;
    }
    assert!(swept > 15, "{swept}");
}

#[tokio::test]
async fn no_door_takes_a_parameter_that_it_does_not_know() {
    let (house, owner, ids) = house().await;
    let mut swept = 0;
    for door in doors(&house).await {
        for query in ["surprise=1", "limit=5&surprise", "sur%70rise=", "Limit=5"] {
            let path = format!("{}?{query}", ids_path(&door, &ids));
            let answer = house.as_(&owner, call(&door, &path, &ids)).await;
            let (code, field) = told(&answer);
            assert_eq!(code, "invalid", "{} {path}", door.method);
            assert!(
                ["surprise", "limit", "Limit"].contains(&field.as_str()),
                "{path}: {field}"
            );
        }
        swept += 1;
    }
    assert!(swept > 45, "{swept}");
    let twice = house.as_(&owner, Call::get("/audit?limit=1&limit=2")).await;
    assert_eq!(told(&twice), invalid("query"));
    let word = house
        .as_(&owner, Call::get("/conversations?filter=everything"))
        .await;
    assert_eq!(told(&word), invalid("filter"));
    let flag = house
        .as_(&owner, Call::post("/login?bearer=yes", &json!({})))
        .await;
    assert_eq!(told(&flag), invalid("bearer"));
    // Pages are no API: whoever links to them may add what he likes.
    assert_ne!(
        house
            .ask(Call::get("!/console/?utm_source=mail"))
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn a_cursor_that_is_none_or_of_another_list_never_begins_anew() {
    let (house, owner, ids) = house().await;
    house.visitor_writes(&owner, "another").await;
    let contact = format!("/contacts/{}/conversations", ids.contact);
    let lists = [
        "/conversations",
        &contact,
        "/audit",
        "/failed-logins",
        "/sign-ins",
        "/todos",
        "/todos?filter=unread",
        "/todos?filter=done",
        "/conversations?search=another",
        "/search?text=another",
    ];
    // Beside each cursor, the list that gave it: what an own cursor opens is not asked here.
    let mut cursors = [
        String::new(),
        "nonsense".to_owned(),
        "0".to_owned(),
        format!("7.{}", ids.conversation),
        format!("inbox.7.{}x", ids.conversation),
        format!("inbox.-1.{}", ids.conversation),
        "%00".to_owned(),
        "x".repeat(5_000),
    ]
    .map(|cursor| (cursor, None))
    .to_vec();
    for list in ["/conversations", "/audit"] {
        let page = Call::get(&format!("{list}?limit=1"));
        let page = house.as_(&owner, page).await.good();
        cursors.push((id_in(&page, "cursor"), Some(list)));
    }
    for list in lists {
        let own = list.split('?').next();
        for (cursor, _) in cursors.iter().filter(|(_, giver)| *giver != own) {
            let join = if list.contains('?') { '&' } else { '?' };
            let call = Call::get(&format!("{list}{join}cursor={cursor}"));
            let answer = house.as_(&owner, call).await;
            assert_eq!(told(&answer), invalid("cursor"), "{list} {cursor}");
        }
    }
}

#[tokio::test]
async fn lists_are_narrowed_by_a_priority_that_there_is() {
    let (house, owner, _) = house().await;
    for (list, name) in [
        ("/conversations?", "priority"),
        ("/conversations?", "priority_min"),
        ("/search?text=x&", "priority"),
        ("/search?text=x&", "priority_min"),
    ] {
        let ask = async |priority: u32| {
            let path = format!("{list}{name}={priority}");
            house.as_(&owner, Call::get(&path)).await
        };
        assert_eq!(ask(4).await.status, 200, "{list}{name}");
        for priority in [0, 5, 256] {
            let answer = ask(priority).await;
            let refused = (answer.code(), answer.field());
            let wanted = ("invalid".to_owned(), name.to_owned());
            assert_eq!(refused, wanted, "{list}{name}={priority}");
        }
    }
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_and_nothing_overflows() {
    let (house, owner, ids) = house().await;
    let conversation = &ids.conversation;
    let entries = format!("/conversations/{conversation}/entries");
    for (query, wanted) in [
        ("before=-1", "before"),
        ("before=x", "before"),
        ("before=18446744073709551616", "before"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
    ] {
        let answer = house
            .as_(&owner, Call::get(&format!("{entries}?{query}")))
            .await;
        assert_eq!(told(&answer), invalid(wanted), "{query}");
    }
    for before in ["0", "1", "18446744073709551615"] {
        let call = Call::get(&format!("{entries}?before={before}"));
        house.as_(&owner, call).await.good();
    }
    let command = async |body: Value| {
        let call = Call::post("/commands", &body).header("idempotency-key", "numbers");
        house.as_(&owner, call).await
    };
    for until in [
        "-1",
        "0",
        "1",
        "18446744073709551615",
        "18446744073709551616",
        "1e300",
        "1.5",
    ] {
        let body =
            format!(r#"{{"do":"snooze","conversation_id":"{conversation}","until_ms":{until}}}"#);
        let call = Call::new("POST", "/commands")
            .header("idempotency-key", "numbers")
            .header("content-type", "application/json")
            .text(&body);
        let answer = house.as_(&owner, call).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "invalid"),
            "{until}"
        );
    }
    for priority in [json!(0), json!(5), json!(255), json!(256), json!(-1)] {
        let body =
            json!({"do": "prioritize", "conversation_id": conversation, "priority": priority});
        let answer = command(body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "invalid"),
            "{priority}"
        );
    }
    let text = json!({"do": "prioritize", "conversation_id": conversation, "priority": "2"});
    assert_eq!(command(text).await.code(), "malformed");
    let call = Call::new("PATCH", &format!("/sites/{}", ids.site))
        .header("if-match", "\"18446744073709551615\"")
        .json(&json!({"description": "x"}));
    assert_eq!(house.as_(&owner, call).await.code(), "version_conflict");
}
