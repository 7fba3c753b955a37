//! Which lists of live visitors are watched, and by which connections. Lists of one filter are one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::id::{ConnectionId, WorkspaceId};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::view::VisitorFilter;
use world::{HashMap, HashSet};

use crate::topic::ViewId;

/// Bytes of a country's code.
const COUNTRY_BYTES: usize = 2;

#[derive(Debug)]
struct View {
    workspace_id: WorkspaceId,
    filter: VisitorFilter,
    connections: HashSet<ConnectionId>,
}

#[derive(Debug, Default)]
struct Table {
    views: HashMap<ViewId, View>,
    by_filter: HashMap<(WorkspaceId, VisitorFilter), ViewId>,
    last_id: u64,
}

/// The watched lists of this node.
#[derive(Debug, Default)]
pub(crate) struct Views(Mutex<Table>);

impl Views {
    /// A connection watches from now on.
    pub(crate) fn watch(
        &self,
        workspace_id: WorkspaceId,
        filter: &VisitorFilter,
        connection_id: ConnectionId,
    ) -> ViewId {
        let mut table = self.table();
        let key = (workspace_id, filter.clone());
        let view_id = match table.by_filter.get(&key) {
            Some(view_id) => *view_id,
            None => {
                table.last_id += 1;
                let view_id = ViewId(table.last_id);
                table.by_filter.insert(key, view_id);
                view_id
            }
        };
        let view = table.views.entry(view_id).or_insert_with(|| View {
            workspace_id,
            filter: filter.clone(),
            connections: HashSet::default(),
        });
        view.connections.insert(connection_id);
        view_id
    }

    /// What a list is of, for its own workspace.
    pub(crate) fn filter(
        &self,
        workspace_id: WorkspaceId,
        view_id: ViewId,
    ) -> Option<VisitorFilter> {
        let table = self.table();
        let view = table.views.get(&view_id)?;
        (view.workspace_id == workspace_id).then(|| view.filter.clone())
    }

    /// A connection watches no longer. Says whether nobody does any more.
    pub(crate) fn unwatch(&self, view_id: ViewId, connection_id: ConnectionId) -> bool {
        let mut table = self.table();
        let Some(view) = table.views.get_mut(&view_id) else {
            return false;
        };
        view.connections.remove(&connection_id);
        if !view.connections.is_empty() {
            return false;
        }
        let key = (view.workspace_id, view.filter.clone());
        table.views.remove(&view_id);
        table.by_filter.remove(&key);
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks a filter from outside.
///
/// # Errors
/// `too_long` or `invalid`, with the field.
pub(crate) fn check(filter: &VisitorFilter) -> Result<(), Rejection> {
    for (field, text) in [
        ("search", &filter.search),
        ("page", &filter.page),
        ("source", &filter.source),
    ] {
        if text
            .as_ref()
            .is_some_and(|text| text.len() > limit::SEARCH_BYTES_MAX)
        {
            return Err(Rejection::of(ErrorCode::TooLong, field));
        }
    }
    if let Some(country) = &filter.country
        && country.len() != COUNTRY_BYTES
    {
        return Err(Rejection::of(ErrorCode::Invalid, "country"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[test]
    fn the_same_filter_is_one_list_until_nobody_watches() {
        let views = Views::default();
        let workspace = WorkspaceId::from_bits(1);
        let [first, second] = [1, 2].map(ConnectionId::from_bits);
        let all = VisitorFilter::default();
        let one = views.watch(workspace, &all, first);
        assert_eq!(views.watch(workspace, &all, second), one);
        assert_ne!(views.watch(WorkspaceId::from_bits(2), &all, first), one);
        assert_eq!(views.filter(workspace, one), Some(all.clone()));
        assert_eq!(views.filter(WorkspaceId::from_bits(2), one), None);
        assert!(!views.unwatch(one, first));
        assert!(views.unwatch(one, second));
        assert_eq!(views.filter(workspace, one), None);
        assert_ne!(views.watch(workspace, &all, first), one);
    }

    #[test]
    fn a_filter_has_bounds() {
        type Field = fn(&mut VisitorFilter) -> &mut Option<String>;
        let fields: [(&str, Field); 3] = [
            ("search", |filter| &mut filter.search),
            ("page", |filter| &mut filter.page),
            ("source", |filter| &mut filter.source),
        ];
        for (name, field) in fields {
            let mut filter = VisitorFilter::default();
            *field(&mut filter) = Some("s".repeat(limit::SEARCH_BYTES_MAX));
            assert!(check(&filter).is_ok(), "{name}");
            *field(&mut filter) = Some("s".repeat(limit::SEARCH_BYTES_MAX + 1));
            assert_eq!(check(&filter), Err(Rejection::of(ErrorCode::TooLong, name)));
        }
        let odd = VisitorFilter {
            country: Some("Slovenia".to_owned()),
            ..VisitorFilter::default()
        };
        assert_eq!(check(&odd).unwrap_err().code, ErrorCode::Invalid);
        assert!(check(&VisitorFilter::default()).is_ok());
    }
}
