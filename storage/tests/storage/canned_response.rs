//! The contract of canned responses: whose they are, what they are called by, and how many there are.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::{Installed, NOW_MS, Store, scope};
use protocol::canned_response::{CannedResponse, CannedResponseChange};
use protocol::event::EventType;
use protocol::id::{AgentId, CannedResponseId, WorkspaceId};
use protocol::limit;
use protocol::text::Body;
use storage::canned_response;
use storage::db::{Batch, Stmt};
use storage::error::Written;
use storage::event::{self, EventCursor};

fn response(store: &Store, agent_id: Option<AgentId>, nickname: &str) -> CannedResponse {
    CannedResponse {
        id: store.world.ids.next(),
        version: 1,
        agent_id,
        nickname: nickname.to_owned(),
        body: format!("The text of {nickname}."),
        created_at_ms: NOW_MS,
        changed_at_ms: NOW_MS,
    }
}

async fn create(store: &Store, installed: &Installed, new: &CannedResponse) -> Written<()> {
    let change = installed.change("canned_response.created", new.id);
    canned_response::create(&store.db, new, &change)
        .await
        .unwrap()
}

async fn change(
    store: &Store,
    installed: &Installed,
    id: CannedResponseId,
    version: u64,
    new: &CannedResponseChange,
) -> Written<CannedResponse> {
    let mut change = installed.change("canned_response.changed", id);
    change.at_ms = NOW_MS + 1;
    let done = canned_response::change(&store.db, id, version, new, &change).await;
    done.unwrap()
}

async fn remove(store: &Store, installed: &Installed, id: CannedResponseId) -> bool {
    let change = installed.change("canned_response.removed", id);
    canned_response::remove(&store.db, id, &change)
        .await
        .unwrap()
}

fn named(nickname: &str) -> CannedResponseChange {
    CannedResponseChange {
        nickname: Some(nickname.to_owned()),
        body: None,
    }
}

/// The nicknames that a member sees.
async fn nicknames(store: &Store, installed: &Installed, agent_id: Option<AgentId>) -> Vec<String> {
    let scope = installed.scope(&store.world);
    let listed = canned_response::list(&store.db, &scope, agent_id).await;
    let listed = listed.unwrap().into_iter();
    listed.map(|one| one.nickname).collect()
}

const LAY: &str = "
    INSERT INTO canned_response
        (workspace_id, canned_response_id, version, change_id, owner, nickname, nickname_folded, body,
        created_at_ms, changed_at_ms)
    VALUES ($1, $2, 1, '', $3, '', '', 'x', 0, 0)";

/// Lays so many at once.
async fn lay(store: &Store, workspace_id: WorkspaceId, agent_id: Option<AgentId>, count: usize) {
    let owner = agent_id.map_or_else(String::new, |id| id.to_string());
    let mut batch = Batch::default();
    for _ in 0..count {
        let id: CannedResponseId = store.world.ids.next();
        let params = vec![workspace_id.into(), id.into(), owner.clone().into()];
        batch.push(Stmt::new(LAY, params));
    }
    store.db.batch(batch).await.unwrap();
}

on_both! {
    async fn a_member_sees_the_teams_and_his_own(store: &Store) {
        let installed = store.installed().await;
        let (ana, bob) = (store.world.ids.next(), store.world.ids.next());
        for new in [
            response(store, None, "refund"),
            response(store, Some(ana), "bye"),
            response(store, Some(bob), "bye"),
            response(store, None, ""),
            response(store, None, ""),
        ] {
            assert_eq!(create(store, &installed, &new).await, Written::Done(()));
            let found = canned_response::find(&store.db, installed.workspace_id(), new.id).await;
            assert_eq!(found.unwrap(), Some(new));
        }
        assert_eq!(nicknames(store, &installed, Some(ana)).await, ["", "", "bye", "refund"]);
        assert_eq!(nicknames(store, &installed, None).await, ["", "", "refund"]);
        let other: WorkspaceId = store.world.ids.next();
        let there = scope(&store.world, other);
        assert!(canned_response::list(&store.db, &there, Some(ana)).await.unwrap().is_empty());
    }

    async fn a_nickname_is_one_of_its_kind_whatever_its_case(store: &Store) {
        let installed = store.installed().await;
        let ana = store.world.ids.next();
        let (first, second) = (response(store, None, "Refund"), response(store, None, "late"));
        assert_eq!(create(store, &installed, &first).await, Written::Done(()));
        assert_eq!(create(store, &installed, &second).await, Written::Done(()));
        let again = response(store, None, "REFUND");
        assert_eq!(create(store, &installed, &again).await, Written::AlreadyExists);
        // One's own may be called like one of the team's.
        assert_eq!(create(store, &installed, &response(store, Some(ana), "refund")).await, Written::Done(()));
        let taken = change(store, &installed, second.id, 1, &named("reFUND")).await;
        assert_eq!(taken, Written::AlreadyExists);
        let Written::Done(renamed) = change(store, &installed, first.id, 1, &named("REFUND")).await else {
            panic!("it may be written otherwise");
        };
        assert_eq!((renamed.version, renamed.nickname.as_str()), (2, "REFUND"));
        let Written::Done(bare) = change(store, &installed, first.id, 2, &named("")).await else {
            panic!("it may lose its nickname");
        };
        assert_eq!((bare.version, bare.nickname.as_str()), (3, ""));
        assert_eq!(create(store, &installed, &again).await, Written::Done(()), "it is free again");
    }

    async fn two_who_take_a_nickname_at_once_are_one(store: &Store) {
        let installed = store.installed().await;
        let (one, other) = (response(store, None, "hi"), response(store, None, "hi"));
        let (one, other) = tokio::join!(
            create(store, &installed, &one),
            create(store, &installed, &other),
        );
        let taken = [one, other].into_iter().filter(|done| *done == Written::AlreadyExists);
        assert_eq!(taken.count(), 1);
        assert_eq!(nicknames(store, &installed, None).await, ["hi"]);
    }

    async fn a_change_is_based_on_what_was_read(store: &Store) {
        let installed = store.installed().await;
        let new = response(store, None, "hi");
        create(store, &installed, &new).await;
        let text = CannedResponseChange { nickname: None, body: Some(Body::parse("Hello.").unwrap()) };
        let Written::Done(changed) = change(store, &installed, new.id, 1, &text).await else {
            panic!("it is changed");
        };
        let wanted = CannedResponse {
            version: 2,
            body: "Hello.".to_owned(),
            changed_at_ms: NOW_MS + 1,
            ..new.clone()
        };
        assert_eq!(changed, wanted);
        let late = change(store, &installed, new.id, 1, &named("ho")).await;
        assert_eq!(late, Written::VersionConflict);
        let absent = store.world.ids.next();
        assert_eq!(change(store, &installed, absent, 1, &named("ho")).await, Written::NotFound);
        assert!(remove(store, &installed, new.id).await);
        assert!(!remove(store, &installed, new.id).await, "once");
        assert_eq!(change(store, &installed, new.id, 2, &named("ho")).await, Written::NotFound);
        assert!(nicknames(store, &installed, None).await.is_empty());
    }

    async fn every_change_is_told_and_no_refusal(store: &Store) {
        let installed = store.installed().await;
        let new = response(store, None, "hi");
        create(store, &installed, &new).await;
        create(store, &installed, &response(store, None, "hi")).await;
        change(store, &installed, new.id, 1, &named("ho")).await;
        change(store, &installed, new.id, 1, &named("hu")).await;
        remove(store, &installed, new.id).await;
        remove(store, &installed, new.id).await;
        // On Postgres the log waits for older transactions, also those of other databases on the server.
        let told = loop {
            let tail = event::tail(&store.db, EventCursor::default(), 100).await.unwrap();
            let told: Vec<_> = tail
                .events
                .into_iter()
                .map(|(_, event)| event)
                .filter(|event| event.event_type == EventType::CannedResponseChanged)
                .collect();
            if told.len() >= 3 {
                break told;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|event| event.subject == new.id.to_string()));
    }

    async fn a_team_and_a_member_have_so_many(store: &Store) {
        let installed = store.installed().await;
        let workspace_id = installed.workspace_id();
        let ana: AgentId = store.world.ids.next();
        for (agent_id, max) in [
            (None, limit::CANNED_RESPONSES_MAX),
            (Some(ana), limit::OWN_CANNED_RESPONSES_MAX),
        ] {
            lay(store, workspace_id, agent_id, max - 1).await;
            let last = response(store, agent_id, "last");
            assert_eq!(create(store, &installed, &last).await, Written::Done(()));
            let over = response(store, agent_id, "over");
            assert_eq!(create(store, &installed, &over).await, Written::TooMany);
            let found = canned_response::find(&store.db, workspace_id, over.id).await;
            assert_eq!(found.unwrap(), None);
        }
        let bob = store.world.ids.next();
        assert_eq!(create(store, &installed, &response(store, Some(bob), "x")).await, Written::Done(()));
        let all = nicknames(store, &installed, Some(ana)).await;
        assert_eq!(all.len(), limit::CANNED_RESPONSES_MAX + limit::OWN_CANNED_RESPONSES_MAX);
    }

    async fn nothing_of_another_workspace_is_changed(store: &Store) {
        let installed = store.installed().await;
        let new = response(store, None, "hi");
        create(store, &installed, &new).await;
        let mut foreign = installed.change("canned_response.changed", new.id);
        foreign.workspace_id = store.world.ids.next();
        let changed = canned_response::change(&store.db, new.id, 1, &named("ho"), &foreign).await;
        assert_eq!(changed.unwrap(), Written::NotFound);
        assert!(!canned_response::remove(&store.db, new.id, &foreign).await.unwrap());
        let found = canned_response::find(&store.db, foreign.workspace_id, new.id).await;
        assert_eq!(found.unwrap(), None);
        assert_eq!(nicknames(store, &installed, None).await, ["hi"]);
    }
}
