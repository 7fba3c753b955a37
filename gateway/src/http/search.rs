//! Search over all conversations.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::id::{AgentId, SiteId};
use protocol::language::Language;
use protocol::limit;
use protocol::page::{Cursor, List, Page};
use protocol::permission::Permission;
use protocol::rejection::{ErrorCode, Rejection};
use protocol::search::Found;
use protocol::view::{InboxFilter, InboxList};
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
    /// Of one site; of all when absent.
    site_id: Option<SiteId>,
    /// Of one member of the team.
    assignee_id: Option<AgentId>,
    /// Of customers who speak one language, as its two or three letters.
    language: Option<Language>,
    /// Of one priority, from 1 (low) to 4 (urgent).
    priority: Option<u8>,
    /// Of this priority or a higher one.
    priority_min: Option<u8>,
    /// Last active at this time or later, in milliseconds since 1970.
    since_ms: Option<u64>,
    /// Last active before this time.
    until_ms: Option<u64>,
    /// Where the page begins: the `cursor` of the page before.
    cursor: Option<String>,
    /// Rows, at most 50; 20 when absent.
    limit: Option<usize>,
}

/// Conversations of all lists that hold the words, narrowed as asked, last active first, with where they stand.
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
    let narrowed = InboxList {
        site_id: sought.site_id,
        assignee_id: sought.assignee_id,
        language: sought.language,
        priority: sought.priority,
        priority_min: sought.priority_min,
        since_ms: sought.since_ms,
        until_ms: sought.until_ms,
        ..InboxFilter::All.into()
    };
    let narrowed = narrowed.check()?;
    let reader = &doors.reader;
    let found =
        storage::search::everywhere(reader, &scope, text, narrowed, cursor.as_ref(), limit).await?;
    Ok(Json(found))
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
