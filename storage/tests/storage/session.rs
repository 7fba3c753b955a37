//! The contract of login sessions: they begin only for the password that was checked, only so many live, and they
//! end with what they rest on.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::{Installed, NOW_MS, Store, begin, session};
use protocol::agent::{AgentChange, Invitation};
use protocol::event::EventType;
use protocol::id::{AgentId, LoginSessionId, UserId, WorkspaceId};
use protocol::limit;
use protocol::permission::Role;
use storage::db::{Batch, Db, Stmt};
use storage::error::Written;
use storage::invitation::{self, InvitationRow};
use storage::session::{PAUSE_MS_MAX, SessionRow};
use storage::setup::{Account, NewMember};
use storage::user::UserRow;
use storage::{agent, user};

const MINUTE_MS: u64 = 60 * 1_000;

/// How often each race is run.
const ROUNDS: u8 = 12;

fn member(store: &Store) -> NewMember {
    NewMember {
        id: store.world.ids.next(),
        name: "Li".to_owned(),
        role: Role::Agent,
        time_zone: "Asia/Taipei".to_owned(),
    }
}

/// Somebody with an account and a place in the team.
async fn joined(store: &Store, installed: &Installed) -> (UserRow, AgentId) {
    let user = UserRow {
        id: store.world.ids.next(),
        email: "li@example.com".to_owned(),
        password_hash: "$li".to_owned(),
        created_at_ms: NOW_MS,
    };
    let member = member(store);
    let change = installed.change("agent.created", member.id);
    let account = Account::New(user.clone());
    let done = agent::create(&store.db, &account, &member, &change).await;
    assert!(matches!(done.unwrap(), Written::Done(_)));
    (user, member.id)
}

async fn deactivate(store: &Store, installed: &Installed, agent_id: AgentId, deactivated: bool) {
    let found = agent::find(&store.db, installed.workspace_id(), agent_id).await;
    let version = found.unwrap().unwrap().agent.version;
    let new = AgentChange {
        deactivated: Some(deactivated),
        ..AgentChange::default()
    };
    let change = installed.change("agent.changed", agent_id);
    let done = agent::change(&store.db, agent_id, version, &new, &change).await;
    assert!(matches!(done.unwrap(), Written::Done(_)));
}

async fn living(db: &Db, user_id: UserId) -> Vec<LoginSessionId> {
    let listed = storage::session::list(db, user_id, NOW_MS).await.unwrap();
    listed.iter().map(|row| row.id).collect()
}

/// How many times the log tells that a session ended. Counted in the table: the log is told later.
async fn told(db: &Db) -> u64 {
    let count = "/* reads all: it counts */ SELECT COUNT(*) AS n FROM event WHERE event_type = $1";
    let ended = EventType::SessionEnded.as_str();
    let rows = db.rows(Stmt::new(count, vec![ended.into()])).await.unwrap();
    rows[0].number("n").unwrap()
}

on_both! {
    async fn sessions_live_until_they_end_or_lapse(store: &Store) {
        let installed = store.installed().await;
        let user_id = installed.installation.user.id;
        let db = &store.db;
        let first = installed.installation.session.clone().unwrap();
        let second = session(&store.world, user_id, 2);
        begin(db, &second).await;
        assert_eq!(
            storage::session::by_secret(db, &[2; 32], NOW_MS).await.unwrap().as_ref(),
            Some(&second)
        );
        assert_eq!(storage::session::find(db, second.id, second.expires_at_ms).await.unwrap(), None);
        storage::session::touch(db, &second, NOW_MS + 5, NOW_MS + 9_000_000).await.unwrap();
        let touched = storage::session::find(db, second.id, NOW_MS).await.unwrap().unwrap();
        assert_eq!((touched.seen_at_ms, touched.expires_at_ms), (NOW_MS + 5, NOW_MS + 9_000_000));
        assert!(storage::session::end(db, user_id, first.id, NOW_MS + 6).await.unwrap());
        assert!(!storage::session::end(db, user_id, first.id, NOW_MS + 7).await.unwrap());
        assert_eq!(living(db, user_id).await, [second.id]);
        assert_eq!(told(db).await, 1);
    }

    async fn attendance_counts_uses_without_long_pauses_and_several_browsers_once(store: &Store) {
        let installed = store.installed().await;
        let (db, user_id) = (&store.db, installed.installation.user.id);
        let scope = installed.scope(&store.world);
        let attendance = async |since_ms: u64| {
            let found = storage::session::attendance(db, &scope, since_ms).await.unwrap();
            found.iter().map(|one| one.used_ms).collect::<Vec<_>>()
        };
        let mut rows = [2, 3].map(|byte| session(&store.world, user_id, byte));
        for row in &rows {
            begin(db, row).await;
        }
        assert_eq!(attendance(0).await, [0_u64; 0], "a sign-in alone is no time");
        // Minutes of each browser: from 0 to 20 and from 90 to 95; from 10 to 30.
        for (index, minutes) in [(0, 10), (1, 10), (0, 20), (1, 30), (0, 90), (0, 95)] {
            let row = &mut rows[index];
            let at_ms = NOW_MS + minutes * MINUTE_MS;
            storage::session::touch(db, row, at_ms, at_ms + 900_000).await.unwrap();
            row.seen_at_ms = at_ms;
        }
        assert_eq!(attendance(0).await, [35 * MINUTE_MS]);
        assert_eq!(attendance(NOW_MS + 25 * MINUTE_MS).await, [10 * MINUTE_MS]);
        assert_eq!(attendance(NOW_MS + 95 * MINUTE_MS).await, [0_u64; 0]);
        // Two nodes note the same use one after the other.
        let late = SessionRow { seen_at_ms: NOW_MS + 90 * MINUTE_MS, ..rows[0].clone() };
        storage::session::touch(db, &late, NOW_MS + 96 * MINUTE_MS, NOW_MS + 99 * MINUTE_MS).await.unwrap();
        assert_eq!(attendance(0).await, [36 * MINUTE_MS]);
        // The longest pause that counts, and one more.
        let row = &mut rows[1];
        for (pause_ms, used_ms) in [(PAUSE_MS_MAX, 20 * MINUTE_MS), (PAUSE_MS_MAX + 1, 0)] {
            row.seen_at_ms = NOW_MS + 300 * MINUTE_MS + pause_ms;
            let before = SessionRow { seen_at_ms: row.seen_at_ms - pause_ms, ..row.clone() };
            let sum = attendance(0).await[0];
            storage::session::touch(db, &before, row.seen_at_ms, row.seen_at_ms + 1).await.unwrap();
            assert_eq!(attendance(0).await[0] - sum, used_ms);
        }
        // They go with their sign-in.
        assert!(storage::session::prune(db, NOW_MS + 400 * MINUTE_MS).await.unwrap() > 0);
        assert_eq!(attendance(0).await, [0_u64; 0]);
    }

    async fn a_new_password_ends_the_other_sessions(store: &Store) {
        let installed = store.installed().await;
        let user_id = installed.installation.user.id;
        let kept = installed.installation.session.clone().unwrap().id;
        begin(&store.db, &session(&store.world, user_id, 2)).await;
        let set = user::set_password(&store.db, user_id, "$new", None, Some(kept), NOW_MS + 9).await;
        assert_eq!(set.unwrap(), Written::Done(()));
        assert_eq!(living(&store.db, user_id).await, [kept]);
        let found = user::find(&store.db, user_id).await.unwrap().unwrap();
        assert_eq!(found.password_hash, "$new");
    }

    async fn a_session_begins_only_for_the_password_that_the_account_has(store: &Store) {
        let installed = store.installed().await;
        let (db, user) = (&store.db, &installed.installation.user);
        let row = session(&store.world, user.id, 2);
        user::set_password(db, user.id, "$new", None, None, NOW_MS + 9).await.unwrap();
        // Somebody checked the old password before that, and comes now.
        let late = storage::session::create(db, &row, &user.password_hash).await.unwrap();
        assert_eq!(late, Written::Refused);
        assert_eq!(living(db, user.id).await, []);
        begin(db, &row).await;
        assert_eq!(living(db, user.id).await, [row.id]);
    }

    async fn a_session_begins_only_for_an_active_member(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let (user, agent_id) = joined(store, &installed).await;
        deactivate(store, &installed, agent_id, true).await;
        let row = session(&store.world, user.id, 2);
        let late = storage::session::create(db, &row, &user.password_hash).await.unwrap();
        assert_eq!(late, Written::Refused);
        deactivate(store, &installed, agent_id, false).await;
        begin(db, &row).await;
        assert_eq!(living(db, user.id).await, [row.id]);
    }

    /// Each of them comes before the other now and then; no order leaves a session behind.
    async fn no_sign_in_outlives_what_came_beside_it(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let (user, agent_id) = joined(store, &installed).await;
        let mut checked = user.password_hash.clone();
        for round in 1..=ROUNDS {
            let row = session(&store.world, user.id, round + 100);
            let new = format!("$new{round}");
            let (begun, set) = tokio::join!(
                storage::session::create(db, &row, &checked),
                user::set_password(db, user.id, &new, Some(&checked), None, NOW_MS + 1_000),
            );
            assert_eq!(set.unwrap(), Written::Done(()));
            assert_eq!(living(db, user.id).await, [], "{begun:?}");
            checked = new;
            let row = session(&store.world, user.id, round);
            let (begun, ()) = tokio::join!(
                storage::session::create(db, &row, &checked),
                deactivate(store, &installed, agent_id, true),
            );
            assert_eq!(living(db, user.id).await, [], "{begun:?}");
            deactivate(store, &installed, agent_id, false).await;
        }
    }

    /// Whatever fails after that: who is out has no session left.
    async fn who_is_deactivated_is_out_in_the_same_transaction(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let (user, agent_id) = joined(store, &installed).await;
        begin(db, &session(&store.world, user.id, 2)).await;
        let found = agent::find(db, installed.workspace_id(), agent_id).await;
        let version = found.unwrap().unwrap().agent.version;
        let new = AgentChange { deactivated: Some(true), ..AgentChange::default() };
        let change = installed.change("agent.deactivated", agent_id);
        // A change that is refused ends nothing.
        let late = agent::change(db, agent_id, version + 1, &new, &change).await;
        assert_eq!(late.unwrap(), Written::VersionConflict);
        assert_eq!(living(db, user.id).await.len(), 1);
        store.world.faults.fail("storage.batch", 1, u64::MAX);
        let done = agent::change(db, agent_id, version, &new, &change).await;
        store.world.faults.heal();
        assert!(matches!(done, Ok(Written::Done(_))), "{done:?}");
        assert_eq!(living(db, user.id).await, []);
        assert_eq!(told(db).await, 1);
    }

    async fn who_leaves_one_of_two_teams_stays_signed_in(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        let (user, agent_id) = joined(store, &installed).await;
        begin(db, &session(&store.world, user.id, 2)).await;
        // A place in another team, whose workspace does not matter here.
        let lay = "INSERT INTO agent
                (workspace_id, agent_id, version, change_id, user_id, name, role, time_zone, created_at_ms)
            SELECT $1, $2, version, change_id, user_id, name, role, time_zone, created_at_ms
            FROM agent WHERE agent_id = $3";
        let (workspace_id, other): (WorkspaceId, AgentId) = (store.world.ids.next(), store.world.ids.next());
        let mut batch = Batch::default();
        batch.push(Stmt::new(lay, vec![workspace_id.into(), other.into(), agent_id.into()]));
        db.batch(batch).await.unwrap();
        deactivate(store, &installed, agent_id, true).await;
        assert_eq!(living(db, user.id).await.len(), 1);
    }

    async fn one_password_is_changed_once(store: &Store) {
        let installed = store.installed().await;
        let (db, user) = (&store.db, &installed.installation.user);
        let old = Some(user.password_hash.as_str());
        let kept = installed.installation.session.clone().unwrap().id;
        let (one, other) = tokio::join!(
            user::set_password(db, user.id, "$one", old, Some(kept), NOW_MS + 9),
            user::set_password(db, user.id, "$other", old, Some(kept), NOW_MS + 9),
        );
        let done = [one.unwrap(), other.unwrap()];
        assert_eq!(done.iter().filter(|done| **done == Written::Refused).count(), 1);
        // A refusal ends nothing.
        let refused = user::set_password(db, user.id, "$late", old, None, NOW_MS + 10).await.unwrap();
        assert_eq!(refused, Written::Refused);
        assert_eq!(living(db, user.id).await, [kept]);
        let found = user::find(db, user.id).await.unwrap().unwrap();
        assert_ne!(found.password_hash, "$late");
    }

    async fn an_invitation_is_accepted_only_with_the_password_that_was_checked(store: &Store) {
        let installed = store.installed().await;
        let db = &store.db;
        // He has an account and is a member of no team, so far.
        let user = UserRow { email: "li@example.com".to_owned(), ..installed.installation.user.clone() };
        let user = UserRow { id: store.world.ids.next(), ..user };
        let lay = "INSERT INTO account (user_id, email, email_folded, password_hash, created_at_ms)
            VALUES ($1, $2, $2, $3, 0)";
        let values = vec![user.id.into(), user.email.as_str().into(), user.password_hash.as_str().into()];
        let mut batch = Batch::default();
        batch.push(Stmt::new(lay, values));
        db.batch(batch).await.unwrap();
        let row = InvitationRow {
            invitation: Invitation {
                id: store.world.ids.next(),
                email: user.email.clone(),
                role: Role::Agent,
                expires_at_ms: NOW_MS + 10_000,
                link: None,
            },
            workspace_id: installed.workspace_id(),
            token_hash: store.world.ids.bytes(),
        };
        let change = installed.change("invitation.created", row.invitation.id);
        invitation::create(db, &row, &change).await.unwrap();
        user::set_password(db, user.id, "$new", None, None, NOW_MS + 9).await.unwrap();
        let accept = async |account: UserRow, byte: u8| {
            let session = session(&store.world, account.id, byte);
            let (id, account) = (row.invitation.id, Account::Existing(account));
            invitation::accept(db, id, &account, &member(store), &session, &change).await.unwrap()
        };
        assert_eq!(accept(user.clone(), 2).await, Written::Refused);
        assert_eq!(living(db, user.id).await, []);
        let now = user::find(db, user.id).await.unwrap().unwrap();
        let done = accept(now, 3).await;
        assert!(matches!(done, Written::Done(_)), "{done:?}");
        assert_eq!(living(db, user.id).await.len(), 1);
    }

    async fn one_session_too_many_ends_the_one_that_was_not_used_for_longest(store: &Store) {
        let installed = store.installed().await;
        let (db, user_id) = (&store.db, installed.installation.user.id);
        let first = installed.installation.session.clone().unwrap();
        let mut rows = vec![first];
        for byte in 2..=limit::LOGIN_SESSIONS_MAX {
            let row = session(&store.world, user_id, u8::try_from(byte).unwrap());
            assert_eq!(begin(db, &row).await, [], "there is room for {byte}");
            rows.push(row);
        }
        // All but the third were used since they began.
        let third = rows.remove(2).id;
        for row in &rows {
            storage::session::touch(db, row, NOW_MS + 300, NOW_MS + 900_000).await.unwrap();
        }
        let mut row = session(&store.world, user_id, 200);
        row.created_at_ms = NOW_MS + 400;
        assert_eq!(begin(db, &row).await, [third]);
        let left = living(db, user_id).await;
        assert_eq!((left.len(), left[0]), (limit::LOGIN_SESSIONS_MAX, row.id));
        assert!(!left.contains(&third));
        assert_eq!(told(db).await, 1, "its connections hear of it");
        // A sign-in that is refused ends none.
        let refused = session(&store.world, user_id, 201);
        let refused = storage::session::create(db, &refused, "$wrong").await.unwrap();
        assert_eq!(refused, Written::Refused);
        assert_eq!(living(db, user_id).await, left);
        // All of them end with a new password, however many.
        user::set_password(db, user_id, "$new", None, Some(row.id), NOW_MS + 500).await.unwrap();
        assert_eq!(living(db, user_id).await, [row.id]);
        assert_eq!(told(db).await, limit::LOGIN_SESSIONS_MAX as u64);
    }
}
