//! What agents watch of the visitors who are here: lists, and those whom they name.

use std::collections::BTreeSet;
use std::time::Duration;

use presence::named::Named;
use presence::state::{Change, Visitors};
use presence::view::VisitorView;
use protocol::id::{VisitorId, WorkspaceId};
use protocol::news::AgentNews;
use protocol::visitor::LiveVisitor;
use world::HashMap;

use super::Actor;
use super::elsewhere::counts;
use crate::around::Around;
use crate::delivery::{Class, Encoded};
use crate::topic::{Topic, ViewId};
use crate::visitors::Wanted;

/// What somebody watches.
struct Watched {
    workspace_id: WorkspaceId,
    view: View,
    /// How long its changes are collected.
    interval: Duration,
    /// When it is told next, while it has something to tell.
    due: Option<Duration>,
}

enum View {
    List(VisitorView),
    Named(Named),
}

/// All that is watched.
// Invariant: `named` holds exactly the visitors of the views by name, each with the view.
#[derive(Default)]
pub(super) struct Watches {
    views: HashMap<ViewId, Watched>,
    named: BTreeSet<(VisitorId, ViewId)>,
}

impl Watches {
    /// When something is to be told next.
    pub(super) fn due(&self) -> Option<Duration> {
        self.views.values().filter_map(|watched| watched.due).min()
    }

    fn put(&mut self, view_id: ViewId, watched: Watched) {
        if let View::Named(named) = &watched.view {
            self.named.extend(named.ids().map(|id| (id, view_id)));
        }
        self.views.insert(view_id, watched);
    }

    fn take(&mut self, view_id: ViewId) -> Option<Watched> {
        let watched = self.views.remove(&view_id)?;
        if let View::Named(named) = &watched.view {
            for visitor_id in named.ids() {
                self.named.remove(&(visitor_id, view_id));
            }
        }
        Some(watched)
    }

    fn is_watched(&self, workspace_id: WorkspaceId) -> bool {
        let mut views = self.views.values();
        views.any(|watched| watched.workspace_id == workspace_id)
    }

    /// Puts a change into all that shows it. Says whether something is due that was not.
    fn show(&mut self, change: &Change, now: Duration) -> bool {
        let visitor_id = change.row.id;
        let named = (visitor_id, ViewId(0))..=(visitor_id, ViewId(u64::MAX));
        let named: Vec<_> = self.named.range(named).map(|(_, id)| *id).collect();
        let mut is_due_anew = false;
        for (view_id, watched) in &mut self.views {
            if watched.workspace_id != change.workspace_id {
                continue;
            }
            let is_shown = match &mut watched.view {
                View::List(list) => {
                    list.take(change);
                    true
                }
                View::Named(of) => named.contains(view_id) && of.take(visitor_id),
            };
            if is_shown {
                is_due_anew |= watched.due.is_none();
                watched.due.get_or_insert(now + watched.interval);
            }
        }
        is_due_anew
    }

    /// Changes of a workspace are collected so long. What waits already waits no longer than that.
    fn pace(&mut self, workspace_id: WorkspaceId, interval: Duration, now: Duration) {
        for watched in self.views.values_mut() {
            if watched.workspace_id == workspace_id {
                watched.interval = interval;
                watched.due = watched.due.map(|due| due.min(now + interval));
            }
        }
    }
}

/// A visitor of a workspace who is here, on whichever node.
fn find<'a>(
    visitors: &'a Visitors,
    around: &'a Option<(Around, Duration)>,
    workspace_id: WorkspaceId,
) -> impl Fn(VisitorId) -> Option<&'a LiveVisitor> {
    move |visitor_id| match around {
        None => visitors.find(workspace_id, visitor_id),
        Some((around, _)) => around.everywhere.find(workspace_id, visitor_id),
    }
}

impl Actor {
    /// Puts a change into what is watched.
    pub(super) fn show(&mut self, change: &Change) {
        let now = self.router.world().clock.elapsed();
        if self.views.show(change, now) {
            self.see_who_is_due();
        }
    }

    pub(super) fn see_who_is_due(&mut self) {
        let due = self.views.due().into_iter();
        self.tell_at = due.chain(self.screens.due()).min();
    }

    /// Changes of a workspace's visitors are collected as long as it set, and no shorter than the server's
    /// own interval.
    pub(super) fn pace(&mut self, workspace_id: WorkspaceId, interval: Duration) {
        let interval = interval.max(self.router.config().view_interval);
        let now = self.router.world().clock.elapsed();
        self.views.pace(workspace_id, interval, now);
        self.see_who_is_due();
    }

    pub(super) fn snapshot(
        &mut self,
        workspace_id: WorkspaceId,
        view_id: ViewId,
        wanted: Wanted,
        interval: Duration,
    ) -> Encoded {
        self.watch(workspace_id);
        if !self.views.views.contains_key(&view_id) {
            let watched = Watched {
                workspace_id,
                view: self.view(workspace_id, wanted),
                interval: interval.max(self.router.config().view_interval),
                due: None,
            };
            self.views.put(view_id, watched);
        }
        let counts = self.counts(workspace_id);
        let watched = self.views.views.get_mut(&view_id);
        let news = match &mut watched.expect("it was put there").view {
            View::List(list) => {
                let (rows, counts) = list.snapshot(counts);
                AgentNews::Visitors { rows, counts }
            }
            View::Named(named) => named
                .snapshot(find(&self.visitors, &self.around, workspace_id))
                .into(),
        };
        Encoded::new(&news, Class::Row)
    }

    fn view(&self, workspace_id: WorkspaceId, wanted: Wanted) -> View {
        match wanted {
            Wanted::List(filter) => {
                let counts = self.counts(workspace_id);
                View::List(match &self.around {
                    None => {
                        let all = self.visitors.of_workspace(workspace_id);
                        VisitorView::new(filter, all, counts)
                    }
                    Some((around, _)) => {
                        let all = around.everywhere.of_workspace(workspace_id);
                        VisitorView::new(filter, all, counts)
                    }
                })
            }
            Wanted::Named {
                visitor_ids,
                row_id,
            } => {
                let find = find(&self.visitors, &self.around, workspace_id);
                View::Named(Named::new(visitor_ids, row_id, find))
            }
        }
    }

    pub(super) fn unwatch(&mut self, view_id: ViewId) {
        let Some(watched) = self.views.take(view_id) else {
            return;
        };
        let workspace_id = watched.workspace_id;
        let is_last = !self.views.is_watched(workspace_id);
        if let (true, Some((around, _))) = (is_last, &mut self.around) {
            around.unwatch(workspace_id);
        }
    }

    /// Tells all that is due what changed of it.
    pub(super) async fn tell(&mut self) {
        let now = self.router.world().clock.elapsed();
        let (visitors, around) = (&self.visitors, &self.around);
        let views = self.views.views.iter_mut();
        let told = views.filter_map(|(view_id, watched)| {
            watched.due.take_if(|due| *due <= now)?;
            let workspace_id = watched.workspace_id;
            let news: AgentNews = match &mut watched.view {
                View::List(list) => list.flush(counts(visitors, around, workspace_id))?.into(),
                View::Named(named) => named.flush(find(visitors, around, workspace_id))?.into(),
            };
            Some((*view_id, news))
        });
        let told: Vec<_> = told.collect();
        let screens = self.screens.take_due(now);
        self.see_who_is_due();
        for (view_id, news) in told {
            self.router
                .hub()
                .publish(Topic::Visitors(view_id), || Encoded::new(&news, Class::Row))
                .await;
        }
        for (workspace_id, changes) in screens {
            self.team_changed(workspace_id, changes).await;
        }
    }
}
