//! Conversations, commands and contacts over HTTP.

use serde_json::{Value, json};

use crate::house::{House, Person, Trust};
use crate::wire::{Answer, Call};

async fn command(house: &House, person: &Person, key: &str, body: &Value) -> Answer {
    let call = Call::post("/commands", body).header("idempotency-key", key);
    house.as_(person, call).await
}

#[tokio::test]
async fn a_command_is_done_once_however_often_it_is_sent() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let [_, _, conversation] = house.visitor_writes(&owner, "Where is my parcel?").await;
    let reply =
        json!({"do": "send_message", "conversation_id": conversation, "body": "On its way."});
    let first = command(&house, &owner, "reply-1", &reply).await.good();
    let second = command(&house, &owner, "reply-1", &reply).await.good();
    assert_eq!(first, second);
    let other = json!({"do": "close", "conversation_id": conversation});
    let reused = command(&house, &owner, "reply-1", &other).await;
    assert_eq!(
        (reused.status, reused.code().as_str()),
        (409, "client_id_reused")
    );
    let path = format!("/conversations/{conversation}/entries");
    let batch = house.as_(&owner, Call::get(&path)).await.good();
    let messages: Vec<_> = batch["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["content"]["message"]["body"].as_str())
        .collect();
    assert_eq!(messages, ["Where is my parcel?", "On its way."]);
    assert_eq!(
        batch["position"]["entry_id"],
        batch["entries"].as_array().unwrap().last().unwrap()["id"]
    );
    let nameless = house.as_(&owner, Call::post("/commands", &other)).await;
    assert_eq!(
        (nameless.code().as_str(), nameless.field().as_str()),
        ("empty", "client_id")
    );
    let bad = command(&house, &owner, "a b", &other).await;
    assert_eq!(
        (bad.code().as_str(), bad.field().as_str()),
        ("invalid", "client_id")
    );
    let unknown = command(&house, &owner, "x-1", &json!({"do": "explode"})).await;
    assert_eq!(unknown.code(), "malformed");
}

#[tokio::test]
async fn lists_filter_search_and_page() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let mut made = Vec::new();
    for words in ["a red parcel", "a blue invoice", "a green parcel"] {
        let [_, _, conversation] = house.visitor_writes(&owner, words).await;
        made.push(conversation);
    }
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["items"].as_array().unwrap();
        rows.iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let close = json!({"do": "close", "conversation_id": made[1]});
    command(&house, &owner, "close-1", &close).await.good();
    let assign = json!({"do": "assign", "conversation_id": made[0], "agent_id": owner.agent_id()});
    command(&house, &owner, "assign-1", &assign).await.good();
    // The search learns words a moment after they were said, in the order of the messages.
    let learned = async {
        let newest = || house.as_(&owner, Call::get("/conversations?search=green"));
        while ids(&newest().await.good()).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), learned)
        .await
        .expect("what was said is found");
    for (query, expected) in [
        ("filter=closed", vec![&made[1]]),
        ("filter=mine", vec![&made[0]]),
        ("filter=unassigned", vec![&made[2]]),
        ("search=green", vec![&made[2]]),
        ("filter=closed&search=invoi", vec![&made[1]]),
        ("filter=spam", vec![]),
    ] {
        let page = house
            .as_(&owner, Call::get(&format!("/conversations?{query}")))
            .await
            .good();
        assert_eq!(
            ids(&page),
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
    }
    let found = house
        .as_(&owner, Call::get("/search?text=invoi"))
        .await
        .good();
    assert_eq!(found["items"][0]["conversation"]["id"], made[1].as_str());
    assert_eq!(found["items"][0]["matches"][0]["place"], "message");
    let first = house
        .as_(&owner, Call::get("/conversations?limit=1"))
        .await
        .good();
    let cursor = first["cursor"].as_str().expect("there is more");
    let path = format!("/conversations?limit=1&cursor={cursor}");
    let second = house.as_(&owner, Call::get(&path)).await.good();
    let mut both = [ids(&first), ids(&second)].concat();
    both.sort();
    let mut open = vec![made[0].clone(), made[2].clone()];
    open.sort();
    assert_eq!(both, open);
    assert!(second["cursor"].is_null());
    let wrong = house
        .as_(&owner, Call::get("/conversations?filter=everything"))
        .await;
    assert_eq!((wrong.status, wrong.field().as_str()), (422, "filter"));
    let long = format!("/conversations?search={}", "x".repeat(201));
    assert_eq!(house.as_(&owner, Call::get(&long)).await.code(), "too_long");
}

#[tokio::test]
async fn entries_page_backwards_and_notes_stay_inside() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let [_, _, conversation] = house.visitor_writes(&owner, "hello").await;
    let note = json!({"do": "add_note", "conversation_id": conversation, "body": "careful"});
    command(&house, &owner, "note-1", &note).await.good();
    let path = format!("/conversations/{conversation}/entries");
    let newest = house
        .as_(&owner, Call::get(&format!("{path}?limit=1")))
        .await
        .good();
    assert_eq!(newest["older"], true);
    let seq = newest["entries"][0]["seq"].as_u64().unwrap();
    let before = house
        .as_(&owner, Call::get(&format!("{path}?before={seq}&limit=200")))
        .await
        .good();
    assert_eq!(before["older"], false);
    assert_eq!(before["entries"][0]["seq"], 1);
    assert_eq!(
        before["entries"].as_array().unwrap().last().unwrap()["seq"],
        seq - 1
    );
    let over = house
        .as_(&owner, Call::get(&format!("{path}?limit=201")))
        .await;
    assert_eq!(over.code(), "too_many");
}

#[tokio::test]
async fn contacts_are_read_changed_merged_and_erased() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let agent = house.member(&owner, "bob@example.com", "agent").await;
    let [visitor, one, conversation] = house.visitor_writes(&owner, "I am Rumpelstilz").await;
    let [_, two, _] = house.visitor_writes(&owner, "me again").await;
    let seen = house
        .as_(&agent, Call::get(&format!("/visitors/{visitor}")))
        .await
        .good();
    assert_eq!(seen["contact_id"], one.as_str());
    let path = format!("/contacts/{one}");
    let contact = house.as_(&agent, Call::get(&path)).await;
    let version = contact.good()["version"].as_u64().unwrap();
    let named = json!({"name": "Rumpelstilz", "email": "r@example.com"});
    let changed = house
        .as_(&agent, Call::patch(&path, version, &named))
        .await
        .good();
    assert_eq!(changed["name"], "Rumpelstilz");
    let wrong = json!({"email": "nobody"});
    let refused = house
        .as_(&agent, Call::patch(&path, version + 1, &wrong))
        .await;
    assert_eq!(
        (refused.code().as_str(), refused.field().as_str()),
        ("invalid", "email")
    );
    let merge = Call::post(&format!("{path}/merge"), &json!({"into_id": two}));
    assert_eq!(
        house.as_(&agent, merge).await.good()["merged_into_id"],
        two.as_str()
    );
    let list = Call::get(&format!("/contacts/{two}/conversations"));
    let both = house.as_(&agent, list).await.good();
    assert_eq!(both["items"].as_array().unwrap().len(), 2);
    let apart = Call::new("POST", &format!("{path}/unmerge"));
    assert!(house.as_(&agent, apart).await.good()["merged_into_id"].is_null());
    let by_agent = house.as_(&agent, Call::delete(&path)).await;
    assert_eq!(
        (by_agent.status, by_agent.code().as_str()),
        (403, "forbidden")
    );
    assert_eq!(house.as_(&owner, Call::delete(&path)).await.status, 204);
    for door in [
        format!("/conversations/{conversation}/entries"),
        "/audit".to_owned(),
    ] {
        let answer = house.as_(&owner, Call::get(&door)).await;
        assert!(!answer.body.contains("umpelstilz"), "{door}");
    }
}
