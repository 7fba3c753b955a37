//! What is asked of a member, at the doors: his own, marked as often as he likes, and nobody else's.

use protocol::limit::TODO_MARKS_MAX;
use serde_json::{Value, json};

use crate::house::{House, Person, Trust, id_in};
use crate::wire::{Answer, Call};

/// Gives a conversation to a member; gives the entry that says so.
async fn gives(house: &House, by: &Person, conversation: &str, to: &Person) -> String {
    let assign =
        json!({"do": "assign", "conversation_id": conversation, "agent_id": to.agent_id()});
    let call = Call::post("/commands", &assign)
        .header("idempotency-key", &format!("to-{}", to.agent_id()));
    id_in(&house.as_(by, call).await.good(), "entry_id")
}

async fn marks(house: &House, person: &Person, entry_ids: &Value, mark: &str) -> Answer {
    let body = json!({"entry_ids": entry_ids, "mark": mark});
    house.as_(person, Call::post("/todos/mark", &body)).await
}

/// The entries that ask, of a list.
async fn asked(house: &House, person: &Person, filter: &str) -> Vec<String> {
    let call = Call::get(&format!("/todos?filter={filter}"));
    let page = house.as_(person, call).await.good();
    let rows = page["items"].as_array().unwrap().iter();
    rows.map(|row| id_in(row, "entry_id")).collect()
}

#[tokio::test]
async fn what_is_asked_is_read_done_and_open_again() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let bob = house.member(&owner, "bob@example.com", "agent").await;
    let [_, _, conversation] = house.visitor_writes(&owner, "where is it?").await;
    let given = gives(&house, &owner, &conversation, &bob).await;
    let ids = json!([given]);
    // Each mark twice: what is so already stays so.
    for (mark, all, unread, done) in [("read", 1, 0, 0), ("done", 0, 0, 1), ("open", 1, 0, 0)] {
        for _ in 0..2 {
            assert_eq!(marks(&house, &bob, &ids, mark).await.status, 204);
            for (filter, count) in [("all", all), ("unread", unread), ("done", done)] {
                let listed = asked(&house, &bob, filter).await;
                assert_eq!(listed.len(), count, "{filter} after {mark}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_asked_of_somebody_else_is_not_found_and_stays() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let bob = house.member(&owner, "bob@example.com", "agent").await;
    let eve = house.foreigner().await;
    let [_, _, conversation] = house.visitor_writes(&owner, "where is it?").await;
    let given = gives(&house, &owner, &conversation, &bob).await;
    let [_, _, other] = house.visitor_writes(&owner, "and this?").await;
    let own = gives(&house, &bob, &other, &owner).await;
    let unknown = "ent_00000000000000000000000009";
    for (person, ids) in [
        (&owner, json!([own, given])),
        (&owner, json!([own, unknown])),
        (&eve, json!([given])),
    ] {
        let answer = marks(&house, person, &ids, "done").await;
        let told = (answer.status, answer.code());
        assert_eq!(told, (404, "not_found".to_owned()), "{ids}");
    }
    assert_eq!(asked(&house, &bob, "unread").await, [given]);
    assert_eq!(asked(&house, &owner, "unread").await, [own]);
}

#[tokio::test]
async fn a_mark_names_something_and_not_too_much() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let unknown = "ent_00000000000000000000000009";
    let many = |count: usize| json!(vec![unknown; count]);
    for (ids, mark, code, field) in [
        (many(0), "done", "invalid", "entry_ids"),
        (many(TODO_MARKS_MAX + 1), "done", "too_many", "entry_ids"),
        (many(TODO_MARKS_MAX), "done", "not_found", ""),
        (json!(["ent_x"]), "done", "malformed", ""),
        (json!(unknown), "done", "malformed", ""),
        (many(1), "finished", "malformed", ""),
    ] {
        let answer = marks(&house, &owner, &ids, mark).await;
        assert_eq!(answer.code(), code, "{mark} {ids}");
        if !field.is_empty() {
            assert_eq!(answer.field(), field, "{mark} {ids}");
        }
    }
    let listed = house.as_(&owner, Call::get("/todos?filter=mine")).await;
    let refused = (listed.code(), listed.field());
    assert_eq!(refused, ("invalid".to_owned(), "filter".to_owned()));
}

#[tokio::test]
async fn nobody_asks_anything_of_a_program() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let key = house.key(&owner, &["conversations.read"]).await;
    let mark = json!({"entry_ids": ["ent_00000000000000000000000009"], "mark": "read"});
    for call in [Call::get("/todos"), Call::post("/todos/mark", &mark)] {
        let answer = house.ask(call.bearer(&key)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
    }
}
