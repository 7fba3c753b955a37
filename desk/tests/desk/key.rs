//! API keys.

use protocol::key::NewApiKey;
use protocol::limit;
use protocol::permission::{Permission, Principal, Role};
use protocol::rejection::ErrorCode;
use protocol::text::Name;

use crate::office::{code, on_both, refused};

fn new(scopes: &[Permission]) -> NewApiKey {
    NewApiKey {
        name: Name::parse("shop").unwrap(),
        scopes: scopes.to_vec(),
        expires_at_ms: None,
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_known_by_its_hash() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let scopes = [Permission::ConversationsRead];
        let made = office
            .desk
            .create_key(&owner, &new(&scopes), None)
            .await
            .unwrap();
        let plain = made.key.clone().expect("shown once");
        assert!(plain.starts_with("sbk_") && plain.len() == 47);
        assert!(plain.starts_with(&made.hint) && made.hint.len() == 8);
        let listed = office.desk.keys(&owner).await.unwrap();
        assert!(listed.len() == 1 && listed[0].key.is_none());
        assert!(listed[0].used_at_ms.is_none());
        office.world.faults.fail("storage.batch", 0, 1);
        let unnoted = office.desk.key_actor(&plain).await.unwrap();
        assert!(unnoted.is_some(), "the store takes no writes");
        let listed = office.desk.keys(&owner).await.unwrap();
        assert!(listed[0].used_at_ms.is_none());
        let actor = office
            .desk
            .key_actor(&plain)
            .await
            .unwrap()
            .expect("the key is alive");
        assert_eq!(actor.workspace_id, owner.workspace_id);
        assert!(actor.may(Permission::ConversationsRead).is_ok());
        assert!(actor.may(Permission::ConversationsWrite).is_err());
        let used = office.desk.keys(&owner).await.unwrap()[0]
            .used_at_ms
            .unwrap();
        assert_eq!(used % 60_000, 0, "to the minute");
        let mut other = plain.clone();
        other.pop();
        for wrong in ["sbk_", "", other.as_str(), &format!("{other}_")] {
            assert!(office.desk.key_actor(wrong).await.unwrap().is_none());
        }
        office.desk.revoke_key(&owner, made.id, None).await.unwrap();
        assert!(office.desk.key_actor(&plain).await.unwrap().is_none());
        let again = office.desk.revoke_key(&owner, made.id, None).await;
        assert_eq!(code(again), ErrorCode::NotFound);
        let audit = serde_json::to_string(&office.audit(&owner).await).unwrap();
        assert!(audit.contains("key.created") && audit.contains("key.revoked"));
        assert!(!audit.contains(&plain));
    })
    .await;
}

#[tokio::test]
async fn a_key_has_no_more_than_its_maker_and_makes_no_more_than_itself() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (admin, _) = office.member(&owner, "ana@example.com", Role::Admin).await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let read = [Permission::ConversationsRead];
        let by_agent = office.desk.create_key(&agent, &new(&read), None).await;
        assert_eq!(code(by_agent), ErrorCode::Forbidden);
        let above = office
            .desk
            .create_key(&admin, &new(&[Permission::OwnerOnly]), None)
            .await;
        assert_eq!(refused(above).field.as_deref(), Some("scopes"));
        let none = office.desk.create_key(&admin, &new(&[]), None).await;
        assert_eq!(code(none), ErrorCode::Empty);
        let maker = [Permission::KeysWrite, Permission::TeamWrite];
        let made = office
            .desk
            .create_key(&admin, &new(&maker), None)
            .await
            .unwrap();
        let key = office
            .desk
            .key_actor(&made.key.unwrap())
            .await
            .unwrap()
            .unwrap();
        assert!(matches!(key.principal, Principal::Key(_)));
        let wider = office.desk.create_key(&key, &new(&read), None).await;
        assert_eq!(code(wider), ErrorCode::Forbidden);
        let invitation = crate::office::invitation("eve@example.com", Role::Admin);
        let invited = office.desk.invite(&key, &invitation, None).await;
        assert_eq!(code(invited), ErrorCode::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn a_key_lapses_when_it_was_told_to() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let now_ms = office.world.clock.now_ms();
        let lapsing = |expires_at_ms| NewApiKey {
            expires_at_ms: Some(expires_at_ms),
            ..new(&[Permission::ConversationsRead])
        };
        for wrong in [0, now_ms, now_ms + 59_999, u64::MAX] {
            let made = office.desk.create_key(&owner, &lapsing(wrong), None).await;
            let refused = refused(made);
            assert_eq!(
                (refused.code, refused.field.as_deref()),
                (ErrorCode::Invalid, Some("expires_at_ms"))
            );
        }
        let expires_at_ms = now_ms + 90_000;
        let new = lapsing(expires_at_ms);
        let made = office.desk.create_key(&owner, &new, None).await.unwrap();
        assert_eq!(made.expires_at_ms, Some(expires_at_ms));
        let key = made.key.unwrap();
        office.wait(89);
        assert!(office.desk.key_actor(&key).await.unwrap().is_some());
        office.wait(1);
        assert!(office.desk.key_actor(&key).await.unwrap().is_none());
        // It is still listed, so that somebody notices, and revokes it.
        let listed = office.desk.keys(&owner).await.unwrap();
        assert_eq!(listed[0].expires_at_ms, Some(expires_at_ms));
    })
    .await;
}

#[tokio::test]
async fn there_are_so_many_keys_and_no_more() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let scopes = [Permission::ConversationsRead];
        for _ in 0..limit::API_KEYS_MAX {
            office
                .desk
                .create_key(&owner, &new(&scopes), None)
                .await
                .unwrap();
        }
        let over = office.desk.create_key(&owner, &new(&scopes), None).await;
        assert_eq!(code(over), ErrorCode::TooMany);
    })
    .await;
}
