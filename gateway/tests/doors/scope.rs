//! Programs at the doors: every scope at every door, what keys write, how often they may ask.

use std::collections::BTreeSet;

use protocol::permission::Permission;
use serde_json::{Value, json};

use crate::house::{House, Person, Trust, id_in};
use crate::sweep::{Door, Ids, call, doors, ids_path};
use crate::wire::{Answer, Call};

/// The scope that the document names for a door; nothing where keys are not let in.
fn scope_of(door: &Door) -> Option<String> {
    let ways = door.security.as_array()?;
    let scopes = ways.iter().find_map(|way| way["key"].as_array())?;
    assert_eq!(scopes.len(), 1, "{} names one scope", door.id);
    Some(scopes[0].as_str().unwrap().to_owned())
}

/// A door's path with ids of nothing in it: who is let in finds nothing, and changes nothing.
fn nowhere(door: &Door, ids: &Ids) -> String {
    let path = ids_path(door, ids);
    let is_id = |part: &&str| part.len() > 26 && part.contains('_');
    path.split('/').fold(String::new(), |path, part| {
        if !part.is_empty() && is_id(&part) {
            format!(
                "{path}/{}_00000000000000000000000009",
                &part[..part.find('_').unwrap()]
            )
        } else if part.is_empty() {
            path
        } else {
            format!("{path}/{part}")
        }
    })
}

/// The field that a refusal names, if it is one.
fn field(answer: &Answer) -> String {
    if answer.status == 403 {
        answer.field()
    } else {
        String::new()
    }
}

async fn program(house: &House, owner: &Person, scopes: &[&str]) -> Person {
    Person {
        secret: house.key(owner, scopes).await,
        me: Value::Null,
    }
}

/// One table of all doors and all scopes: a key is let in with the scope that the document names and
/// with no other, and not at all where it names none.
#[tokio::test]
async fn each_scope_opens_its_doors_and_no_other() {
    let house = House::with_many_requests().await;
    let owner = house.owner().await;
    let ids = Ids::of(&house, &owner).await;
    let doors = doors(&house).await;
    let named: BTreeSet<String> = doors.iter().filter_map(scope_of).collect();
    let (mut opened, mut wrong) = (0, Vec::new());
    for scope in Permission::ALL {
        let key = program(&house, &owner, &[scope.as_str()]).await;
        for door in doors.iter().filter(|door| door.security.is_array()) {
            let mut path = nowhere(door, &ids);
            if door.id == "search" {
                path += "?text=x";
            }
            let answer = house.as_(&key, call(door, &path, &ids)).await;
            let is_right = match scope_of(door) {
                // A token for a connection is a member's.
                None => [401, 403].contains(&answer.status),
                Some(wanted) if wanted == scope.as_str() => {
                    opened += 1;
                    // Somebody let in may still give nobody more than he has himself.
                    let gives_too_much = ["role", "scopes"].contains(&field(&answer).as_str());
                    ![401, 403, 429].contains(&answer.status) || gives_too_much
                }
                Some(_) => answer.status == 403 && answer.code() == "forbidden",
            };
            if !is_right {
                let (method, status) = (&door.method, answer.status);
                wrong.push(format!(
                    "{method} {path} with {scope:?}: {status} {}",
                    answer.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let with_keys = doors.iter().filter_map(scope_of).count();
    assert_eq!(opened, with_keys, "each door once");
    let all_but_the_owners = Permission::ALL.len() - 1;
    assert_eq!(named.len(), all_but_the_owners, "{named:?}");
}

#[tokio::test]
async fn a_key_writes_once_and_under_its_own_name() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let [_, _, conversation] = house.visitor_writes(&owner, "where is my order?").await;
    let key = program(
        &house,
        &owner,
        &["conversations.write", "conversations.read"],
    )
    .await;
    let does = |name: &str, command: Value| {
        Call::post("/commands", &command).header("idempotency-key", name)
    };
    let said = json!({"do": "send_message", "conversation_id": conversation, "body": "on its way"});
    let ack = house.as_(&key, does("order-1", said.clone())).await.good();
    assert_eq!(ack["client_id"], "order-1");
    let again = house.as_(&key, does("order-1", said)).await.good();
    assert_eq!(again, ack, "a retry changes nothing");
    let other = json!({"do": "send_message", "conversation_id": conversation, "body": "lost"});
    let reused = house.as_(&key, does("order-1", other)).await;
    assert_eq!(reused.code(), "client_id_reused");
    let note = json!({"do": "add_note", "conversation_id": conversation, "body": "parcel 17"});
    house.as_(&key, does("note-1", note)).await.good();
    for kind in ["join", "leave"] {
        let command = json!({"do": kind, "conversation_id": conversation});
        assert_eq!(
            house.as_(&key, does(kind, command)).await.code(),
            "forbidden"
        );
    }
    let path = format!("/conversations/{conversation}/entries");
    let log = house.as_(&owner, Call::get(&path)).await.good();
    let keys = house.as_(&owner, Call::get("/keys")).await.good();
    let author = json!({"kind": "key", "key_id": keys["items"][0]["id"]});
    let entries = log["entries"].as_array().unwrap();
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| &entry["content"]["kind"])
        .collect();
    assert_eq!(kinds, ["message", "message", "note"]);
    assert!(
        entries[1..].iter().all(|entry| entry["author"] == author),
        "{log}"
    );
    let row = house
        .as_(&owner, Call::get(&format!("/conversations/{conversation}")))
        .await
        .good();
    assert_eq!(
        (&row["assignee_id"], &row["handler"]),
        (&Value::Null, &json!("queue"))
    );
    assert_eq!(row["waiting_on"], "customer");
}

#[tokio::test]
async fn visitors_read_what_a_key_wrote_as_the_teams() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let site = json!({"site_key": house.site(&owner).await});
    let session =
        Call::post("/visitor/session", &site).header("origin", "https://shop.example.com");
    let session = house.ask(session).await.good();
    let key = program(&house, &owner, &["conversations.write"]).await;
    let start = json!({"do": "start_conversation", "visitor_id": session["visitor_id"], "body": "it was sent"});
    let start = Call::post("/commands", &start).header("idempotency-key", "start-1");
    house.as_(&key, start).await.good();
    let history = Call::get("/visitor/history").header("origin", "https://shop.example.com");
    let history = house.ask(history.bearer(&id_in(&session, "token"))).await;
    let entry = &history.good()["conversations"][0]["entries"][0];
    assert_eq!(entry["author"], json!({"kind": "team"}));
    assert_eq!(entry["content"]["message"]["body"], "it was sent");
    let keys = house.as_(&owner, Call::get("/keys")).await.good();
    for secret in [
        id_in(&keys["items"][0], "id"),
        "program".to_owned(),
        "start-1".to_owned(),
    ] {
        assert!(!history.body.contains(&secret), "{}", history.body);
    }
}

#[tokio::test]
async fn the_audit_log_names_the_key() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let key = program(&house, &owner, &["settings.write"]).await;
    let change = Call::patch("/workspace", 1, &json!({"name": "Lamps"}));
    house.as_(&key, change).await.good();
    let audit = house.as_(&owner, Call::get("/audit")).await.good();
    let line = &audit["items"][0];
    assert_eq!(line["action"], "workspace.changed");
    let keys = house.as_(&owner, Call::get("/keys")).await.good();
    let key_id = id_in(&keys["items"][0], "id");
    assert_eq!(line["actor"], key_id.as_str());
    assert_eq!(line["names"][&key_id], "program");
}
