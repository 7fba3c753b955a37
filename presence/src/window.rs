//! A part of a live list that agents have in sight. It remembers what it last told, and a flush compares the list
//! with that: agents hear of what they look at and of numbers, never of the whole site's churn.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::VisitorId;
use protocol::news::AgentNews;
use protocol::view::{VisitorCounts, VisitorList};
use protocol::visitor::LiveVisitor;

use crate::state::Counts;
use crate::view::VisitorView;

/// A window, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Which.
    pub list: VisitorList,
    /// Its rows, in the list's order.
    pub rows: Vec<LiveVisitor>,
    /// The numbers.
    pub counts: VisitorCounts,
    /// The countries that the list may be narrowed to.
    pub countries: Vec<String>,
}

impl From<Snapshot> for AgentNews {
    fn from(snapshot: Snapshot) -> Self {
        Self::Visitors {
            list: snapshot.list,
            rows: snapshot.rows,
            counts: snapshot.counts,
            countries: snapshot.countries,
        }
    }
}

/// What a window has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Which.
    pub list: VisitorList,
    /// New or changed rows of the window, in the list's order.
    pub rows: Vec<LiveVisitor>,
    /// Who was in the window, and is no longer in the list.
    pub gone: Vec<VisitorId>,
    /// Who was in the window, and stands elsewhere in the list.
    pub beyond: Vec<VisitorId>,
    /// The numbers now.
    pub counts: VisitorCounts,
    /// The countries, where they are other ones.
    pub countries: Option<Vec<String>>,
}

impl From<Changes> for AgentNews {
    fn from(changes: Changes) -> Self {
        Self::VisitorChanges {
            list: changes.list,
            rows: changes.rows,
            gone: changes.gone,
            beyond: changes.beyond,
            counts: changes.counts,
            countries: changes.countries,
        }
    }
}

/// A window that somebody watches.
#[derive(Debug)]
pub struct Window {
    list: VisitorList,
    /// The versions that all who watch were told, and nothing for who was told to some of them.
    told: BTreeMap<VisitorId, Option<u64>>,
    /// Nothing once some were told other ones.
    told_counts: Option<VisitorCounts>,
    /// The same.
    told_countries: Option<Vec<String>>,
}

impl Window {
    /// A window into a list, which nobody was told anything of.
    #[must_use]
    pub fn new(list: VisitorList, view: &VisitorView, here: Counts) -> Self {
        Self {
            told: versions(view.window(list.first)),
            told_counts: Some(view.counts(here)),
            told_countries: Some(view.countries().cloned().collect()),
            list,
        }
    }

    /// What somebody who begins to watch is told. Who came since the last flush is in it, and must be told gone
    /// though the others never heard of him.
    #[must_use]
    pub fn snapshot(&mut self, view: &VisitorView, here: Counts) -> Snapshot {
        let rows: Vec<_> = view.window(self.list.first).cloned().collect();
        let ids: BTreeSet<VisitorId> = rows.iter().map(|row| row.id).collect();
        // Who is not in it now may be again by the next flush, as he was told to the others.
        for (id, version) in &mut self.told {
            *version = version.filter(|_| ids.contains(id));
        }
        for id in ids {
            self.told.entry(id).or_default();
        }
        let counts = view.counts(here);
        self.told_counts = self.told_counts.filter(|told| *told == counts);
        let countries: Vec<_> = view.countries().cloned().collect();
        self.told_countries.take_if(|told| *told != countries);
        Snapshot {
            list: self.list.clone(),
            rows,
            counts,
            countries,
        }
    }

    /// What changed in the window and the numbers since the last flush; nothing when all is as told.
    pub fn flush(&mut self, view: &VisitorView, here: Counts) -> Option<Changes> {
        let window: Vec<_> = view.window(self.list.first).collect();
        let told: BTreeMap<_, _> = versions(window.iter().copied());
        let told = std::mem::replace(&mut self.told, told);
        let is_new = |row: &&&LiveVisitor| told.get(&row.id) != Some(&Some(row.version));
        let rows: Vec<_> = window.iter().filter(is_new).copied().cloned().collect();
        let left = told.keys().filter(|id| !self.told.contains_key(id));
        let (beyond, gone): (Vec<_>, Vec<_>) = left.copied().partition(|id| view.holds(*id));
        let counts = view.counts(here);
        let told_counts = self.told_counts.replace(counts);
        let countries = self.new_countries(view);
        let is_as_told = rows.is_empty()
            && gone.is_empty()
            && beyond.is_empty()
            && told_counts == Some(counts)
            && countries.is_none();
        (!is_as_told).then(|| Changes {
            list: self.list.clone(),
            rows,
            gone,
            beyond,
            counts,
            countries,
        })
    }

    /// The countries, where not all were told these. From here on they are.
    fn new_countries(&mut self, view: &VisitorView) -> Option<Vec<String>> {
        let told = self.told_countries.as_ref();
        if told.is_some_and(|told| told.iter().eq(view.countries())) {
            return None;
        }
        let countries: Vec<_> = view.countries().cloned().collect();
        self.told_countries = Some(countries.clone());
        Some(countries)
    }
}

fn versions<'a>(rows: impl Iterator<Item = &'a LiveVisitor>) -> BTreeMap<VisitorId, Option<u64>> {
    rows.map(|row| (row.id, Some(row.version))).collect()
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
