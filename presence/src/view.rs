//! The live list of visitors, computed once for all agents who watch with the same filter.
//!
//! A list holds the order of all who match, and remembers what it last told. A flush compares the
//! window — the first rows — with that, so agents hear of what they look at and of numbers, never of
//! the whole site's churn.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use protocol::id::VisitorId;
use protocol::limit::{PAGE_ROWS_MAX, WINDOW_BYTES_MAX};
use protocol::news::AgentNews;
use protocol::view::{VisitorCounts, VisitorFilter};
use protocol::visitor::LiveVisitor;

use crate::bytes;
use crate::state::{Change, ChangeKind, Counts};

/// The texts of a filter as they are compared: small letters, and nothing where nothing is sought.
fn folded(filter: VisitorFilter) -> VisitorFilter {
    let fold = |text: Option<String>| {
        let text = text?.trim().to_lowercase();
        (!text.is_empty()).then_some(text)
    };
    VisitorFilter {
        search: fold(filter.search),
        page: fold(filter.page),
        source: fold(filter.source),
        ..filter
    }
}

/// Whether a visitor belongs into a list; the filter's texts are folded.
fn matches(filter: &VisitorFilter, row: &LiveVisitor) -> bool {
    filter.site_id.is_none_or(|site_id| site_id == row.site_id)
        && filter.state.is_none_or(|state| state == row.state)
        && filter
            .device
            .is_none_or(|device| device == row.browser.device)
        && filter.country.as_ref().is_none_or(|wanted| {
            row.browser
                .country
                .as_ref()
                .is_some_and(|country| country.eq_ignore_ascii_case(wanted))
        })
        && is_held(&filter.search, || {
            [Some(row.name.as_str()), row.source.referrer.as_deref()]
                .into_iter()
                .flatten()
                .chain(page_texts(row))
        })
        && is_held(&filter.page, || page_texts(row))
        && is_held(&filter.source, || source_texts(row))
}

/// Whether a text is sought nowhere, or held by one of these. A plain look for the letters, whatever they are.
fn is_held<'a, Texts>(wanted: &Option<String>, texts: impl FnOnce() -> Texts) -> bool
where
    Texts: Iterator<Item = &'a str>,
{
    wanted
        .as_ref()
        .is_none_or(|wanted| texts().any(|text| text.to_lowercase().contains(wanted.as_str())))
}

fn page_texts(row: &LiveVisitor) -> impl Iterator<Item = &str> {
    row.page
        .iter()
        .flat_map(|page| [page.url.as_str(), page.title.as_str()])
}

/// What is said of who came from nowhere that is known.
const DIRECT: &str = "direct";

fn source_texts(row: &LiveVisitor) -> impl Iterator<Item = &str> {
    let source = &row.source;
    // A campaign without a word says nothing. Consoles show the same.
    let is_direct = source.referrer.is_none() && source.utm.values().all(String::is_empty);
    let campaign = source.utm.values().map(String::as_str);
    let texts = source.referrer.as_deref().into_iter().chain(campaign);
    texts.chain(is_direct.then_some(DIRECT))
}

/// What a list has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewChanges {
    /// New or changed rows of the window.
    pub rows: Vec<LiveVisitor>,
    /// Who left the window.
    pub gone: Vec<VisitorId>,
    /// The numbers now.
    pub counts: VisitorCounts,
}

impl From<ViewChanges> for AgentNews {
    fn from(changes: ViewChanges) -> Self {
        Self::VisitorChanges {
            rows: changes.rows,
            gone: changes.gone,
            counts: changes.counts,
        }
    }
}

/// A place in the order: who was active last stands first.
type Place = (Reverse<u64>, VisitorId);

/// The list of one filter.
// Invariant: `order` and `rows` hold the same visitors, each at the place of his row.
#[derive(Debug)]
pub struct VisitorView {
    filter: VisitorFilter,
    order: BTreeSet<Place>,
    rows: BTreeMap<VisitorId, LiveVisitor>,
    /// The versions that all who watch were told, and nothing for who was told to some of them.
    told: BTreeMap<VisitorId, Option<u64>>,
    /// Nothing once some were told other ones.
    told_counts: Option<VisitorCounts>,
    changed: bool,
}

fn place(row: &LiveVisitor) -> Place {
    (Reverse(row.active_at_ms), row.id)
}

impl VisitorView {
    /// A list over those who are here. Costs a walk over them.
    pub fn new<'a>(
        filter: VisitorFilter,
        here: impl Iterator<Item = &'a LiveVisitor>,
        counts: Counts,
    ) -> Self {
        let filter = folded(filter);
        let rows: BTreeMap<_, _> = here
            .filter(|row| matches(&filter, row))
            .map(|row| (row.id, row.clone()))
            .collect();
        let order = rows.values().map(place).collect();
        let mut view = Self {
            filter,
            order,
            rows,
            told: BTreeMap::new(),
            told_counts: None,
            changed: false,
        };
        view.told = view.shown();
        view.told_counts = Some(view.counted(counts));
        view
    }

    /// What somebody who begins to watch is told: the window and the numbers. Who came since the last flush is
    /// in it, and must be told gone though the others never heard of him.
    #[must_use]
    pub fn snapshot(&mut self, counts: Counts) -> (Vec<LiveVisitor>, VisitorCounts) {
        let rows: Vec<_> = self.window().cloned().collect();
        for row in &rows {
            self.told.entry(row.id).or_default();
        }
        let counts = self.counted(counts);
        self.told_counts = self.told_counts.filter(|told| *told == counts);
        (rows, counts)
    }

    /// Takes in a change. Costs a step in the order.
    pub fn take(&mut self, change: &Change) {
        let row = &change.row;
        if let Some(old) = self.rows.remove(&row.id) {
            self.order.remove(&place(&old));
        }
        if change.kind != ChangeKind::Left && matches(&self.filter, row) {
            self.order.insert(place(row));
            self.rows.insert(row.id, LiveVisitor::clone(row));
        }
        self.changed = true;
    }

    /// Whether [`Self::flush`] may have something to tell.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// What changed in the window and the numbers since the last flush; nothing when all is as told.
    pub fn flush(&mut self, counts: Counts) -> Option<ViewChanges> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let counts = self.counted(counts);
        let window = self.shown();
        let rows: Vec<_> = self
            .window()
            .filter(|row| self.told.get(&row.id) != Some(&Some(row.version)))
            .cloned()
            .collect();
        let gone: Vec<_> = self
            .told
            .keys()
            .filter(|id| !window.contains_key(id))
            .copied()
            .collect();
        let same = rows.is_empty() && gone.is_empty() && self.told_counts == Some(counts);
        self.told = window;
        self.told_counts = Some(counts);
        (!same).then_some(ViewChanges { rows, gone, counts })
    }

    fn shown(&self) -> BTreeMap<VisitorId, Option<u64>> {
        self.window()
            .map(|row| (row.id, Some(row.version)))
            .collect()
    }

    /// The first rows, as many as there may be, and as fit. Costs a look at each of their letters.
    fn window(&self) -> impl Iterator<Item = &LiveVisitor> {
        let mut whole_bytes = 0;
        self.order
            .iter()
            .take(PAGE_ROWS_MAX)
            .filter_map(|(_, id)| self.rows.get(id))
            .take_while(move |row| {
                let is_first = whole_bytes == 0;
                whole_bytes += bytes::of_row(row);
                is_first || whole_bytes <= WINDOW_BYTES_MAX
            })
    }

    fn counted(&self, counts: Counts) -> VisitorCounts {
        VisitorCounts {
            listed: u32::try_from(self.rows.len()).expect("visitors of a node fit"),
            active: counts.active,
            idle: counts.idle,
        }
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
