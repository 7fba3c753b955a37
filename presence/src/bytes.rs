//! How large a row of the live list is for those who are told it.
//!
//! What pages call themselves is their own, so a hundred rows may be two kilobytes each or twenty: lists are
//! bounded by bytes too.

use protocol::visitor::LiveVisitor;

/// Names, ids, numbers and marks of a row, at most.
const FRAME_BYTES: usize = 1_400;

/// Bytes of a row as JSON, at most, and not much less. Costs a look at each of its letters.
#[must_use]
pub fn of_row(row: &LiveVisitor) -> usize {
    let browser = &row.browser;
    let page = row.page.iter().flat_map(|page| [&page.url, &page.title]);
    let event = row.last_event.iter().map(|event| &event.name);
    let utm = row.source.utm.iter().flat_map(<[&String; 2]>::from);
    let known = [
        &browser.language,
        &browser.time_zone,
        &browser.country,
        &browser.city,
        &row.source.referrer,
    ];
    let known = known.into_iter().flatten();
    let texts = [&row.name, &browser.name, &browser.system].into_iter();
    let texts = texts.chain(page).chain(event).chain(utm).chain(known);
    FRAME_BYTES
        + texts
            .chain(&row.trail)
            .map(|text| of_text(text))
            .sum::<usize>()
}

/// Bytes of a text with its quotes, and what separates it from the next.
fn of_text(text: &str) -> usize {
    let escaped = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\t' | b'\r' | b'\n' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        0x20.. => 1,
    });
    escaped.sum::<usize>() + 3
}
