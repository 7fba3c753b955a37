//! What a business says of itself, with a line of the log for each change.

use protocol::permission::Role;
use protocol::rejection::ErrorCode;
use protocol::support_hours::SupportHours;
use protocol::workspace::WorkspaceChange;

use crate::office::{code, on_both, refused};

fn hours(json: &str) -> SupportHours {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn what_a_workspace_says_of_itself_is_checked_kept_and_logged() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let friday =
            r#"{"friday": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "24:00"}]}"#;
        let new = WorkspaceChange {
            time_zone: Some("europe/zagreb".to_owned()),
            industry: Some(" Tea ".to_owned()),
            currency: Some("eur".to_owned()),
            support_hours: Some(hours(friday)),
            ..WorkspaceChange::default()
        };
        let change = async |actor, version, new: &WorkspaceChange| {
            office.wait(1);
            office
                .desk
                .change_workspace(actor, version, new, None)
                .await
        };
        assert_eq!(code(change(&agent, 1, &new).await), ErrorCode::Forbidden);
        let done = change(&owner, 1, &new).await.unwrap();
        assert_eq!(
            (done.version, done.time_zone.as_str()),
            (2, "Europe/Zagreb")
        );
        assert_eq!(
            (done.industry.as_str(), done.currency.as_str()),
            ("Tea", "EUR")
        );
        assert_eq!(done.support_hours, hours(friday));
        assert_eq!(
            code(change(&owner, 1, &new).await),
            ErrorCode::VersionConflict
        );
        assert_eq!(
            change(&owner, 2, &new).await.unwrap().version,
            2,
            "nothing new"
        );
        let wrong =
            r#"{"friday": [{"from": "13:00", "to": "24:00"}, {"from": "09:00", "to": "12:00"}]}"#;
        let wrong = WorkspaceChange {
            support_hours: Some(hours(wrong)),
            ..WorkspaceChange::default()
        };
        let refusal = refused(change(&owner, 2, &wrong).await);
        assert_eq!(refusal.field.as_deref(), Some("support_hours"));
        let icon = WorkspaceChange {
            icon: Some("data:image/svg+xml;base64,PHN2Zz4=".to_owned()),
            ..WorkspaceChange::default()
        };
        let refusal = refused(change(&owner, 2, &icon).await);
        assert_eq!(
            (refusal.code, refusal.field.as_deref()),
            (ErrorCode::FileType, Some("icon"))
        );
        let log = office.audit(&owner).await;
        assert_eq!(
            log[0].fields,
            ["time_zone", "industry", "currency", "support_hours"]
        );
        let changes = log[0].changes_json.as_deref().unwrap();
        assert!(changes.contains(r#""currency":["","EUR"]"#), "{changes}");
    })
    .await;
}
