//! The contract of saved views: whose they are, what they are called, and how many there are.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use crate::both::on_both;
use crate::common::{Installed, Store, scope};
use protocol::id::{AgentId, SavedViewId, WorkspaceId};
use protocol::limit;
use protocol::saved_view::{SavedList, SavedView, SavedViewChange, Span};
use protocol::text::Name;
use protocol::view::{InboxFilter, InboxOrder};
use storage::db::{Batch, Stmt};
use storage::error::Written;
use storage::saved_view;

fn list(filter: InboxFilter) -> SavedList {
    SavedList {
        filter,
        site_id: None,
        assignee_id: None,
        language: "de".parse().ok(),
        priority: None,
        priority_min: Some(3),
        span: Span::parse("7d").ok(),
        order: Some(InboxOrder::Oldest),
    }
}

fn view(store: &Store, agent_id: Option<AgentId>, name: &str) -> SavedView {
    SavedView {
        id: store.world.ids.next(),
        version: 1,
        agent_id,
        name: name.to_owned(),
        list: list(InboxFilter::All),
    }
}

async fn create(store: &Store, installed: &Installed, new: &SavedView) -> Written<()> {
    let change = installed.change("saved_view.created", new.id);
    saved_view::create(&store.db, new, &change).await.unwrap()
}

async fn change(
    store: &Store,
    installed: &Installed,
    id: SavedViewId,
    version: u64,
    new: &SavedViewChange,
) -> Written<SavedView> {
    let change = installed.change("saved_view.changed", id);
    let done = saved_view::change(&store.db, id, version, new, &change).await;
    done.unwrap()
}

fn named(name: &str) -> SavedViewChange {
    SavedViewChange {
        name: Some(Name::parse(name).unwrap()),
        list: None,
    }
}

/// The names that a member sees.
async fn names(store: &Store, installed: &Installed, agent_id: Option<AgentId>) -> Vec<String> {
    let scope = installed.scope(&store.world);
    let listed = saved_view::list(&store.db, &scope, agent_id).await;
    listed.unwrap().into_iter().map(|one| one.name).collect()
}

const LAY: &str = "
    INSERT INTO saved_view
        (workspace_id, saved_view_id, version, change_id, owner, name, name_folded, list_json)
    VALUES ($1, $2, 1, '', $3, $2, $2, '{\"filter\":\"all\"}')";

/// Lays so many at once.
async fn lay(store: &Store, workspace_id: WorkspaceId, agent_id: Option<AgentId>, count: usize) {
    let owner = agent_id.map_or_else(String::new, |id| id.to_string());
    let mut batch = Batch::default();
    for _ in 0..count {
        let id: SavedViewId = store.world.ids.next();
        let params = vec![workspace_id.into(), id.into(), owner.clone().into()];
        batch.push(Stmt::new(LAY, params));
    }
    store.db.batch(batch).await.unwrap();
}

on_both! {
    async fn a_member_sees_the_teams_and_his_own_and_each_name_once(store: &Store) {
        let installed = store.installed().await;
        let (ana, bob) = (store.world.ids.next(), store.world.ids.next());
        let team = view(store, None, "Late");
        for new in [team.clone(), view(store, Some(ana), "late"), view(store, Some(bob), "Austria")] {
            assert_eq!(create(store, &installed, &new).await, Written::Done(()));
            let found = saved_view::find(&store.db, installed.workspace_id(), new.id).await;
            assert_eq!(found.unwrap(), Some(new));
        }
        assert_eq!(create(store, &installed, &view(store, None, "LATE")).await, Written::AlreadyExists);
        assert_eq!(names(store, &installed, Some(ana)).await.len(), 2);
        assert_eq!(names(store, &installed, Some(bob)).await, ["Austria", "Late"]);
        assert_eq!(names(store, &installed, None).await, ["Late"]);
        let there = scope(&store.world, store.world.ids.next());
        assert!(saved_view::list(&store.db, &there, Some(ana)).await.unwrap().is_empty());
        let mut foreign = installed.change("saved_view.changed", team.id);
        foreign.workspace_id = store.world.ids.next();
        let changed = saved_view::change(&store.db, team.id, 1, &named("x"), &foreign).await;
        assert_eq!(changed.unwrap(), Written::NotFound);
        assert!(!saved_view::remove(&store.db, team.id, &foreign).await.unwrap());
    }

    async fn a_change_is_based_on_what_was_read(store: &Store) {
        let installed = store.installed().await;
        let (new, other) = (view(store, None, "Late"), view(store, None, "Early"));
        create(store, &installed, &new).await;
        create(store, &installed, &other).await;
        let wanted = SavedView { version: 2, name: "LATE".to_owned(), ..new.clone() };
        assert_eq!(change(store, &installed, new.id, 1, &named("LATE")).await, Written::Done(wanted.clone()));
        assert_eq!(change(store, &installed, new.id, 1, &named("x")).await, Written::VersionConflict);
        assert_eq!(change(store, &installed, new.id, 2, &named("early")).await, Written::AlreadyExists);
        let closed = SavedViewChange { name: None, list: Some(list(InboxFilter::Closed)) };
        let wanted = SavedView { version: 3, list: list(InboxFilter::Closed), ..wanted };
        assert_eq!(change(store, &installed, new.id, 2, &closed).await, Written::Done(wanted));
        let line = installed.change("saved_view.removed", new.id);
        assert!(saved_view::remove(&store.db, new.id, &line).await.unwrap());
        assert!(!saved_view::remove(&store.db, new.id, &line).await.unwrap(), "once");
        assert_eq!(change(store, &installed, new.id, 3, &named("x")).await, Written::NotFound);
    }

    async fn a_team_and_a_member_have_so_many(store: &Store) {
        let installed = store.installed().await;
        let ana: AgentId = store.world.ids.next();
        for (agent_id, max) in [
            (None, limit::SAVED_VIEWS_MAX),
            (Some(ana), limit::OWN_SAVED_VIEWS_MAX),
        ] {
            lay(store, installed.workspace_id(), agent_id, max - 1).await;
            assert_eq!(create(store, &installed, &view(store, agent_id, "last")).await, Written::Done(()));
            assert_eq!(create(store, &installed, &view(store, agent_id, "over")).await, Written::TooMany);
        }
        let all = names(store, &installed, Some(ana)).await;
        assert_eq!(all.len(), limit::SAVED_VIEWS_MAX + limit::OWN_SAVED_VIEWS_MAX);
    }
}
