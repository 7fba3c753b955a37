//! Sweeps over every door of the document: nobody without credentials, nobody of another workspace,
//! no program beyond its scopes.

use serde_json::Value;

use crate::house::{House, Person, Trust, id_in};
use crate::sweep::{Door, Ids, call, doors, ids_path};
use crate::wire::{Answer, Call};

/// The doors that anybody may knock at; what they ask for instead stands in their own tests.
const OPEN: &[&str] = &[
    "get_setup",
    "set_up",
    "log_in",
    "look_up_invitation",
    "accept_invitation",
    "begin_visitor_session",
    "get_picture",
    "open_socket",
    "open_stream",
];

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
        "canned.write",
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
        // Whoever knows the id of a picture may have it: their own test tells who does.
        if !by_id || door.path.starts_with("/visitor/") || door.id == "get_picture" {
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

#[tokio::test]
async fn no_command_reaches_another_workspaces_conversation() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let eve = house.foreigner().await;
    let foreign = Ids::of(&house, &eve).await;
    let before = snapshot(&house, &eve, &foreign).await;
    // Every command there is, as the fixtures write it.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/fixtures/command");
    let mut swept = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let mut command: Value = serde_json::from_str(&text).unwrap();
        let mut is_about_hers = false;
        for (field, id) in [
            ("conversation_id", &foreign.conversation),
            ("visitor_id", &foreign.visitor),
        ] {
            if command.get(field).is_some() {
                command[field] = id.as_str().into();
                is_about_hers = true;
            }
        }
        // What names nothing is about the speaker himself.
        if !is_about_hers {
            continue;
        }
        let call = Call::post("/commands", &command);
        let call = call.header("idempotency-key", &format!("foreign-{swept}"));
        let answer = house.as_(&owner, call).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "not_found"),
            "{command}"
        );
        swept += 1;
    }
    assert!(swept > 14, "{swept}");
    let after = snapshot(&house, &eve, &foreign).await;
    assert_eq!(after, before, "nothing was touched");
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
        "/canned-responses".to_owned(),
        "/saved-views".to_owned(),
        "/blocked-addresses".to_owned(),
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
        "/canned-responses",
        "/saved-views",
        "/blocked-addresses",
        "/todos",
        "/invitations",
        "/conversations",
        "/audit",
        "/conversations?search=hello",
        "/failed-logins",
        "/sign-ins",
        "/attendance",
    ] {
        let answer = house.as_(&owner, Call::get(path)).await;
        answer.good();
        for id in [
            &foreign.site,
            &foreign.agent,
            &foreign.key,
            &foreign.canned_response,
            &foreign.saved_view,
            &foreign.blocked_address,
            &foreign.invitation,
            &foreign.conversation,
            &foreign.contact,
        ] {
            assert!(!answer.body.contains(id.as_str()), "{path}");
        }
    }
}
