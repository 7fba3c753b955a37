//! Every door of the document with a path and a body that it would take, for sweeps over all of them.

use serde_json::{Value, json};

use crate::house::{House, Person, id_in};
use crate::wire::Call;

/// Anybody may ask for a picture; this is none.
const NO_PICTURE: &str = "pic_00000000000000000000000009";
/// Nobody is asked for anything by it.
const NO_ENTRY: &str = "ent_00000000000000000000000009";
const PUBLIC_KEY: &str = include_str!("../identity/public.pem");

/// A door of the document.
pub(crate) struct Door {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) security: Value,
}

pub(crate) async fn doors(house: &House) -> Vec<Door> {
    let document = house.ask(Call::get("!/api/openapi.json")).await.good();
    let mut doors = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            doors.push(Door {
                id: id_in(operation, "operationId"),
                method: method.to_uppercase(),
                path: path.strip_prefix("/api/v1").unwrap().to_owned(),
                security: operation["security"].clone(),
            });
        }
    }
    assert!(doors.len() > 40);
    doors
}

/// A body that each door would take, so that only the speaker is what is wrong.
pub(crate) fn body_of(door: &Door, ids: &Ids) -> Option<Value> {
    Some(match door.id.as_str() {
        "create_site" => json!({"name": "Blog", "allowed_origins": []}),
        "add_identity_key" => json!({"public_key": PUBLIC_KEY}),
        "change_site" => json!({"description": "taken over"}),
        "change_workspace" => json!({"name": "taken over"}),
        "change_agent" => json!({"name": "taken over"}),
        "change_contact" => json!({"name": "taken over"}),
        "create_invitation" => json!({"email": "x@example.com", "role": "agent"}),
        "create_canned_response" => json!({"whose": "team", "nickname": "sweep", "body": "x"}),
        "change_canned_response" => json!({"body": "taken over"}),
        "create_saved_view" => json!({"whose": "team", "name": "x", "list": {"filter": "all"}}),
        "change_saved_view" => json!({"name": "taken over"}),
        "block_address" => json!({"network": "198.51.100.7"}),
        "create_key" => json!({"name": "x", "scopes": ["conversations.read"]}),
        "merge_contact" => json!({"into_id": ids.contact}),
        "change_password" => json!({"current": "x", "new": "a wholly new phrase"}),
        "mark_todos" => json!({"entry_ids": [NO_ENTRY], "mark": "done"}),
        "do_command" => json!({"do": "close", "conversation_id": ids.conversation}),
        "send_frame" => json!({"type": "unfollow", "conversation_id": ids.conversation}),
        _ => return None,
    })
}

/// Somebody's records.
pub(crate) struct Ids {
    pub(crate) site: String,
    pub(crate) secret: String,
    pub(crate) identity_key: String,
    pub(crate) agent: String,
    pub(crate) invitation: String,
    pub(crate) key: String,
    pub(crate) canned_response: String,
    pub(crate) saved_view: String,
    pub(crate) blocked_address: String,
    pub(crate) session: String,
    pub(crate) visitor: String,
    pub(crate) contact: String,
    pub(crate) conversation: String,
    pub(crate) attachment: String,
}

impl Ids {
    pub(crate) async fn of(house: &House, person: &Person) -> Self {
        let site = house.site(person).await;
        let secrets = Call::get(&format!("/sites/{site}/secrets"));
        let secrets = house.as_(person, secrets).await.good();
        let add = json!({"public_key": PUBLIC_KEY});
        let add = Call::post(&format!("/sites/{site}/identity-keys"), &add);
        let identity_key = house.as_(person, add).await.good();
        let invite = json!({"email": "new@example.com", "role": "agent"});
        let invited = house
            .as_(person, Call::post("/invitations", &invite))
            .await
            .good();
        let text = json!({"whose": "team", "body": "Hello."});
        let text = Call::post("/canned-responses", &text);
        let canned_response = house.as_(person, text).await.good();
        let view = json!({"whose": "team", "name": "Open", "list": {"filter": "all"}});
        let view = Call::post("/saved-views", &view);
        let saved_view = house.as_(person, view).await.good();
        let block = json!({"network": "198.51.100.0/29"});
        let block = Call::post("/blocked-addresses", &block);
        let blocked_address = house.as_(person, block).await.good();
        house.key(person, &["conversations.read"]).await;
        let keys = house.as_(person, Call::get("/keys")).await.good();
        let sessions = house.as_(person, Call::get("/sessions")).await.good();
        let [visitor, contact, conversation] = house.visitor_writes(person, "hello").await;
        let file = Call::new("POST", "/attachments")
            .header("content-type", "text/plain")
            .header("switchboard-file-name", "a.txt")
            .text("some text");
        let file = house.as_(person, file).await.good();
        Self {
            site,
            secret: id_in(&secrets["items"][0], "id"),
            identity_key: id_in(&identity_key, "id"),
            agent: person.agent_id(),
            invitation: id_in(&invited, "id"),
            key: id_in(&keys["items"][0], "id"),
            canned_response: id_in(&canned_response, "id"),
            saved_view: id_in(&saved_view, "id"),
            blocked_address: id_in(&blocked_address, "id"),
            session: id_in(&sessions["items"][0], "id"),
            visitor,
            contact,
            conversation,
            attachment: id_in(&file, "id"),
        }
    }

    /// A door's path with these records' ids in it.
    fn path(&self, door: &Door) -> String {
        let noun = door.path.split('/').nth(1).unwrap();
        let id = match noun {
            "sites" => &self.site,
            "agents" => &self.agent,
            "invitations" => &self.invitation,
            "keys" => &self.key,
            "canned-responses" => &self.canned_response,
            "saved-views" => &self.saved_view,
            "blocked-addresses" => &self.blocked_address,
            "sessions" => &self.session,
            "visitors" => &self.visitor,
            "contacts" => &self.contact,
            "conversations" | "visitor" => &self.conversation,
            "attachments" => &self.attachment,
            "pictures" => NO_PICTURE,
            other => panic!("no id for {other}"),
        };
        door.path
            .replace("{id}", id)
            .replace("{secret_id}", &self.secret)
            .replace("{key_id}", &self.identity_key)
    }
}

pub(crate) fn call(door: &Door, path: &str, ids: &Ids) -> Call {
    let mut call = Call::new(&door.method, path)
        .header("idempotency-key", "sweep-1")
        .header("if-match", "\"1\"");
    if let Some(body) = body_of(door, ids) {
        call = call.json(&body);
    }
    call
}

pub(crate) fn ids_path(door: &Door, ids: &Ids) -> String {
    if door.path.contains("{id}") {
        ids.path(door)
    } else {
        door.path.clone()
    }
}
