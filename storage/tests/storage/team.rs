//! The contract of the team's side: set-up, accounts, members, sites, keys, audit. Sessions have a file of their
//! own.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::{Installed, NOW_MS, Store, begin, scope, secret, session, site};
use protocol::agent::{AgentChange, Invitation};
use protocol::audit::{FailedLogin, Target};
use protocol::blocked_address::BlockedAddress;
use protocol::event::EventType;
use protocol::id::{BlockedAddressId, WorkspaceId};
use protocol::key::ApiKey;
use protocol::limit;
use protocol::page::{Cursor, List};
use protocol::permission::{Permission, Role};
use protocol::site::SiteChange;
use protocol::text::Name;
use protocol::workspace::{Settings, WorkspaceChange};
use storage::db::{Batch, Stmt};
use storage::error::Written;
use storage::event::EventCursor;
use storage::invitation::InvitationRow;
use storage::job::Job;
use storage::picture::{NewPicture, Picture};
use storage::setup::{Account, NewMember};
use storage::user::UserRow;
use storage::{
    agent, audit, blocked_address, event, failed_login, invitation, job, key, setup, user,
    workspace,
};

/// Waits for the log to tell of so many events: on Postgres it waits for older transactions, also those of
/// other databases on the same server.
async fn event_types(store: &Store, count: usize) -> Vec<EventType> {
    loop {
        let tail = event::tail(&store.db, EventCursor::default(), 100).await;
        let events = tail.unwrap().events;
        if events.len() >= count {
            return events
                .into_iter()
                .map(|(_, event)| event.event_type)
                .collect();
        }
        tokio::task::yield_now().await;
    }
}

fn user_row(store: &Store, email: &str) -> UserRow {
    UserRow {
        id: store.world.ids.next(),
        email: email.to_owned(),
        password_hash: "$argon2id$".to_owned(),
        created_at_ms: NOW_MS,
    }
}

fn member(store: &Store, role: Role) -> NewMember {
    NewMember {
        id: store.world.ids.next(),
        name: "Li".to_owned(),
        role,
        time_zone: "Asia/Taipei".to_owned(),
    }
}

async fn invited(store: &Store, installed: &Installed, email: &str) -> InvitationRow {
    let row = InvitationRow {
        invitation: Invitation {
            id: store.world.ids.next(),
            email: email.to_owned(),
            role: Role::Agent,
            expires_at_ms: NOW_MS + 10_000,
            link: None,
        },
        workspace_id: installed.workspace_id(),
        token_hash: store.world.ids.bytes(),
    };
    let change = installed.change("invitation.created", row.invitation.id);
    invitation::create(&store.db, &row, &change).await.unwrap();
    row
}

on_both! {
    async fn set_up_happens_once_and_as_a_whole(store: &Store) {
        assert!(!setup::is_done(&store.db).await.unwrap());
        setup::put_token(&store.db, &[9; 32]).await.unwrap();
        let first = store.installed().await;
        assert!(setup::is_done(&store.db).await.unwrap());
        assert_ne!(setup::token_hash(&store.db).await.unwrap(), Some([9; 32]));
        let second = Installed::new(&store.world);
        let mut installation = second.installation.clone();
        installation.user.email = "other@example.com".to_owned();
        let change = second.change("workspace.created", second.workspace_id());
        let done = setup::create(&store.db, &installation, &change).await.unwrap();
        assert_eq!(done, Written::AlreadyExists);
        assert_eq!(user::by_email(&store.db, "other@example.com").await.unwrap(), None);
        let found = workspace::find(&store.db, first.workspace_id()).await.unwrap().unwrap();
        assert_eq!(found, first.installation.workspace);
        assert_eq!(workspace::list(&store.db).await.unwrap(), [found]);
    }

    async fn two_set_ups_at_once_make_one(store: &Store) {
        let one = Installed::new(&store.world);
        let mut other = Installed::new(&store.world);
        other.installation.user.email = "other@example.com".to_owned();
        let (one_change, other_change) = (one.change("w", "1"), other.change("w", "2"));
        let done = tokio::join!(
            setup::create(&store.db, &one.installation, &one_change),
            setup::create(&store.db, &other.installation, &other_change),
        );
        let done = [done.0.unwrap(), done.1.unwrap()];
        assert_eq!(done.iter().filter(|done| **done == Written::AlreadyExists).count(), 1);
    }

    async fn an_address_signs_in_whatever_its_case(store: &Store) {
        let installed = store.installed().await;
        let found = user::by_email(&store.db, "ANA@EXAMPLE.COM").await.unwrap().unwrap();
        assert_eq!(found, installed.installation.user);
        assert_eq!(user::find(&store.db, found.id).await.unwrap(), Some(found));
    }

    async fn a_workspace_changes_by_version_and_is_audited(store: &Store) {
        let installed = store.installed().await;
        let new = WorkspaceChange {
            name: Some(Name::parse("New name").unwrap()),
            time_zone: None,
            settings: Some(Settings { active_threshold_ms: 5_000, ..Settings::default() }),
            industry: Some("Lamps".to_owned()),
            currency: Some("EUR".to_owned()),
            support_hours: Some(serde_json::from_str(r#"{"friday": [{"from": "09:00", "to": "24:00"}]}"#).unwrap()),
            icon: None,
        };
        let change = installed.change("workspace.changed", installed.workspace_id());
        let done = workspace::change(&store.db, 1, &new, &change).await.unwrap();
        let Written::Done(now) = done else { panic!("{done:?}") };
        assert_eq!((now.version, now.name.as_str()), (2, "New name"));
        assert_eq!((now.industry.as_str(), now.currency.as_str()), ("Lamps", "EUR"));
        assert_eq!(Some(&now.support_hours), new.support_hours.as_ref());
        assert_eq!(now.settings.active_threshold_ms, 5_000);
        let again = workspace::change(&store.db, 1, &new, &change).await.unwrap();
        assert_eq!(again, Written::VersionConflict);
        let log = audit::list(&store.db, &installed.scope(&store.world), None, 10).await.unwrap();
        assert_eq!(log.items.len(), 2, "the refused change left no line");
        assert_eq!(log.items[0].action, "workspace.changed");
        assert_eq!(log.items[0].address.as_deref(), Some("192.0.2.7"));
        let types = event_types(store, 2).await;
        assert_eq!(types, [EventType::WorkspaceChanged, EventType::WorkspaceChanged]);
    }

    async fn the_audit_log_turns_its_pages_without_a_gap(store: &Store) {
        let installed = store.installed().await;
        for version in 1..=4 {
            let change = installed.change("workspace.changed", installed.workspace_id());
            workspace::change(&store.db, version, &WorkspaceChange::default(), &change).await.unwrap();
        }
        let scope = installed.scope(&store.world);
        let first = audit::list(&store.db, &scope, None, 3).await.unwrap();
        let next = Cursor::read(first.cursor.as_deref().unwrap(), List::Audit).unwrap();
        let second = audit::list(&store.db, &scope, Some(&next), 3).await.unwrap();
        let ids: std::collections::BTreeSet<_> =
            first.items.iter().chain(&second.items).map(|entry| entry.id).collect();
        assert_eq!((ids.len(), second.cursor), (5, None));
    }

    async fn an_invitation_is_accepted_once(store: &Store) {
        let installed = store.installed().await;
        let row = invited(store, &installed, "li@example.com").await;
        let db = &store.db;
        assert_eq!(
            invitation::by_token(db, &row.token_hash, NOW_MS).await.unwrap().as_ref(),
            Some(&row)
        );
        let account = user_row(store, "li@example.com");
        let session_row = session(&store.world, account.id, 3);
        let change = installed.change("agent.joined", "li");
        let accept = async |account: &UserRow, byte: u8| {
            let member = member(store, Role::Agent);
            let session = session(&store.world, account.id, byte);
            let account = Account::New(account.clone());
            let id = row.invitation.id;
            invitation::accept(db, id, &account, &member, &session, &change).await.unwrap()
        };
        let done = accept(&account, 3).await;
        assert!(matches!(done, Written::Done(_)), "{done:?}");
        assert!(storage::session::by_secret(db, &session_row.secret_hash, NOW_MS).await.unwrap().is_some());
        let late = user_row(store, "late@example.com");
        assert_eq!(accept(&late, 4).await, Written::NotFound);
        assert_eq!(user::by_email(db, "late@example.com").await.unwrap(), None);
        assert!(storage::session::by_secret(db, &[4; 32], NOW_MS).await.unwrap().is_none());
        assert_eq!(agent::list(db, installed.workspace_id()).await.unwrap().len(), 2);
    }

    async fn an_invitation_lapses_is_revoked_or_replaced(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let first = invited(store, &installed, "li@example.com").await;
        let second = invited(store, &installed, "LI@example.com").await;
        assert_eq!(invitation::by_token(db, &first.token_hash, NOW_MS).await.unwrap(), None);
        let lapsed_at_ms = second.invitation.expires_at_ms;
        assert_eq!(invitation::by_token(db, &second.token_hash, lapsed_at_ms).await.unwrap(), None);
        let scope = installed.scope(&store.world);
        assert_eq!(invitation::list(db, &scope, NOW_MS).await.unwrap().len(), 1);
        let change = installed.change("invitation.revoked", second.invitation.id);
        assert!(invitation::revoke(db, second.invitation.id, &change).await.unwrap());
        assert!(!invitation::revoke(db, second.invitation.id, &change).await.unwrap());
        assert!(invitation::list(db, &scope, NOW_MS).await.unwrap().is_empty());
    }

    async fn a_member_stands_once_in_a_team(store: &Store) {
        let installed = store.installed().await;
        let change = installed.change("agent.created", "x");
        let existing = Account::Existing(installed.installation.user.clone());
        let done = agent::create(&store.db, &existing, &member(store, Role::Admin), &change).await.unwrap();
        assert_eq!(done, Written::AlreadyExists);
        let new = Account::New(user_row(store, "li@example.com"));
        let done = agent::create(&store.db, &new, &member(store, Role::Admin), &change).await.unwrap();
        assert!(matches!(done, Written::Done(_)), "{done:?}");
        let taken = Account::New(user_row(store, "LI@example.com"));
        let done = agent::create(&store.db, &taken, &member(store, Role::Agent), &change).await.unwrap();
        assert_eq!(done, Written::AlreadyExists);
    }

    async fn the_last_owner_stays_one(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let owner = installed.agent_id();
        let change = installed.change("agent.changed", owner);
        for new in [
            AgentChange { role: Some(Role::Admin), ..AgentChange::default() },
            AgentChange { deactivated: Some(true), ..AgentChange::default() },
        ] {
            let done = agent::change(db, owner, 1, &new, &change).await.unwrap();
            assert_eq!(done, Written::LastOwner);
        }
        let renamed = AgentChange { name: Some(Name::parse("Ana K").unwrap()), ..AgentChange::default() };
        let done = agent::change(db, owner, 1, &renamed, &change).await.unwrap();
        assert!(matches!(&done, Written::Done(agent) if agent.name == "Ana K"), "{done:?}");
        let account = Account::New(user_row(store, "li@example.com"));
        let second = member(store, Role::Owner);
        agent::create(db, &account, &second, &change).await.unwrap();
        let down = AgentChange { role: Some(Role::Agent), ..AgentChange::default() };
        let (one, other) = tokio::join!(
            agent::change(db, owner, 2, &down, &change),
            agent::change(db, second.id, 1, &down, &change),
        );
        let done = [one.unwrap(), other.unwrap()];
        let refused = done.iter().filter(|done| matches!(done, Written::LastOwner)).count();
        assert_eq!(refused, 1, "{done:?}");
    }

    async fn deactivating_ends_the_sessions_of_who_is_nowhere_else(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let account = user_row(store, "li@example.com");
        let li = member(store, Role::Agent);
        let change = installed.change("agent.changed", li.id);
        agent::create(db, &Account::New(account.clone()), &li, &change).await.unwrap();
        begin(db, &session(&store.world, account.id, 5)).await;
        assert_eq!(agent::memberships(db, account.id).await.unwrap().len(), 1);
        let off = AgentChange { deactivated: Some(true), ..AgentChange::default() };
        let done = agent::change(db, li.id, 1, &off, &change).await.unwrap();
        assert!(matches!(done, Written::Done(_)), "{done:?}");
        assert!(storage::session::list(db, account.id, NOW_MS).await.unwrap().is_empty());
        assert!(agent::memberships(db, account.id).await.unwrap().is_empty());
        let on = AgentChange { deactivated: Some(false), ..AgentChange::default() };
        let done = agent::change(db, li.id, 2, &on, &change).await.unwrap();
        assert!(matches!(&done, Written::Done(agent) if !agent.deactivated), "{done:?}");
    }

    async fn grants_are_replaced_as_a_whole_and_only_with_the_change(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let li = member(store, Role::Agent);
        let account = Account::New(user_row(store, "li@example.com"));
        let change = installed.change("agent.changed", li.id);
        agent::create(db, &account, &li, &change).await.unwrap();
        let granting = |grants: &[Permission]| AgentChange {
            grants: Some(grants.to_vec()),
            ..AgentChange::default()
        };
        let two = granting(&[Permission::AuditRead, Permission::SitesWrite]);
        let done = agent::change(db, li.id, 1, &two, &change).await.unwrap();
        let Written::Done(now) = done else { panic!("{done:?}") };
        assert_eq!(now.grants, [Permission::SitesWrite, Permission::AuditRead]);
        let found = agent::find(db, installed.workspace_id(), li.id).await.unwrap().unwrap();
        assert!(found.permissions.has(Permission::AuditRead) && found.agent == now);
        let one = granting(&[Permission::TeamWrite]);
        let stale = agent::change(db, li.id, 1, &one, &change).await.unwrap();
        assert_eq!(stale, Written::VersionConflict);
        let listed = agent::list(db, installed.workspace_id()).await.unwrap();
        assert!(listed.contains(&now), "{listed:?}");
        let done = agent::change(db, li.id, 2, &one, &change).await.unwrap();
        assert!(matches!(&done, Written::Done(now) if now.grants == [Permission::TeamWrite]));
        let name = AgentChange { name: Some(Name::parse("Lee").unwrap()), ..AgentChange::default() };
        let done = agent::change(db, li.id, 3, &name, &change).await.unwrap();
        assert!(matches!(&done, Written::Done(now) if now.grants == [Permission::TeamWrite]));
    }

    async fn a_picture_takes_the_place_of_the_one_before_and_only_with_the_change(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let (owner, workspace_id) = (installed.agent_id(), installed.workspace_id());
        let change = installed.change("agent.changed", owner);
        let nothing = AgentChange::default();
        let picture = |byte| Picture { media_type: "image/png".to_owned(), content: vec![byte, 0, 255] };
        let put = |byte| NewPicture::Is(store.world.ids.next(), picture(byte));
        let (first, second, late) = (put(1), put(2), put(3));
        let set = |version, new| agent::change_with_picture(db, owner, version, &nothing, Some(new), &change);
        let done = set(1, &first).await.unwrap();
        assert!(matches!(&done, Written::Done(agent) if agent.picture == first.id()), "{done:?}");
        assert!(matches!(set(2, &second).await.unwrap(), Written::Done(_)));
        assert_eq!(set(2, &late).await.unwrap(), Written::VersionConflict);
        let found = agent::list(db, workspace_id).await.unwrap();
        assert_eq!(found[0].picture, second.id());
        let kept = |new: &NewPicture| new.id().unwrap();
        assert_eq!(storage::picture::find(db, kept(&second)).await.unwrap(), Some(picture(2)));
        for gone in [&first, &late] {
            assert_eq!(storage::picture::find(db, kept(gone)).await.unwrap(), None);
        }
        let renamed = AgentChange { name: Some(Name::parse("Ana K").unwrap()), ..AgentChange::default() };
        let done = agent::change(db, owner, 3, &renamed, &change).await.unwrap();
        assert!(matches!(&done, Written::Done(agent) if agent.picture == second.id()), "{done:?}");
        let done = set(4, &NewPicture::Nothing).await.unwrap();
        assert!(matches!(&done, Written::Done(agent) if agent.picture.is_none()), "{done:?}");
        assert_eq!(storage::picture::find(db, kept(&second)).await.unwrap(), None);
    }

    async fn an_icon_comes_and_goes_with_a_change_of_its_workspace(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let change = installed.change("workspace.changed", installed.workspace_id());
        let picture = |byte| Picture { media_type: "image/png".to_owned(), content: vec![byte, 0, 255] };
        let put = |byte| NewPicture::Is(store.world.ids.next(), picture(byte));
        let (first, second, late) = (put(1), put(2), put(3));
        let nothing = WorkspaceChange::default();
        let set = |version, new| workspace::change_with_icon(db, version, &nothing, Some(new), &change);
        let done = set(1, &first).await.unwrap();
        assert!(matches!(&done, Written::Done(now) if now.icon == first.id()), "{done:?}");
        assert!(matches!(set(2, &second).await.unwrap(), Written::Done(_)));
        assert_eq!(set(2, &late).await.unwrap(), Written::VersionConflict);
        let kept = |new: &NewPicture| new.id().unwrap();
        assert_eq!(storage::picture::find(db, kept(&second)).await.unwrap(), Some(picture(2)));
        for gone in [&first, &late] {
            assert_eq!(storage::picture::find(db, kept(gone)).await.unwrap(), None);
        }
        let done = workspace::change(db, 3, &nothing, &change).await.unwrap();
        assert!(matches!(&done, Written::Done(now) if now.icon == second.id()), "{done:?}");
        let done = set(4, &NewPicture::Nothing).await.unwrap();
        assert!(matches!(&done, Written::Done(now) if now.icon.is_none()), "{done:?}");
        assert_eq!(storage::picture::find(db, kept(&second)).await.unwrap(), None);
    }

    async fn a_site_changes_by_version(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let site_id = installed.installation.site.id;
        let (workspace_id, found) = storage::site::by_key(db, site_id).await.unwrap().unwrap();
        assert_eq!((workspace_id, &found), (installed.workspace_id(), &installed.installation.site));
        let new = SiteChange {
            allowed_origins: Some(vec!["https://new.example".to_owned()]),
            archived: Some(true),
            identity_required: Some(true),
            ..SiteChange::default()
        };
        let change = installed.change("site.changed", site_id);
        let done = storage::site::change(db, site_id, 1, &new, &change).await.unwrap();
        let Written::Done(now) = done else { panic!("{done:?}") };
        assert!(now.archived && now.identity_required && now.name == "Shop" && now.version == 2);
        let stale = storage::site::change(db, site_id, 1, &new, &change).await.unwrap();
        assert_eq!(stale, Written::VersionConflict);
        let nowhere = storage::site::change(db, store.world.ids.next(), 1, &new, &change).await.unwrap();
        assert_eq!(nowhere, Written::NotFound);
    }

    async fn a_rotation_lets_the_old_secret_lapse_and_the_last_one_stays(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let (workspace_id, site_id) = (installed.workspace_id(), installed.installation.site.id);
        let change = installed.change("site.secret_rotated", site_id);
        let new = secret(&store.world, 8);
        let lapse_ms = NOW_MS + 50_000;
        storage::site::rotate(db, site_id, &new, lapse_ms, &change).await.unwrap();
        let count = async |now_ms| {
            storage::site::secrets(db, workspace_id, site_id, now_ms).await.unwrap().len()
        };
        assert_eq!((count(NOW_MS).await, count(lapse_ms).await), (2, 1));
        let old = installed.installation.secrets[0].id;
        let drop = async |id| storage::site::drop_secret(db, site_id, id, &change).await.unwrap();
        assert_eq!(drop(old).await, Written::Done(()));
        assert_eq!(drop(new.id).await, Written::Refused);
        assert_eq!(drop(old).await, Written::NotFound);
    }

    async fn a_key_is_known_by_its_hash_until_it_is_revoked(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let row = ApiKey {
            id: store.world.ids.next(),
            name: "Importer".to_owned(),
            hint: "sbk_abcd".to_owned(),
            scopes: vec![Permission::ConversationsRead],
            key: None,
            created_at_ms: NOW_MS,
            used_at_ms: None,
            expires_at_ms: Some(NOW_MS + 10),
        };
        let change = installed.change("key.created", row.id);
        assert_eq!(key::create(db, &row, &[6; 32], &change).await.unwrap(), Written::Done(()));
        let found = key::by_hash(db, &[6; 32], NOW_MS + 9).await.unwrap();
        assert_eq!(found, Some((installed.workspace_id(), row.clone())));
        assert_eq!(key::by_hash(db, &[6; 32], NOW_MS + 10).await.unwrap(), None, "it has expired");
        key::touch(db, installed.workspace_id(), row.id, NOW_MS + 3).await.unwrap();
        let listed = key::list(db, &installed.scope(&store.world)).await.unwrap();
        assert_eq!(listed[0].used_at_ms, Some(NOW_MS + 3));
        assert!(key::revoke(db, row.id, &change).await.unwrap());
        assert!(!key::revoke(db, row.id, &change).await.unwrap());
        assert_eq!(key::by_hash(db, &[6; 32], NOW_MS + 9).await.unwrap(), None);
    }

    async fn failed_logins_are_counted_without_those_that_met_the_lock(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        for (index, reason) in ["wrong_password", "not_found", "locked"].iter().enumerate() {
            let failed = FailedLogin {
                at_ms: NOW_MS + index as u64,
                email: "Ana@example.com".to_owned(),
                address: "192.0.2.9".to_owned(),
                country: None,
                user_agent: String::new(),
                reason: (*reason).to_owned(),
            };
            failed_login::create(db, Some(installed.workspace_id()), &failed).await.unwrap();
        }
        let attempts = failed_login::of_address(db, "192.0.2.9", NOW_MS).await.unwrap();
        assert_eq!((attempts.count, attempts.newest_at_ms), (2, Some(NOW_MS + 1)));
        let attempts = failed_login::of_email(db, "ana@EXAMPLE.com", NOW_MS + 1).await.unwrap();
        assert_eq!(attempts.count, 1);
        let listed = failed_login::list(db, &installed.scope(&store.world), None, 2).await.unwrap();
        assert_eq!((listed.items.len(), listed.cursor.is_some()), (2, true));
        assert_eq!(listed.items[0].reason, "locked");
    }

    async fn a_job_is_taken_by_one(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let row = Job {
            id: store.world.ids.next(),
            workspace_id: installed.workspace_id(),
            kind: "erase".to_owned(),
            subject_json: "{}".to_owned(),
            attempt_count: 0,
            due_at_ms: 10,
        };
        job::create(db, &row).await.unwrap();
        assert_eq!(job::next_due_at_ms(db).await.unwrap(), Some(10));
        assert!(job::take(db, 9, 100, 5).await.unwrap().is_empty());
        let (one, other) = tokio::join!(job::take(db, 10, 100, 5), job::take(db, 10, 100, 5));
        let taken = [one.unwrap(), other.unwrap()].concat();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].attempt_count, taken[0].due_at_ms), (1, 100));
        job::done(db, &row).await.unwrap();
        assert_eq!(job::next_due_at_ms(db).await.unwrap(), None);
    }

    async fn all_workspaces_are_listed_however_many(store: &Store) {
        let installed = store.installed().await;
        let mut batch = Batch::default();
        for _ in 0..1_000 {
            let id: WorkspaceId = store.world.ids.next();
            batch.push(Stmt::new(
                "INSERT INTO workspace (workspace_id, version, change_id, name, time_zone, created_at_ms)
                VALUES ($1, 1, '', 'Many', 'UTC', 0)",
                vec![id.into()],
            ));
        }
        store.db.batch(batch).await.unwrap();
        let listed = workspace::list(&store.db).await.unwrap();
        assert_eq!(listed.len(), 1_001);
        assert!(listed.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(listed.iter().any(|one| one.id == installed.workspace_id()));
    }

    async fn a_network_is_blocked_once_and_let_in_again(store: &Store) {
        let installed = store.installed().await;
        let (db, workspace_id) = (&store.db, installed.workspace_id());
        let mut wanted = BlockedAddress {
            id: store.world.ids.next(),
            network: "203.0.113.0/24".to_owned(),
            reason: "spam".to_owned(),
            agent_id: Some(installed.agent_id()),
            created_at_ms: NOW_MS,
        };
        let change = installed.change("address.blocked", wanted.id);
        let done = blocked_address::create(db, &wanted, &change).await.unwrap();
        assert_eq!(done, Written::Done(()));
        let listed = blocked_address::list(db, &installed.scope(&store.world)).await.unwrap();
        assert_eq!(listed, [wanted.clone()]);
        let networks = blocked_address::networks(db, workspace_id).await.unwrap();
        assert_eq!(networks, ["203.0.113.0/24".parse().unwrap()]);
        let foreign = scope(&store.world, store.world.ids.next());
        assert!(blocked_address::list(db, &foreign).await.unwrap().is_empty());
        let first = wanted.id;
        wanted.id = store.world.ids.next();
        let change = installed.change("address.blocked", wanted.id);
        let again = blocked_address::create(db, &wanted, &change).await.unwrap();
        assert_eq!(again, Written::AlreadyExists);
        let mut change = installed.change("address.unblocked", first);
        change.workspace_id = foreign.workspace_id();
        assert!(!blocked_address::remove(db, first, &change).await.unwrap());
        let change = installed.change("address.unblocked", first);
        assert!(blocked_address::remove(db, first, &change).await.unwrap());
        assert!(!blocked_address::remove(db, first, &change).await.unwrap());
        assert_eq!(blocked_address::find(db, workspace_id, first).await.unwrap(), None);
        for (scope, actions) in [
            (installed.scope(&store.world), &["address.blocked", "address.unblocked"][..]),
            (foreign, &[]),
        ] {
            let lines = audit::list_of(db, &scope, Target::BlockedAddress(first), None, 10).await.unwrap();
            let mut found: Vec<_> = lines.items.iter().map(|line| line.action.as_str()).collect();
            // They are of one moment, so either may come first.
            found.sort_unstable();
            assert_eq!(found, actions);
        }
        // The log tells of both, sooner or later.
        loop {
            let told = event_types(store, 2).await;
            let told = told.iter().filter(|told| **told == EventType::BlockedAddressChanged);
            if told.count() == 2 {
                break;
            }
        }
    }

    async fn a_workspace_blocks_so_many_networks(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let mut batch = Batch::default();
        for index in 1..limit::BLOCKED_ADDRESSES_MAX {
            let id: BlockedAddressId = store.world.ids.next();
            batch.push(Stmt::new(
                "INSERT INTO blocked_address
                    (workspace_id, blocked_address_id, change_id, network, reason, agent_id, created_at_ms)
                VALUES ($1, $2, '', $3, '', NULL, 0)",
                vec![
                    installed.workspace_id().into(),
                    id.into(),
                    format!("10.0.{}.{}", index / 256, index % 256).into(),
                ],
            ));
        }
        db.batch(batch).await.unwrap();
        for (network, expected) in [("::1", Written::Done(())), ("::2", Written::TooMany)] {
            let wanted = BlockedAddress {
                id: store.world.ids.next(),
                network: network.to_owned(),
                reason: String::new(),
                agent_id: None,
                created_at_ms: NOW_MS,
            };
            let change = installed.change("address.blocked", wanted.id);
            assert_eq!(blocked_address::create(db, &wanted, &change).await.unwrap(), expected);
        }
        let networks = blocked_address::networks(db, installed.workspace_id()).await.unwrap();
        assert_eq!(networks.len(), limit::BLOCKED_ADDRESSES_MAX);
    }

    async fn another_workspace_sees_none_of_it(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let foreign = scope(&store.world, store.world.ids.next());
        let change = installed.change("site.created", "x");
        storage::site::create(db, &site(&store.world, "Two"), &[secret(&store.world, 3)], &change)
            .await
            .unwrap();
        invited(store, &installed, "li@example.com").await;
        assert!(storage::site::list(db, &foreign).await.unwrap().is_empty());
        assert!(agent::list(db, foreign.workspace_id()).await.unwrap().is_empty());
        assert!(invitation::list(db, &foreign, NOW_MS).await.unwrap().is_empty());
        assert!(key::list(db, &foreign).await.unwrap().is_empty());
        assert!(audit::list(db, &foreign, None, 10).await.unwrap().items.is_empty());
        assert!(failed_login::list(db, &foreign, None, 10).await.unwrap().items.is_empty());
        let site_id = installed.installation.site.id;
        assert_eq!(storage::site::find(db, foreign.workspace_id(), site_id).await.unwrap(), None);
        let agent_id = installed.agent_id();
        assert_eq!(agent::find(db, foreign.workspace_id(), agent_id).await.unwrap(), None);
        assert_eq!(storage::site::list(db, &installed.scope(&store.world)).await.unwrap().len(), 2);
    }
}
