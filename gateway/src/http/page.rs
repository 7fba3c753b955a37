//! Which part of a list is asked for.

use std::fmt::Display;
use std::str::FromStr;

use protocol::id::Id;
use protocol::limit;
use protocol::page::{Cursor, List};
use protocol::rejection::{ErrorCode, Rejection};
use serde::Deserialize;

/// Rows of a page where the request names no number.
const ROWS: usize = 50;

/// A part of a list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    /// Where the page begins: the `cursor` of the page before. The first page when absent.
    pub(crate) cursor: Option<String>,
    /// Rows, at most 100; 50 when absent.
    pub(crate) limit: Option<usize>,
}

impl Window {
    /// Where the page of a list begins.
    ///
    /// # Errors
    /// `invalid` for what is no cursor of this list.
    pub(crate) fn cursor<I: Id + Display + FromStr>(
        &self,
        list: List,
    ) -> Result<Option<Cursor<I>>, Rejection> {
        let text = self.cursor.as_deref();
        text.map(|text| Cursor::read(text, list)).transpose()
    }

    /// How many rows are asked for.
    ///
    /// # Errors
    /// See [`bounded`].
    pub(crate) fn rows(&self) -> Result<usize, Rejection> {
        bounded(self.limit, ROWS, limit::PAGE_ROWS_MAX)
    }
}

/// A number of rows or entries, from one to the largest allowed.
///
/// # Errors
/// `too_many` over the limit, `invalid` for none.
pub(crate) fn bounded(
    asked: Option<usize>,
    when_absent: usize,
    most: usize,
) -> Result<usize, Rejection> {
    match asked.unwrap_or(when_absent) {
        0 => Err(Rejection::of(ErrorCode::Invalid, "limit")),
        count if count > most => Err(Rejection::of(ErrorCode::TooMany, "limit")),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_row_at_least_and_no_more_than_the_limit() {
        let rows = |limit| {
            Window {
                cursor: None,
                limit,
            }
            .rows()
        };
        assert_eq!(rows(None), Ok(ROWS));
        assert_eq!(rows(Some(1)), Ok(1));
        assert_eq!(rows(Some(limit::PAGE_ROWS_MAX)), Ok(limit::PAGE_ROWS_MAX));
        assert_eq!(
            rows(Some(0)),
            Err(Rejection::of(ErrorCode::Invalid, "limit"))
        );
        let over = rows(Some(limit::PAGE_ROWS_MAX + 1));
        assert_eq!(over, Err(Rejection::of(ErrorCode::TooMany, "limit")));
    }
}
