//! Saved views: who sees and changes which.

use protocol::canned_response::Whose;
use protocol::id::SavedViewId;
use protocol::permission::{Actor, Role};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::saved_view::{NewSavedView, SavedList, SavedViewChange};
use protocol::text::Name;
use protocol::view::{InboxFilter, InboxOrder};

use crate::office::{Office, code, on_both, refused};

fn new(whose: Whose, name: &str, filter: InboxFilter) -> NewSavedView {
    NewSavedView {
        whose,
        name: Name::parse(name).unwrap(),
        list: SavedList {
            filter,
            site_id: None,
            assignee_id: None,
            language: None,
            priority: Some(4),
            priority_min: None,
            span: None,
            order: Some(InboxOrder::Waiting),
        },
    }
}

fn renamed(name: &str) -> SavedViewChange {
    SavedViewChange {
        name: Some(Name::parse(name).unwrap()),
        list: None,
    }
}

async fn seen(office: &Office, actor: &Actor) -> Vec<SavedViewId> {
    let listed = office.desk.saved_views(actor).await.unwrap();
    listed.into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn the_teams_views_are_the_admins_and_ones_own_nobody_elses() {
    on_both(async |office| {
        let (owner, _) = office.owner().await;
        let (bob, _) = office.member(&owner, "bob@example.com", Role::Agent).await;
        let desk = &office.desk;
        let late = new(Whose::Team, "Late", InboxFilter::All);
        let team = desk.create_saved_view(&owner, &late, None).await.unwrap();
        let own = new(Whose::Own, "Late", InboxFilter::Mine);
        let own = desk.create_saved_view(&bob, &own, None).await.unwrap();
        assert_eq!((team.agent_id, own.agent_id.is_some()), (None, true));
        assert_eq!(seen(office, &bob).await.len(), 2);
        assert_eq!(seen(office, &owner).await, [team.id]);
        // It looks like nothing, whatever he may.
        let (x, later) = (renamed("x"), renamed("Later"));
        let changed = desk.change_saved_view(&owner, own.id, 1, &x, None);
        assert_eq!(code(changed.await), ErrorCode::NotFound);
        let removed = desk.remove_saved_view(&owner, own.id, None).await;
        assert_eq!(code(removed), ErrorCode::NotFound);
        let made = desk.create_saved_view(&bob, &late, None).await;
        assert_eq!(code(made), ErrorCode::Forbidden);
        let changed = desk.change_saved_view(&bob, team.id, 1, &x, None);
        assert_eq!(code(changed.await), ErrorCode::Forbidden);
        let removed = desk.remove_saved_view(&bob, team.id, None).await;
        assert_eq!(code(removed), ErrorCode::Forbidden);

        let again = desk.create_saved_view(&owner, &late, None).await;
        let taken = Rejection::of(ErrorCode::AlreadyExists, "name");
        assert_eq!(refused(again), taken);
        let over = new(Whose::Own, "Over", InboxFilter::Closed);
        let over = desk.create_saved_view(&bob, &over, None).await;
        assert_eq!(refused(over), Rejection::of(ErrorCode::Invalid, "order"));
        let changed = desk.change_saved_view(&owner, team.id, 1, &later, None);
        assert_eq!(changed.await.unwrap().name, "Later");
        let late = desk.change_saved_view(&owner, team.id, 1, &x, None);
        assert_eq!(code(late.await), ErrorCode::VersionConflict);
        desk.remove_saved_view(&bob, own.id, None).await.unwrap();
        desk.remove_saved_view(&owner, team.id, None).await.unwrap();
        assert!(seen(office, &bob).await.is_empty());
    })
    .await;
}
