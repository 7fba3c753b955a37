//! Contacts: changed, merged, taken apart again, erased.

use protocol::command::{Command, Draft};
use protocol::contact::ContactChange;
use protocol::id::{ContactId, ConversationId};
use protocol::limit;
use protocol::permission::{Actor, Permission, Principal, Role, VisitorActor};
use protocol::rejection::ErrorCode;
use protocol::text::{Body, ClientId};
use protocol::visitor::{Browser, Device};
use router::Newcomer;

use crate::office::{Office, code, on_both, refused};

fn browser() -> Browser {
    Browser {
        device: Device::Desktop,
        name: "Firefox".to_owned(),
        system: "Linux".to_owned(),
        language: None,
        time_zone: None,
        country: None,
        city: None,
    }
}

/// Somebody who wrote, and is therefore a contact.
async fn somebody(office: &Office, owner: &Actor, words: &str) -> (ContactId, ConversationId) {
    let site_id = office.site(owner).await;
    let newcomer = Newcomer {
        workspace_id: owner.workspace_id,
        site_id,
        before: None,
        fresh: false,
        proof: None,
        browser: browser(),
        address: Some("192.0.2.77".to_owned()),
    };
    let standing = office.router.begin_visitor(&newcomer).await.unwrap();
    let visitor = Actor {
        workspace_id: owner.workspace_id,
        principal: Principal::Visitor(VisitorActor {
            visitor_id: standing.visitor_id,
            site_id,
            contact_id: None,
        }),
    };
    let command = Command::SendMessage {
        conversation_id: None,
        draft: Draft {
            body: Some(Body::parse(words).unwrap()),
            format: protocol::message::Format::Plain,
            reply_to_id: None,
            attachment_ids: Vec::new(),
        },
    };
    let client_id = ClientId::parse("first").unwrap();
    let ack = office
        .router
        .handle(&visitor, client_id, command)
        .await
        .unwrap();
    let conversation_id = ack.conversation_id.unwrap();
    let found = storage::conversation::find(&office.db, owner.workspace_id, conversation_id).await;
    (found.unwrap().unwrap().contact_id, conversation_id)
}

fn named(name: &str, email: &str) -> ContactChange {
    ContactChange {
        name: Some(name.to_owned()),
        email: Some(email.to_owned()),
        ..ContactChange::default()
    }
}

#[tokio::test]
async fn a_contact_is_changed_by_version_and_facts_can_be_taken_away() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let (contact_id, _) = somebody(office, &owner, "hello").await;
        let contact = office.desk.contact(&agent, contact_id).await.unwrap();
        let version = contact.version;
        let change = named("Ana Kovač", "ana@example.com");
        let contact = office
            .desk
            .change_contact(&agent, contact_id, version, &change, None)
            .await
            .unwrap();
        assert_eq!(contact.name, "Ana Kovač");
        assert_eq!(contact.email.as_deref(), Some("ana@example.com"));
        let stale = office
            .desk
            .change_contact(&agent, contact_id, version, &change, None)
            .await;
        assert_eq!(code(stale), ErrorCode::VersionConflict);
        let version = contact.version;
        let wrong = named("Ana", "nobody");
        let refusal = refused(
            office
                .desk
                .change_contact(&agent, contact_id, version, &wrong, None)
                .await,
        );
        assert_eq!(refusal.field.as_deref(), Some("email"));
        let none = named("Ana Kovač", "");
        let contact = office
            .desk
            .change_contact(&agent, contact_id, version, &none, None)
            .await
            .unwrap();
        assert_eq!(contact.email, None);
        let unknown: ContactId = office.world.ids.next();
        let nobody = office
            .desk
            .change_contact(&agent, unknown, 1, &none, None)
            .await;
        assert_eq!(code(nobody), ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_contact_has_room_for_so_many_addresses_and_numbers() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (contact_id, _) = somebody(office, &owner, "hello").await;
        let change = async |email: Option<String>, phone: Option<String>| {
            let contact = office.desk.contact(&owner, contact_id).await.unwrap();
            let change = ContactChange {
                email,
                phone,
                ..ContactChange::default()
            };
            let desk = &office.desk;
            desk.change_contact(&owner, contact_id, contact.version, &change, None)
                .await
        };
        // The browser he wrote with does not count.
        for n in 1..limit::CONTACT_IDENTITIES_MAX {
            let email = format!("ana{n}@example.com");
            change(Some(email), None).await.unwrap();
        }
        let last = change(None, Some("+386 1".to_owned())).await.unwrap();
        let new = |text: &str| Some(text.to_owned());
        for (email, phone, field) in [
            (new("more@example.com"), None, "email"),
            (None, new("+386 2"), "phone"),
            (new("ANA1@example.com"), new("+386 2"), "phone"),
        ] {
            let refusal = refused(change(email, phone).await);
            assert_eq!(refusal.code, ErrorCode::TooMany);
            assert_eq!(refusal.field.as_deref(), Some(field));
            let contact = office.desk.contact(&owner, contact_id).await.unwrap();
            assert_eq!(contact, last, "nothing changed");
        }
        // What is known may be said again, and taken away.
        let again = change(new("ANA1@example.com"), new("")).await.unwrap();
        assert_eq!(again.phone, None);
        assert_eq!(again.identities.len(), last.identities.len());
    })
    .await;
}

#[tokio::test]
async fn a_merge_points_and_can_be_taken_back() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (one, first) = somebody(office, &owner, "hello").await;
        let (two, second) = somebody(office, &owner, "hello again").await;
        let merged = office
            .desk
            .merge_contact(&owner, one, two, None)
            .await
            .unwrap();
        assert_eq!(merged.merged_into_id, Some(two));
        let scope = owner.may(Permission::ConversationsRead).unwrap();
        let page = storage::conversation::of_contact(&office.db, &scope, two, None, 10).await;
        let mut both: Vec<_> = page.unwrap().items.iter().map(|row| row.id).collect();
        both.sort_unstable();
        let mut expected = vec![first, second];
        expected.sort_unstable();
        assert_eq!(both, expected);
        for (from, into) in [(two, one), (one, one), (two, two)] {
            let circle = refused(office.desk.merge_contact(&owner, from, into, None).await);
            assert_eq!(circle.field.as_deref(), Some("into_id"));
        }
        let unknown: ContactId = office.world.ids.next();
        let nobody = office.desk.merge_contact(&owner, two, unknown, None).await;
        assert_eq!(code(nobody), ErrorCode::NotFound);
        let apart = office
            .desk
            .unmerge_contact(&owner, one, None)
            .await
            .unwrap();
        assert_eq!(apart.merged_into_id, None);
        let twice = office.desk.unmerge_contact(&owner, one, None).await;
        assert_eq!(code(twice), ErrorCode::OutOfOrder);
        let page = storage::conversation::of_contact(&office.db, &scope, two, None, 10).await;
        assert_eq!(page.unwrap().items.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn erasing_needs_its_right_and_leaves_no_name() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let (contact_id, conversation_id) = somebody(office, &owner, "call me Rumpelstilz").await;
        let version = office
            .desk
            .contact(&owner, contact_id)
            .await
            .unwrap()
            .version;
        let change = named("Rumpelstilz", "rumpel@example.com");
        office
            .desk
            .change_contact(&owner, contact_id, version, &change, None)
            .await
            .unwrap();
        let by_agent = office.desk.erase_contact(&agent, contact_id).await;
        assert_eq!(code(by_agent), ErrorCode::Forbidden);
        office.desk.erase_contact(&owner, contact_id).await.unwrap();
        let entries = storage::entry::before(
            &office.db,
            owner.workspace_id,
            conversation_id,
            storage::entry::Numbering::Team,
            None,
            200,
        );
        let entries = serde_json::to_string(&entries.await.unwrap()).unwrap();
        let audit = serde_json::to_string(&office.audit(&owner).await).unwrap();
        for place in [entries, audit] {
            assert!(!place.to_lowercase().contains("rumpel"), "{place}");
        }
        let unknown: ContactId = office.world.ids.next();
        let nobody = office.desk.erase_contact(&owner, unknown).await;
        assert_eq!(code(nobody), ErrorCode::NotFound);
    })
    .await;
}
