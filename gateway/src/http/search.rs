//! Search over all conversations.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::limit;
use protocol::page::{Cursor, List, Page};
use protocol::permission::Permission;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::search::Found;
use serde::Deserialize;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Query};
use crate::http::page::bounded;
use crate::http::problem::Answer;

/// Rows of a page where the request names no number.
const ROWS: usize = 20;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/search", get(search))
}

/// What is searched for.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sought {
    /// Words that one message or note holds, the last one perhaps as a beginning; or a part of the
    /// contact's name, the beginning of an address, a conversation's number.
    text: String,
    /// Where the page begins: the `cursor` of the page before.
    cursor: Option<String>,
    /// Rows, at most 50; 20 when absent.
    limit: Option<usize>,
}

/// Conversations of all lists that hold the words, last active first, with where they stand.
#[utoipa::path(get, path = "/api/v1/search", operation_id = "search", tag = "conversations",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(Sought), responses((status = 200, body = Page<Found>)))]
pub(crate) async fn search(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(sought): Query<Sought>,
) -> Answer<Json<Page<Found>>> {
    let scope = actor.may(Permission::ConversationsRead)?;
    let limit = bounded(sought.limit, ROWS, limit::FOUND_ROWS_MAX)?;
    let text = checked(&sought.text, "text")?;
    let cursor = sought.cursor.as_deref();
    let cursor = cursor
        .map(|cursor| Cursor::read(cursor, List::Search))
        .transpose()?;
    let found = storage::search::everywhere(&doors.reader, &scope, text, cursor.as_ref(), limit);
    Ok(Json(found.await?))
}

/// A text to search for, without the space around it.
///
/// # Errors
/// `too_long` or `invalid`, with the field.
pub(crate) fn checked<'a>(text: &'a str, field: &'static str) -> Result<&'a str, Rejection> {
    let text = text.trim();
    if text.len() > limit::SEARCH_BYTES_MAX {
        return Err(Rejection::of(ErrorCode::TooLong, field));
    }
    if text.contains('\0') {
        return Err(Rejection::of(ErrorCode::Invalid, field));
    }
    Ok(text)
}
