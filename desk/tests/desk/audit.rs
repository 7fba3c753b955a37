//! The audit log as a list.

use protocol::page::{Cursor, List};
use protocol::permission::{Permission, Role};
use protocol::site::SiteChange;

use crate::office::{caller, on_both};

#[tokio::test]
async fn the_log_pages_without_gaps_or_doubles_and_names_the_address() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let site_id = office.site(&owner).await;
        for version in 1..=7 {
            let change = SiteChange {
                description: Some(format!("take {version}")),
                ..SiteChange::default()
            };
            let at = caller("192.0.2.55");
            office
                .desk
                .change_site(&owner, site_id, version, change, Some(&at))
                .await
                .unwrap();
        }
        let scope = owner.may(Permission::AuditRead).unwrap();
        let whole = storage::audit::list(&office.db, &scope, None, 100)
            .await
            .unwrap()
            .items;
        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let page = storage::audit::list(&office.db, &scope, cursor.as_ref(), 3).await;
            let page = page.unwrap();
            paged.extend(page.items);
            let Some(next) = page.cursor else { break };
            cursor = Some(Cursor::read(&next, List::Audit).unwrap());
        }
        assert_eq!(paged, whole);
        assert_eq!(whole[0].address.as_deref(), Some("192.0.2.55"));
        assert_eq!(whole.len(), 8);
    })
    .await;
}

#[tokio::test]
async fn a_refused_change_leaves_no_line() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let before = office.audit(&owner).await.len();
        let site_id = office.site(&owner).await;
        let change = || SiteChange {
            description: Some("x".to_owned()),
            ..SiteChange::default()
        };
        assert!(
            office
                .desk
                .change_site(&agent, site_id, 1, change(), None)
                .await
                .is_err()
        );
        assert!(
            office
                .desk
                .change_site(&owner, site_id, 9, change(), None)
                .await
                .is_err()
        );
        assert_eq!(office.audit(&owner).await.len(), before);
    })
    .await;
}

#[tokio::test]
async fn a_line_says_what_its_ids_are_called() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (bob, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let site_id = office.site(&owner).await;
        let name = protocol::text::Name::parse("Tea room").unwrap();
        let change = SiteChange {
            name: Some(name),
            ..SiteChange::default()
        };
        office
            .desk
            .change_site(&owner, site_id, 1, change, None)
            .await
            .unwrap();
        let lines = office.audit(&owner).await;
        let changed = &lines[0];
        assert_eq!(changed.target, site_id.to_string());
        assert_eq!(changed.names[&changed.target], "Tea room");
        assert!(!changed.names[&changed.actor].is_empty());
        let joined = lines.iter().find(|line| line.action == "agent.joined");
        let joined = joined.unwrap();
        assert_eq!(joined.target, bob.principal_key());
        assert!(joined.names.contains_key(&joined.target));
        let invited = lines
            .iter()
            .find(|line| line.action == "invitation.created");
        let invited = invited.unwrap();
        assert_eq!(invited.names[&invited.target], "bob@example.com");
    })
    .await;
}
