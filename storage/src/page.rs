//! Pages of lists out of rows, and where they begin.

use std::fmt::Display;

use protocol::page::{Cursor, Page};

use crate::conversation;
use crate::db::Row;
use crate::error::Result;

/// What a list that runs downwards in time compares its rows with.
pub(crate) struct After {
    /// The time that the list is sorted by.
    pub(crate) at_ms: i64,
    /// The row's id, which decides among equal times.
    pub(crate) id: String,
}

impl After {
    /// Where the list goes on: at the cursor, or before everything.
    pub(crate) fn of<I: Display>(cursor: Option<&Cursor<I>>) -> Self {
        match cursor {
            Some(cursor) => Self {
                at_ms: i64::try_from(cursor.at_ms).unwrap_or(i64::MAX),
                id: cursor.id.to_string(),
            },
            // "~" comes after every character of our ids.
            None => Self {
                at_ms: i64::MAX,
                id: "~".to_owned(),
            },
        }
    }

    /// Where a list that runs upwards goes on: at the cursor, or behind nothing.
    pub(crate) fn from<I: Display>(cursor: Option<&Cursor<I>>) -> Self {
        match cursor {
            Some(_) => Self::of(cursor),
            None => Self {
                at_ms: -1,
                id: String::new(),
            },
        }
    }

    /// A list that runs downwards begins before this time at the latest.
    pub(crate) fn no_later_than(&mut self, until_ms: u64) {
        let until_ms = i64::try_from(until_ms).unwrap_or(i64::MAX);
        if until_ms <= self.at_ms {
            self.at_ms = until_ms;
            self.id.clear();
        }
    }

    /// The slot in which a list of conversations goes on.
    pub(crate) fn slot(&self) -> u64 {
        conversation::slot(u64::try_from(self.at_ms).unwrap_or_default())
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
