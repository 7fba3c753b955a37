//! Pages of lists and their cursors: opaque to those outside, parsed here.

use protocol::page::Page;

use crate::db::Row;
use crate::error::Result;

/// Where a page of a list begins: after the row with this time and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The time that the list is sorted by.
    pub(crate) at_ms: i64,
    /// The row's id, which decides among equal times.
    pub(crate) id: String,
}

impl Cursor {
    /// Reads a cursor; one that is not ours begins at the start.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        let (at_ms, id) = text?.split_once('.')?;
        Some(Self {
            at_ms: at_ms.parse().ok()?,
            id: id.to_owned(),
        })
    }

    /// Where a list that runs downwards in time goes on: at the cursor, or before everything.
    pub(crate) fn or_newest(text: Option<&str>) -> Self {
        // "~" comes after every character of our ids.
        Self::parse(text).unwrap_or_else(|| Self {
            at_ms: i64::MAX,
            id: "~".to_owned(),
        })
    }

    /// The slot in which a list of conversations goes on.
    pub(crate) fn slot(&self) -> u64 {
        crate::conversation::slot(u64::try_from(self.at_ms).unwrap_or_default())
    }

    /// The opaque text.
    pub(crate) fn text(at_ms: u64, id: impl std::fmt::Display) -> String {
        format!("{at_ms}.{id}")
    }
}

/// A page of at most `limit` out of rows that were asked for with one more than that.
pub(crate) fn page<T>(
    rows: &[Row],
    limit: usize,
    decode: impl Fn(&Row) -> Result<T>,
    cursor: impl Fn(&T) -> String,
) -> Result<Page<T>> {
    let items = rows
        .iter()
        .take(limit)
        .map(decode)
        .collect::<Result<Vec<T>>>()?;
    let cursor = items.last().filter(|_| rows.len() > limit).map(cursor);
    Ok(Page { items, cursor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nonsense_begins_at_the_start() {
        let text = Cursor::text(7, "cnv_1");
        let cursor = Cursor::parse(Some(&text)).expect("it is ours");
        assert_eq!((cursor.at_ms, cursor.id.as_str()), (7, "cnv_1"));
        assert_eq!(Cursor::parse(Some("nonsense")), None);
        assert_eq!(Cursor::parse(Some("x.y")), None);
        assert_eq!(Cursor::parse(None), None);
    }
}
