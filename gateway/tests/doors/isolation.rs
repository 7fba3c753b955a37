//! Sweeps over every door of the document: nobody without credentials, nobody of another workspace,
//! no program beyond its scopes.

use serde_json::{Value, json};

use crate::house::{House, Person, Trust, id_in};
use crate::wire::{Answer, Call};

const PUBLIC_KEY: &str = include_str!("../identity/public.pem");

/// The doors that anybody may knock at; what they ask for instead stands in their own tests.
const OPEN: &[&str] = &[
    "get_setup",
    "set_up",
    "log_in",
    "look_up_invitation",
    "accept_invitation",
    "begin_visitor_session",
    "open_socket",
    "open_stream",
];

/// A door of the document.
struct Door {
    id: String,
    method: String,
    path: String,
    security: Value,
}

async fn doors(house: &House) -> Vec<Door> {
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
fn body_of(door: &Door, ids: &Ids) -> Option<Value> {
    Some(match door.id.as_str() {
        "create_site" => json!({"name": "Blog", "allowed_origins": []}),
        "add_identity_key" => json!({"public_key": PUBLIC_KEY}),
        "change_site" => json!({"description": "taken over"}),
        "change_workspace" => json!({"name": "taken over"}),
        "change_agent" => json!({"name": "taken over"}),
        "change_contact" => json!({"name": "taken over"}),
        "create_invitation" => json!({"email": "x@example.com", "role": "agent"}),
        "create_key" => json!({"name": "x", "scopes": ["conversations.read"]}),
        "merge_contact" => json!({"into_id": ids.contact}),
        "change_password" => json!({"current": "x", "new": "a wholly new phrase"}),
        "do_command" => json!({"do": "close", "conversation_id": ids.conversation}),
        "send_frame" => json!({"type": "unfollow", "conversation_id": ids.conversation}),
        _ => return None,
    })
}

/// Somebody's records.
struct Ids {
    site: String,
    secret: String,
    identity_key: String,
    agent: String,
    invitation: String,
    key: String,
    session: String,
    visitor: String,
    contact: String,
    conversation: String,
    attachment: String,
}

impl Ids {
    async fn of(house: &House, person: &Person) -> Self {
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
            "sessions" => &self.session,
            "visitors" => &self.visitor,
            "contacts" => &self.contact,
            "conversations" | "visitor" => &self.conversation,
            "attachments" => &self.attachment,
            other => panic!("no id for {other}"),
        };
        door.path
            .replace("{id}", id)
            .replace("{secret_id}", &self.secret)
            .replace("{key_id}", &self.identity_key)
    }
}

fn call(door: &Door, path: &str, ids: &Ids) -> Call {
    let mut call = Call::new(&door.method, path)
        .header("idempotency-key", "sweep-1")
        .header("if-match", "\"1\"");
    if let Some(body) = body_of(door, ids) {
        call = call.json(&body);
    }
    call
}

fn is_refused(answer: &Answer, codes: &[&str], door: &Door) {
    let code = answer.code();
    assert!(
        codes.contains(&code.as_str()),
        "{} {}: {code}",
        door.method,
        door.path
    );
}

#[tokio::test]
async fn no_door_opens_without_credentials() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let ids = Ids::of(&house, &owner).await;
    let mut swept = 0;
    for door in doors(&house).await {
        if OPEN.contains(&door.id.as_str()) {
            continue;
        }
        assert!(door.security.is_array(), "{} says nobody who may", door.id);
        let path = ids_path(&door, &ids);
        for forged in [
            call(&door, &path, &ids),
            call(&door, &path, &ids).bearer("sbs_0000000000000000000000000000000000000000000"),
            call(&door, &path, &ids).bearer("sbk_0000000000000000000000000000000000000000000"),
            call(&door, &path, &ids).bearer("v1.e30.AAAA"),
            call(&door, &path, &ids).header("cookie", "switchboard_session=sbs_x"),
        ] {
            let answer = house.ask(forged).await;
            is_refused(&answer, &["unauthenticated", "origin_refused"], &door);
        }
        swept += 1;
    }
    assert!(swept > 35, "{swept}");
}

fn ids_path(door: &Door, ids: &Ids) -> String {
    if door.path.contains("{id}") {
        ids.path(door)
    } else {
        door.path.clone()
    }
}

#[tokio::test]
async fn another_workspaces_records_do_not_exist() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let eve = house.foreigner().await;
    let foreign = Ids::of(&house, &eve).await;
    let all = [
        "conversations.read",
        "conversations.write",
        "visitors.read",
        "contacts.read",
        "contacts.write",
        "contacts.erase",
        "sites.write",
        "team.write",
        "settings.write",
        "audit.read",
        "keys.write",
        "owner",
    ];
    let key = Person {
        secret: house.key(&owner, &all).await,
        me: Value::Null,
    };
    let before = snapshot(&house, &eve, &foreign).await;
    let mut swept = 0;
    for door in doors(&house).await {
        let by_id = door.path.contains("{id}") || door.id == "do_command";
        if !by_id || door.path.starts_with("/visitor/") {
            continue;
        }
        let path = ids_path(&door, &foreign);
        for person in [&owner, &key] {
            let answer = house.as_(person, call(&door, &path, &foreign)).await;
            // Sessions are a person's own, so a key is nobody there.
            is_refused(&answer, &["not_found", "unauthenticated"], &door);
        }
        swept += 1;
    }
    assert!(swept > 18, "{swept}");
    assert_eq!(
        snapshot(&house, &eve, &foreign).await,
        before,
        "nothing was touched"
    );
}

/// What of somebody's records a stranger might have changed.
async fn snapshot(house: &House, person: &Person, ids: &Ids) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        format!("/sites/{}", ids.site),
        format!("/agents/{}", ids.agent),
        format!("/contacts/{}", ids.contact),
        format!("/conversations/{}", ids.conversation),
        format!("/sites/{}/secrets", ids.site),
        format!("/sites/{}/identity-keys", ids.site),
        "/invitations".to_owned(),
        "/workspace".to_owned(),
        "/audit".to_owned(),
    ] {
        seen.push(house.as_(person, Call::get(&path)).await.good());
    }
    seen
}

#[tokio::test]
async fn another_workspace_cannot_be_named() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let eve = house.foreigner().await;
    let foreign = id_in(&eve.me["memberships"][0], "workspace_id");
    let call = |name: &str| Call::get("/workspace").header("switchboard-workspace", name);
    let answer = house.as_(&owner, call(&foreign)).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
    let answer = house.as_(&owner, call("nonsense")).await;
    assert_eq!(answer.field(), "workspace");
    let own = id_in(&owner.me["memberships"][0], "workspace_id");
    assert_eq!(house.as_(&owner, call(&own)).await.status, 200);
}

#[tokio::test]
async fn lists_show_the_own_workspace_alone() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let eve = house.foreigner().await;
    let foreign = Ids::of(&house, &eve).await;
    for path in [
        "/sites",
        "/agents",
        "/keys",
        "/invitations",
        "/conversations",
        "/audit",
        "/conversations?search=hello",
        "/failed-logins",
    ] {
        let answer = house.as_(&owner, Call::get(path)).await;
        answer.good();
        for id in [
            &foreign.site,
            &foreign.agent,
            &foreign.key,
            &foreign.invitation,
            &foreign.conversation,
            &foreign.contact,
        ] {
            assert!(!answer.body.contains(id.as_str()), "{path}");
        }
    }
}
