//! Set-up: once, whole, by its link or unattended.

use protocol::permission::Role;
use protocol::rejection::ErrorCode;
use protocol::site::NewSite;

use crate::office::{PASSWORD, caller, code, on_both, refused, setup};
use desk::NewMember;

#[tokio::test]
async fn set_up_makes_owner_workspace_and_site_and_signs_in() {
    on_both(async |office| {
        assert!(!office.desk.setup_state().await.unwrap().done);
        let token = office.desk.issue_setup_token().await.unwrap().unwrap();
        let (done, signed_in) = office
            .desk
            .set_up(setup(&token), &caller("192.0.2.1"))
            .await
            .unwrap();
        assert!(office.desk.setup_state().await.unwrap().done);
        assert_eq!(done.site.allowed_origins, ["https://shop.example.com"]);
        let [place] = &signed_in.me.memberships[..] else {
            panic!("one membership");
        };
        assert_eq!((place.role, place.name.as_str()), (Role::Owner, "Olga"));
        assert_eq!(place.workspace_id, done.workspace_id);
        let actor = office.actor(&signed_in).await;
        let workspace = office.desk.workspace(&actor).await.unwrap();
        assert_eq!(workspace.time_zone, "Europe/Ljubljana");
        let secrets = office
            .desk
            .site_secrets(&actor, done.site.id)
            .await
            .unwrap();
        assert_eq!(secrets.len(), 2, "one of each kind");
        let audit = office.audit(&actor).await;
        assert_eq!(audit[0].action, "workspace.created");
        assert_eq!(audit[0].actor, place.agent_id.to_string());
        assert!(office.desk.issue_setup_token().await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn only_the_newest_link_sets_up_and_only_once() {
    on_both(async |office| {
        let at = caller("192.0.2.1");
        assert_eq!(
            code(office.desk.set_up(setup(""), &at).await),
            ErrorCode::LinkInvalid
        );
        let old = office.desk.issue_setup_token().await.unwrap().unwrap();
        let new = office.desk.issue_setup_token().await.unwrap().unwrap();
        assert_eq!(
            code(office.desk.set_up(setup(&old), &at).await),
            ErrorCode::LinkInvalid
        );
        let (first, second) = tokio::join!(
            office.desk.set_up(setup(&new), &at),
            office.desk.set_up(setup(&new), &at),
        );
        assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
        let lost = first.err().or(second.err()).unwrap().rejection().code;
        assert!(
            matches!(lost, ErrorCode::AlreadySetUp | ErrorCode::LinkInvalid),
            "{lost:?}"
        );
        assert_eq!(
            code(office.desk.set_up(setup(&new), &at).await),
            ErrorCode::AlreadySetUp
        );
    })
    .await;
}

#[tokio::test]
async fn a_refused_set_up_leaves_nothing_and_spends_nothing() {
    on_both(async |office| {
        let at = caller("192.0.2.1");
        let token = office.desk.issue_setup_token().await.unwrap().unwrap();
        let mut weak = setup(&token);
        weak.password = "olga@example.com".to_owned();
        assert_eq!(
            code(office.desk.set_up(weak, &at).await),
            ErrorCode::PasswordWeak
        );
        let mut wrong = setup(&token);
        wrong.site = NewSite {
            allowed_origins: vec!["https://*.example.com".to_owned()],
            ..wrong.site
        };
        let refusal = refused(office.desk.set_up(wrong, &at).await);
        assert_eq!(refusal.field.as_deref(), Some("allowed_origins"));
        assert!(!office.desk.setup_state().await.unwrap().done);
        assert!(office.desk.set_up(setup(&token), &at).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn unattended_set_up_works_once_and_changes_nothing_later() {
    on_both(async |office| {
        let made = office
            .desk
            .set_up_unattended("olga@example.com", PASSWORD)
            .await
            .unwrap();
        assert!(made.made);
        let again = office
            .desk
            .set_up_unattended("eve@example.com", "another good one")
            .await;
        let again = again.unwrap();
        assert!(!again.made);
        assert_eq!(again.site_key, made.site_key);
        let signed_in = office
            .log_in("olga@example.com", PASSWORD, "192.0.2.1")
            .await
            .unwrap();
        let actor = office.actor(&signed_in).await;
        let sites = office.desk.sites(&actor).await.unwrap();
        assert_eq!(sites[0].allowed_origins, ["loopback"]);
        let stranger = office
            .log_in("eve@example.com", "another good one", "192.0.2.1")
            .await;
        assert_eq!(code(stranger), ErrorCode::WrongCredentials);
    })
    .await;
}

#[tokio::test]
async fn unattended_set_up_keeps_the_rules() {
    on_both(async |office| {
        let weak = office
            .desk
            .set_up_unattended("olga@example.com", "short")
            .await;
        assert_eq!(code(weak), ErrorCode::PasswordWeak);
        let nobody = office.desk.set_up_unattended("nobody", PASSWORD).await;
        assert_eq!(code(nobody), ErrorCode::Invalid);
        assert!(!office.desk.setup_state().await.unwrap().done);
    })
    .await;
}

#[tokio::test]
async fn an_operator_adds_members_and_resets_passwords() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let new = NewMember {
            email: "ana@example.com".to_owned(),
            name: "Ana".to_owned(),
            role: Role::Admin,
            password: PASSWORD.to_owned(),
            workspace_id: None,
        };
        let ana = office.desk.add_user(&new).await.unwrap();
        assert_eq!(
            (ana.role, ana.time_zone.as_str()),
            (Role::Admin, "Europe/Ljubljana")
        );
        assert_eq!(office.audit(&owner).await[0].actor, "system");
        assert_eq!(
            code(office.desk.add_user(&new).await),
            ErrorCode::AlreadyExists
        );
        let signed_in = office
            .log_in("ANA@example.com", PASSWORD, "192.0.2.3")
            .await
            .unwrap();
        office
            .desk
            .reset_password("ana@example.com", "another good one")
            .await
            .unwrap();
        assert!(
            office
                .desk
                .session(&signed_in.secret)
                .await
                .unwrap()
                .is_none()
        );
        let old = office
            .log_in("ana@example.com", PASSWORD, "192.0.2.3")
            .await;
        assert_eq!(code(old), ErrorCode::WrongCredentials);
        assert!(
            office
                .log_in("ana@example.com", "another good one", "192.0.2.3")
                .await
                .is_ok()
        );
        let unknown = office
            .desk
            .reset_password("eve@example.com", PASSWORD)
            .await;
        assert_eq!(code(unknown), ErrorCode::NotFound);
    })
    .await;
}
