//! What agents watch of the visitors who are here: lists, and those whom they name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use presence::named::Named;
use presence::state::{Change, Visitors};
use presence::view::{VisitorView, folded};
use presence::window::Window;
use protocol::id::{VisitorId, WorkspaceId};
use protocol::news::AgentNews;
use protocol::view::VisitorList;
use protocol::visitor::LiveVisitor;
use world::HashMap;

use super::Actor;
use super::elsewhere::counts;
use crate::around::Around;
use crate::delivery::{Class, Encoded};
use crate::topic::{Topic, ViewId};
use crate::visitors::Wanted;

/// Something that is watched.
struct Watched<T> {
    workspace_id: WorkspaceId,
    what: T,
    /// How long its changes are collected.
    interval: Duration,
    /// When it is told next, while it has something to tell.
    due: Option<Duration>,
}

/// A list, and all windows into it that somebody watches.
struct List {
    view: VisitorView,
    windows: BTreeMap<ViewId, Window>,
}

/// What is the same list: that of a workspace, with the filter as it is compared, whatever part of it.
type ListKey = (WorkspaceId, VisitorList);

fn key_of(workspace_id: WorkspaceId, list: &VisitorList) -> ListKey {
    let whole = VisitorList {
        filter: folded(list.filter.clone()),
        order: list.order,
        first: 0,
    };
    (workspace_id, whole)
}

/// All that is watched.
// Invariant: `windows` names the list of each window, and no list is without one; `named` holds exactly the visitors
// of `names`, each with the view.
#[derive(Default)]
pub(super) struct Watches {
    lists: HashMap<ListKey, Watched<List>>,
    windows: HashMap<ViewId, ListKey>,
    names: HashMap<ViewId, Watched<Named>>,
    named: BTreeSet<(VisitorId, ViewId)>,
}

impl<T> Watched<T> {
    fn new(workspace_id: WorkspaceId, what: T, interval: Duration) -> Self {
        Self {
            workspace_id,
            what,
            interval,
            due: None,
        }
    }

    /// It has something to tell. Says whether it had not before.
    fn wait(&mut self, now: Duration) -> bool {
        let is_due_anew = self.due.is_none();
        self.due.get_or_insert(now + self.interval);
        is_due_anew
    }

    /// Changes are collected so long from now on. What waits already waits no longer than that.
    fn pace(&mut self, interval: Duration, now: Duration) {
        self.interval = interval;
        self.due = self.due.map(|due| due.min(now + interval));
    }
}

impl Watches {
    /// When something is to be told next.
    pub(super) fn due(&self) -> Option<Duration> {
        let lists = self.lists.values().filter_map(|watched| watched.due);
        let names = self.names.values().filter_map(|watched| watched.due);
        lists.chain(names).min()
    }

    fn name(&mut self, view_id: ViewId, watched: Watched<Named>) {
        let ids = watched.what.ids();
        self.named.extend(ids.map(|id| (id, view_id)));
        self.names.insert(view_id, watched);
    }

    /// Nobody watches this any more. Gives whose it was.
    fn take(&mut self, view_id: ViewId) -> Option<WorkspaceId> {
        if let Some(key) = self.windows.remove(&view_id) {
            let list = self.lists.get_mut(&key)?;
            list.what.windows.remove(&view_id);
            if list.what.windows.is_empty() {
                self.lists.remove(&key);
            }
            return Some(key.0);
        }
        let watched = self.names.remove(&view_id)?;
        for visitor_id in watched.what.ids() {
            self.named.remove(&(visitor_id, view_id));
        }
        Some(watched.workspace_id)
    }

    fn is_watched(&self, workspace_id: WorkspaceId) -> bool {
        let lists = self.lists.values().map(|watched| watched.workspace_id);
        let names = self.names.values().map(|watched| watched.workspace_id);
        lists.chain(names).any(|id| id == workspace_id)
    }

    /// Puts a change into all that shows it. Says whether something is due that was not. Costs a step in each list of
    /// the workspace, however many watch it.
    fn show(&mut self, change: &Change, now: Duration) -> bool {
        let mut is_due_anew = false;
        for list in self.lists.values_mut() {
            if list.workspace_id == change.workspace_id {
                list.what.view.take(change);
                is_due_anew |= list.wait(now);
            }
        }
        let visitor_id = change.row.id;
        let named = (visitor_id, ViewId(0))..=(visitor_id, ViewId(u64::MAX));
        for (_, view_id) in self.named.range(named) {
            let Some(named) = self.names.get_mut(view_id) else {
                continue;
            };
            if named.workspace_id == change.workspace_id && named.what.take(visitor_id) {
                is_due_anew |= named.wait(now);
            }
        }
        is_due_anew
    }

    /// Changes of a workspace are collected so long.
    fn pace(&mut self, workspace_id: WorkspaceId, interval: Duration, now: Duration) {
        for list in self.lists.values_mut() {
            if list.workspace_id == workspace_id {
                list.pace(interval, now);
            }
        }
        for named in self.names.values_mut() {
            if named.workspace_id == workspace_id {
                named.pace(interval, now);
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

/// All visitors of a workspace who are here, on whichever node.
fn all<'a>(
    visitors: &'a Visitors,
    around: &'a Option<(Around, Duration)>,
    workspace_id: WorkspaceId,
) -> Box<dyn Iterator<Item = &'a Arc<LiveVisitor>> + 'a> {
    match around {
        None => Box::new(visitors.of_workspace(workspace_id)),
        Some((around, _)) => Box::new(around.everywhere.of_workspace(workspace_id)),
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
        let untold = self.untold.values().copied();
        self.tell_at = due.chain(self.screens.due()).chain(untold).min();
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
        let interval = interval.max(self.router.config().view_interval);
        let news = match wanted {
            Wanted::List(list) => self.window(workspace_id, view_id, list, interval),
            Wanted::Named {
                visitor_ids,
                row_id,
            } => {
                let find = find(&self.visitors, &self.around, workspace_id);
                if !self.views.names.contains_key(&view_id) {
                    let named = Named::new(visitor_ids, row_id, &find);
                    let watched = Watched::new(workspace_id, named, interval);
                    self.views.name(view_id, watched);
                }
                let named = self.views.names.get_mut(&view_id);
                let named = named.expect("it was put there");
                named.what.snapshot(find).into()
            }
        };
        Encoded::new(&news, Class::Row)
    }

    /// A window, whole. Costs a walk over all visitors where nobody watches another one into the same list.
    fn window(
        &mut self,
        workspace_id: WorkspaceId,
        view_id: ViewId,
        list: VisitorList,
        interval: Duration,
    ) -> AgentNews {
        let here = self.counts(workspace_id);
        let (visitors, around) = (&self.visitors, &self.around);
        let key = key_of(workspace_id, &list);
        let (filter, order) = (key.1.filter.clone(), key.1.order);
        let watched = self.views.lists.entry(key.clone()).or_insert_with(|| {
            let list = List {
                view: VisitorView::new(filter, order, all(visitors, around, workspace_id)),
                windows: BTreeMap::new(),
            };
            Watched::new(workspace_id, list, interval)
        });
        self.views.windows.insert(view_id, key);
        let List { view, windows } = &mut watched.what;
        let window = windows.entry(view_id);
        let window = window.or_insert_with(|| Window::new(list, view, here));
        window.snapshot(view, here).into()
    }

    pub(super) fn unwatch(&mut self, view_id: ViewId) {
        let Some(workspace_id) = self.views.take(view_id) else {
            return;
        };
        let is_last = !self.views.is_watched(workspace_id);
        if let (true, Some((around, _))) = (is_last, &mut self.around) {
            around.unwatch(workspace_id);
        }
    }

    /// Tells all that is due what changed of it.
    pub(super) async fn tell(&mut self) {
        let now = self.router.world().clock.elapsed();
        let (visitors, around) = (&self.visitors, &self.around);
        let mut told: Vec<(ViewId, AgentNews)> = Vec::new();
        for watched in self.views.lists.values_mut() {
            if watched.due.take_if(|due| *due <= now).is_some() {
                let here = counts(visitors, around, watched.workspace_id);
                let List { view, windows } = &mut watched.what;
                told.extend(windows.iter_mut().filter_map(|(view_id, window)| {
                    Some((*view_id, window.flush(view, here)?.into()))
                }));
            }
        }
        for (view_id, watched) in &mut self.views.names {
            if watched.due.take_if(|due| *due <= now).is_some() {
                let find = find(visitors, around, watched.workspace_id);
                let news = watched.what.flush(find);
                told.extend(news.map(|news| (*view_id, news.into())));
            }
        }
        let screens = self.screens.take_due(now);
        let untold = self.take_untold(now);
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
        for workspace_id in untold {
            self.tell_visitors(workspace_id).await;
        }
    }
}
