//! The live list of visitors: all who match a filter, in an order. One list serves all agents who watch with that
//! filter and order, whichever part of it each has in sight ([`crate::window`]).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::id::VisitorId;
use protocol::limit::{PAGE_ROWS_MAX, WINDOW_BYTES_MAX};
use protocol::view::{VisitorCounts, VisitorFilter, VisitorOrder};
use protocol::visitor::{LiveVisitor, PresenceState};

use crate::bytes;
use crate::country::Countries;
use crate::ranked::Ranked;
use crate::state::{Change, ChangeKind, Counts};

/// The texts of a filter as they are compared: small letters, and nothing where nothing is sought.
#[must_use]
pub fn folded(filter: VisitorFilter) -> VisitorFilter {
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

/// Whether a visitor belongs into a list, if he is from its country; the filter's texts are folded.
fn matches(filter: &VisitorFilter, row: &LiveVisitor) -> bool {
    filter.site_id.is_none_or(|site_id| site_id == row.site_id)
        && filter.state.is_none_or(|state| state == row.state)
        && filter
            .device
            .is_none_or(|device| device == row.browser.device)
        && is_held(&filter.search, || {
            [Some(row.name.as_str()), row.source.referrer.as_deref()]
                .into_iter()
                .flatten()
                .chain(page_texts(row))
        })
        && is_held(&filter.page, || page_texts(row))
        && is_held(&filter.source, || source_texts(row))
}

/// Whether a visitor is from the country of a filter, where it names one.
fn is_from(filter: &VisitorFilter, row: &LiveVisitor) -> bool {
    let country = row.browser.country.as_ref();
    let is_it = |wanted| country.is_some_and(|country| country.eq_ignore_ascii_case(wanted));
    filter.country.as_deref().is_none_or(is_it)
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

/// A place in an order: two numbers that come first when they are small, then the id, the larger one first.
type Place = (u64, u64, Reverse<VisitorId>);

/// Where a row stands.
fn place(order: VisitorOrder, row: &LiveVisitor) -> Place {
    let last_first = u64::MAX - row.entered_at_ms;
    let (first, then) = match order {
        VisitorOrder::Active => (u64::from(row.state != PresenceState::Active), last_first),
        VisitorOrder::Newest => (last_first, 0),
        VisitorOrder::Longest => (row.entered_at_ms, 0),
        VisitorOrder::Pages => (u64::MAX - u64::from(row.page_count), last_first),
    };
    (first, then, Reverse(row.id))
}

/// The list of one filter in one order.
// Invariant: `places` and `rows` hold the same visitors, each at the place of his row.
#[derive(Debug)]
pub struct VisitorView {
    filter: VisitorFilter,
    order: VisitorOrder,
    places: Ranked<Place>,
    /// Shared with the state, and with other lists.
    rows: BTreeMap<VisitorId, Arc<LiveVisitor>>,
    countries: Countries,
}

impl VisitorView {
    /// A list over those who are here. Costs a walk over them, and sorting those who match. The filter is folded.
    pub fn new<'a>(
        filter: VisitorFilter,
        order: VisitorOrder,
        here: impl Iterator<Item = &'a Arc<LiveVisitor>>,
    ) -> Self {
        let mut countries = Countries::default();
        let mut rows = BTreeMap::new();
        for row in here.filter(|row| matches(&filter, row)) {
            countries.set(row.id, row.browser.country.as_deref());
            if is_from(&filter, row) {
                rows.insert(row.id, Arc::clone(row));
            }
        }
        let places = rows.values().map(|row| place(order, row)).collect();
        Self {
            filter,
            order,
            places,
            rows,
            countries,
        }
    }

    /// Takes in a change. Costs a step in the order where the visitor's place is another, else a look-up.
    pub fn take(&mut self, change: &Change) {
        let row = &change.row;
        let fits = change.kind != ChangeKind::Left && matches(&self.filter, row);
        let country = row.browser.country.as_deref().filter(|_| fits);
        self.countries.set(row.id, country);
        let is_in = fits && is_from(&self.filter, row);
        let new = is_in.then(|| place(self.order, row));
        let before = match is_in {
            true => self.rows.insert(row.id, Arc::clone(row)),
            false => self.rows.remove(&row.id),
        };
        let old = before.map(|before| place(self.order, &before));
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.places.remove(&old);
        }
        if let Some(new) = new {
            self.places.insert(new);
        }
    }

    /// Whether somebody is in the list.
    #[must_use]
    pub fn holds(&self, visitor_id: VisitorId) -> bool {
        self.rows.contains_key(&visitor_id)
    }

    /// The numbers to tell, of the list and of all who are here.
    #[must_use]
    pub fn counts(&self, here: Counts) -> VisitorCounts {
        VisitorCounts {
            listed: u32::try_from(self.rows.len()).expect("visitors of a node fit"),
            active: here.active,
            idle: here.idle,
        }
    }

    /// From which countries those are whom the filter lets in, whichever country it names.
    pub fn countries(&self) -> impl Iterator<Item = &String> {
        self.countries.names()
    }

    /// The rows behind the first so many, as many as a window may have, and as fit. Costs a look at each of their
    /// letters.
    pub fn window(&self, first: u32) -> impl Iterator<Item = &LiveVisitor> {
        let mut whole_bytes = 0;
        self.places
            .from_rank(usize::try_from(first).unwrap_or(usize::MAX))
            .take(PAGE_ROWS_MAX)
            .filter_map(|(_, _, Reverse(id))| self.rows.get(id))
            .map(|row| &**row)
            .take_while(move |row| {
                let is_first = whole_bytes == 0;
                whole_bytes += bytes::of_row(row);
                is_first || whole_bytes <= WINDOW_BYTES_MAX
            })
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
