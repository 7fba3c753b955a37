//! Which live visitors are watched, by filter or by name, and by which connections. What is watched alike is
//! watched once.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::id::{ConnectionId, VisitorId, WorkspaceId};
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::view::{VisitorFilter, VisitorList};
use world::{HashMap, HashSet};

use crate::topic::ViewId;

/// Bytes of a country's code.
const COUNTRY_BYTES: usize = 2;

/// Which visitors somebody watches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// A part of a list.
    List(VisitorList),
    /// Certain ones, and one whose row is wanted.
    Named {
        visitor_ids: BTreeSet<VisitorId>,
        row_id: Option<VisitorId>,
    },
}

#[derive(Debug)]
struct View {
    workspace_id: WorkspaceId,
    wanted: Wanted,
    connections: HashSet<ConnectionId>,
}

#[derive(Debug, Default)]
struct Table {
    views: HashMap<ViewId, View>,
    by_wanted: HashMap<(WorkspaceId, Wanted), ViewId>,
    last_id: u64,
}

/// What is watched on this node.
#[derive(Debug, Default)]
pub(crate) struct Views(Mutex<Table>);

impl Views {
    /// A connection watches from now on.
    pub(crate) fn watch(
        &self,
        workspace_id: WorkspaceId,
        wanted: &Wanted,
        connection_id: ConnectionId,
    ) -> ViewId {
        let mut table = self.table();
        let key = (workspace_id, wanted.clone());
        let view_id = match table.by_wanted.get(&key) {
            Some(view_id) => *view_id,
            None => {
                table.last_id += 1;
                let view_id = ViewId(table.last_id);
                table.by_wanted.insert(key, view_id);
                view_id
            }
        };
        let view = table.views.entry(view_id).or_insert_with(|| View {
            workspace_id,
            wanted: wanted.clone(),
            connections: HashSet::default(),
        });
        view.connections.insert(connection_id);
        view_id
    }

    /// Which visitors are watched, for their own workspace.
    pub(crate) fn wanted(&self, workspace_id: WorkspaceId, view_id: ViewId) -> Option<Wanted> {
        let table = self.table();
        let view = table.views.get(&view_id)?;
        (view.workspace_id == workspace_id).then(|| view.wanted.clone())
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
        let key = (view.workspace_id, view.wanted.clone());
        table.views.remove(&view_id);
        table.by_wanted.remove(&key);
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks names from outside.
///
/// # Errors
/// `too_many` of `visitor_ids`.
pub(crate) fn named(
    visitor_ids: &[VisitorId],
    row_id: Option<VisitorId>,
) -> Result<Wanted, Rejection> {
    if visitor_ids.len() > limit::PAGE_ROWS_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "visitor_ids"));
    }
    Ok(Wanted::Named {
        visitor_ids: visitor_ids.iter().copied().collect(),
        row_id,
    })
}

/// Checks a list from outside.
///
/// # Errors
/// `too_long`, `too_many` or `invalid`, with the field.
pub(crate) fn listed(list: &VisitorList) -> Result<Wanted, Rejection> {
    check(&list.filter)?;
    if list.first > limit::ROWS_BEFORE_MAX {
        return Err(Rejection::of(ErrorCode::TooMany, "first"));
    }
    Ok(Wanted::List(list.clone()))
}

fn check(filter: &VisitorFilter) -> Result<(), Rejection> {
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
        let all = Wanted::List(VisitorList::default());
        let one = views.watch(workspace, &all, first);
        assert_eq!(views.watch(workspace, &all, second), one);
        assert_ne!(views.watch(WorkspaceId::from_bits(2), &all, first), one);
        assert_eq!(views.wanted(workspace, one), Some(all.clone()));
        assert_eq!(views.wanted(WorkspaceId::from_bits(2), one), None);
        assert!(!views.unwatch(one, first));
        assert!(views.unwatch(one, second));
        assert_eq!(views.wanted(workspace, one), None);
        assert_ne!(views.watch(workspace, &all, first), one);
    }

    #[test]
    fn a_window_begins_within_bounds_and_only_with_a_filter_that_may_be() {
        let from = |first| VisitorList {
            first,
            ..VisitorList::default()
        };
        let last = from(limit::ROWS_BEFORE_MAX);
        assert_eq!(listed(&last), Ok(Wanted::List(last.clone())));
        let refused = Err(Rejection::of(ErrorCode::TooMany, "first"));
        for first in [limit::ROWS_BEFORE_MAX + 1, u32::MAX] {
            assert_eq!(listed(&from(first)), refused);
        }
        let mut odd = from(0);
        odd.filter.country = Some("Slovenia".to_owned());
        assert_eq!(listed(&odd).unwrap_err().code, ErrorCode::Invalid);
    }

    #[test]
    fn as_many_may_be_named_as_a_list_has_rows() {
        let ids =
            |count: usize| -> Vec<_> { (1..).take(count).map(VisitorId::from_bits).collect() };
        let most = ids(limit::PAGE_ROWS_MAX);
        assert_eq!(
            named(&most, None),
            Ok(Wanted::Named {
                visitor_ids: most.into_iter().collect(),
                row_id: None
            })
        );
        let refused = Err(Rejection::of(ErrorCode::TooMany, "visitor_ids"));
        assert_eq!(named(&ids(limit::PAGE_ROWS_MAX + 1), None), refused);
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
