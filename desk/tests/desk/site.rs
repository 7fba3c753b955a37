//! Sites, their secrets, and the workspace.

use protocol::id::SiteId;
use protocol::identity_key::NewIdentityKey;
use protocol::language::WidgetLanguage;
use protocol::limit;
use protocol::permission::{Actor, Role};
use protocol::rejection::ErrorCode;
use protocol::site::{SecretKind, SiteChange, SiteSecret};
use protocol::workspace::{Settings, SiteOverrides, WorkspaceChange};

use crate::office::{Office, code, new_site, on_both, refused, system};

/// Public keys whose private halves were thrown away.
const KEYS: [&str; 3] = [
    r#"{"kty":"EC","crv":"P-256","x":"xWN2QvhhqQ-17p5z74jYTskEmZtKuQGSv4P2HCl4HBA","y":"WAkWvQ2Pxo89PtAmw81LQYlqOTqyfNz_YGG2hZ3hu0Y"}"#,
    r#"{"kty":"EC","crv":"P-256","x":"D9gePSeN_q1NFMHlSINIIi00ePMEswhLbFBftWIC1vI","y":"ESBljX9rICLVS3x628l8rdzWcTAcztc6UKppVXXtPkw"}"#,
    r#"{"kty":"EC","crv":"P-256","x":"qfMd2tFohrWXru15X8j1WUEaG8qsq7FJZ-AJx_gRG8M","y":"6lg2jyzRcNk6A267Ob-EVLvGUJf9wTmc64aRxuW6ysg"}"#,
];

#[tokio::test]
async fn a_site_is_made_changed_and_archived_with_a_line_for_each() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let site = office
            .desk
            .create_site(&owner, new_site("Blog"), None)
            .await
            .unwrap();
        assert_eq!(site.version, 1);
        office.wait(1);
        let change = SiteChange {
            allowed_origins: Some(vec!["HTTPS://Blog.example.com/".to_owned()]),
            ..SiteChange::default()
        };
        let site = office
            .desk
            .change_site(&owner, site.id, 1, change, None)
            .await
            .unwrap();
        assert_eq!(site.allowed_origins, ["https://blog.example.com"]);
        office.wait(1);
        let archive = SiteChange {
            archived: Some(true),
            ..SiteChange::default()
        };
        let site = office
            .desk
            .change_site(&owner, site.id, 2, archive, None)
            .await
            .unwrap();
        assert!(site.archived);
        let audit = office.audit(&owner).await;
        let actions: Vec<_> = audit.iter().map(|line| line.action.as_str()).collect();
        assert_eq!(
            actions[..3],
            ["site.archived", "site.changed", "site.created"]
        );
        assert_eq!(audit[1].fields, ["allowed_origins"]);
        assert!(
            audit[1]
                .changes_json
                .as_ref()
                .unwrap()
                .contains("blog.example.com")
        );
        assert_eq!(audit[1].target, site.id.to_string());
    })
    .await;
}

#[tokio::test]
async fn a_site_change_is_refused_whole() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let site_id = office.site(&owner).await;
        let named = |name: &str| SiteChange {
            description: Some(name.to_owned()),
            ..SiteChange::default()
        };
        let by_agent = office
            .desk
            .change_site(&agent, site_id, 1, named("x"), None)
            .await;
        assert_eq!(code(by_agent), ErrorCode::Forbidden);
        let stale = office
            .desk
            .change_site(&owner, site_id, 7, named("x"), None)
            .await;
        assert_eq!(code(stale), ErrorCode::VersionConflict);
        let half = SiteChange {
            description: Some("fine".to_owned()),
            domain: Some("not fine".to_owned()),
            ..SiteChange::default()
        };
        let refusal = refused(
            office
                .desk
                .change_site(&owner, site_id, 1, half, None)
                .await,
        );
        assert_eq!(refusal.field.as_deref(), Some("domain"));
        let unknown: SiteId = office.world.ids.next();
        let nowhere = office
            .desk
            .change_site(&owner, unknown, 1, named("x"), None)
            .await;
        assert_eq!(code(nowhere), ErrorCode::NotFound);
        let mut many = new_site("Many");
        many.allowed_origins = (0..=limit::ORIGINS_MAX)
            .map(|n| format!("https://{n}.example"))
            .collect();
        assert_eq!(
            code(office.desk.create_site(&owner, many, None).await),
            ErrorCode::TooMany
        );
        let site = office.desk.site(&owner, site_id).await.unwrap();
        assert_eq!((site.version, site.description.as_str()), (1, ""));
    })
    .await;
}

/// The secrets that sign identities.
async fn identities(office: &Office, by: &Actor, site_id: SiteId) -> Vec<SiteSecret> {
    let mut secrets = office.desk.site_secrets(by, site_id).await.unwrap();
    secrets.retain(|secret| secret.kind == SecretKind::Identity);
    secrets
}

#[tokio::test]
async fn a_site_has_a_secret_of_each_kind_and_each_is_rotated_for_itself() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let blog = new_site("Blog");
        let site_id = office
            .desk
            .create_site(&owner, blog, None)
            .await
            .unwrap()
            .id;
        let living = async || {
            let secrets = office.desk.site_secrets(&owner, site_id).await.unwrap();
            let mut kinds: Vec<_> = secrets.iter().map(|secret| secret.kind.as_str()).collect();
            kinds.sort_unstable();
            (kinds, secrets)
        };
        let (kinds, first) = living().await;
        assert_eq!(kinds, ["identity", "webhook"]);
        office.wait(1);
        let kind = SecretKind::Webhook;
        let made = office.desk.rotate_site_secret(&owner, site_id, kind, None);
        let made = made.await.unwrap();
        assert_eq!(made.kind, kind);
        assert!(made.secret.unwrap().starts_with("sbw_"));
        let (kinds, secrets) = living().await;
        assert_eq!(kinds, ["identity", "webhook", "webhook"]);
        let lapses = |secret: &&SiteSecret| secret.expires_at_ms.is_some();
        let lapsing: Vec<_> = secrets.iter().filter(lapses).collect();
        assert!(lapsing.len() == 1 && lapsing[0].kind == kind);
        // The last one of each kind stays, whatever there is of the other.
        let identity = first.iter().find(|one| one.kind == SecretKind::Identity);
        let drop = async |id| {
            office
                .desk
                .drop_site_secret(&owner, site_id, id, None)
                .await
        };
        assert_eq!(
            code(drop(identity.unwrap().id).await),
            ErrorCode::OutOfOrder
        );
        drop(lapsing[0].id).await.unwrap();
        assert_eq!(code(drop(made.id).await), ErrorCode::OutOfOrder);
        assert_eq!(living().await.0, ["identity", "webhook"]);
    })
    .await;
}

#[tokio::test]
async fn a_site_sets_otherwise_within_the_bounds_of_its_workspace() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let site_id = office.site(&owner).await;
        let setting = |overrides| SiteChange {
            overrides: Some(overrides),
            ..SiteChange::default()
        };
        let version = office.desk.site(&owner, site_id).await.unwrap().version;
        let wild = setting(SiteOverrides {
            messages_per_minute: Some(0),
            ..SiteOverrides::default()
        });
        let change = office
            .desk
            .change_site(&owner, site_id, version, wild, None);
        assert_eq!(
            refused(change.await).field.as_deref(),
            Some("messages_per_minute")
        );
        let overrides = SiteOverrides {
            active_threshold_ms: Some(20_000),
            messages_per_minute: Some(30),
            language: Some(WidgetLanguage::French),
            ..SiteOverrides::default()
        };
        let change = setting(overrides.clone());
        let site = office
            .desk
            .change_site(&owner, site_id, version, change, None);
        let site = site.await.unwrap();
        assert_eq!(site.overrides, overrides);
        let workspace = office.desk.workspace(&owner).await.unwrap();
        let settings = site.settings(&workspace.settings);
        assert_eq!(settings.active_threshold_ms, 20_000);
        assert_eq!(
            settings.session_timeout_ms,
            workspace.settings.session_timeout_ms
        );
        let audit = office.audit(&owner).await;
        assert_eq!(audit[0].fields, ["overrides"]);
        let back = setting(SiteOverrides::default());
        let site = office
            .desk
            .change_site(&owner, site_id, site.version, back, None);
        assert_eq!(
            site.await.unwrap().settings(&workspace.settings),
            workspace.settings
        );
    })
    .await;
}

#[tokio::test]
async fn a_rotation_shows_the_secret_once_and_overlaps_for_a_day() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let site_id = office.site(&owner).await;
        let first = identities(office, &owner, site_id).await[0].clone();
        assert!(first.secret.is_none());
        let only = office
            .desk
            .drop_site_secret(&owner, site_id, first.id, None)
            .await;
        assert_eq!(code(only), ErrorCode::OutOfOrder);
        office.wait(1);
        let made = office
            .desk
            .rotate_site_secret(&owner, site_id, SecretKind::Identity, None)
            .await
            .unwrap();
        let plain = made.secret.expect("shown once");
        assert!(plain.starts_with("sbi_") && plain.ends_with(&made.hint));
        let both = identities(office, &owner, site_id).await;
        assert_eq!(both.len(), 2);
        assert!(both.iter().all(|secret| secret.secret.is_none()));
        let old = both.iter().find(|secret| secret.id == first.id).unwrap();
        assert!(old.expires_at_ms.is_some());
        let now_ms = office.world.clock.now_ms();
        let rows = storage::site::secrets(&office.db, owner.workspace_id, site_id, now_ms).await;
        assert!(
            rows.unwrap()
                .iter()
                .any(|row| row.secret == plain.as_bytes())
        );
        office.wait(24 * 60 * 60 + 1);
        let left = identities(office, &owner, site_id).await;
        assert_eq!(
            left.iter().map(|secret| secret.id).collect::<Vec<_>>(),
            [made.id]
        );
        let audit = serde_json::to_string(&office.audit(&owner).await).unwrap();
        assert!(audit.contains("site.secret_rotated") && !audit.contains(&plain));
    })
    .await;
}

#[tokio::test]
async fn a_leaked_secret_is_dropped_at_once() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let site_id = office.site(&owner).await;
        let leaked = identities(office, &owner, site_id).await[0].id;
        office
            .desk
            .rotate_site_secret(&owner, site_id, SecretKind::Identity, None)
            .await
            .unwrap();
        office
            .desk
            .drop_site_secret(&owner, site_id, leaked, None)
            .await
            .unwrap();
        let left = identities(office, &owner, site_id).await;
        assert!(left.len() == 1 && left[0].id != leaked);
        let again = office
            .desk
            .drop_site_secret(&owner, site_id, leaked, None)
            .await;
        assert_eq!(code(again), ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn identity_keys_stand_side_by_side_until_one_takes_the_place_of_the_others() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let site_id = office.site(&owner).await;
        let add = async |public_key: &str, replace: bool| {
            let public_key = public_key.to_owned();
            let new = NewIdentityKey {
                public_key,
                replace,
            };
            let made = office
                .desk
                .add_identity_key(&owner, site_id, &new, None)
                .await;
            office.wait(1);
            made
        };
        let living = async || {
            let keys = office.desk.identity_keys(&owner, site_id).await.unwrap();
            keys.into_iter().map(|key| key.id).collect::<Vec<_>>()
        };
        let first = add(KEYS[0], false).await.unwrap();
        let second = add(KEYS[1], false).await.unwrap();
        assert_eq!(living().await, [second.id, first.id]);
        assert_eq!(code(add(KEYS[1], true).await), ErrorCode::AlreadyExists);
        let third = add(KEYS[2], true).await.unwrap();
        assert_eq!(living().await, [third.id, second.id, first.id]);
        office.wait(24 * 60 * 60 - 2);
        assert_eq!(living().await, [third.id, second.id, first.id]);
        office.wait(2);
        assert_eq!(living().await, [third.id]);
        // One that has lapsed may come again; one that leaked goes at once, and the last one may go.
        let again = add(KEYS[0], false).await.unwrap();
        for id in [third.id, again.id] {
            let dropped = office
                .desk
                .drop_identity_key(&owner, site_id, id, None)
                .await;
            dropped.unwrap();
        }
        assert!(living().await.is_empty());
        let gone = office
            .desk
            .drop_identity_key(&owner, site_id, again.id, None)
            .await;
        assert_eq!(code(gone), ErrorCode::NotFound);
        let lines = office.audit(&owner).await;
        let of_keys = lines
            .iter()
            .filter(|line| line.action.starts_with("site.identity_key_"));
        assert_eq!(of_keys.count(), 6);
        let unknown: SiteId = office.world.ids.next();
        let new = NewIdentityKey {
            public_key: KEYS[0].to_owned(),
            replace: false,
        };
        let nowhere = office
            .desk
            .add_identity_key(&owner, unknown, &new, None)
            .await;
        assert_eq!(code(nowhere), ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn the_workspace_changes_by_version_and_within_bounds() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (agent, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let settings = Settings {
            session_timeout_ms: 600_000,
            language: Some(WidgetLanguage::German),
            ..Settings::default()
        };
        let change = WorkspaceChange {
            settings: Some(settings.clone()),
            ..WorkspaceChange::default()
        };
        let version = office.desk.workspace(&agent).await.unwrap().version;
        let by_agent = office
            .desk
            .change_workspace(&agent, version, &change, None)
            .await;
        assert_eq!(code(by_agent), ErrorCode::Forbidden);
        let done = office
            .desk
            .change_workspace(&owner, version, &change, None)
            .await
            .unwrap();
        assert_eq!((done.version, done.settings), (version + 1, settings));
        let stale = office
            .desk
            .change_workspace(&owner, version, &change, None)
            .await;
        assert_eq!(code(stale), ErrorCode::VersionConflict);
        let wild = WorkspaceChange {
            settings: Some(Settings {
                active_threshold_ms: 0,
                ..Settings::default()
            }),
            ..WorkspaceChange::default()
        };
        let refusal = refused(
            office
                .desk
                .change_workspace(&owner, version + 1, &wild, None)
                .await,
        );
        assert_eq!(refusal.field.as_deref(), Some("active_threshold_ms"));
        assert!(
            office
                .desk
                .workspace(&system(owner.workspace_id))
                .await
                .is_ok()
        );
    })
    .await;
}
