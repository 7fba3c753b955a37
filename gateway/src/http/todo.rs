//! To do: what others ask of whoever asks here.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use desk::Desk;
use http::StatusCode;
use protocol::page::Page;
use protocol::todo::{Todo, TodoFilter, TodoMarking};
use serde::Deserialize;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Query};
use crate::http::page::Window;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/todos", get(list))
        .route("/todos/mark", post(mark))
}

/// Which of them are asked for.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Which list; `all` when absent.
    filter: Option<TodoFilter>,
    /// Where the page begins: the `cursor` of the page before. The first page when absent.
    cursor: Option<String>,
    /// Rows, at most 100; 50 when absent.
    limit: Option<usize>,
}

/// What is asked of me, newest first: notes that name me, without those that were taken back, and conversations that
/// somebody else gave me, while they are mine.
#[utoipa::path(get, path = "/api/v1/todos", operation_id = "list_todos",
    tag = "conversations", security(("session" = []), ("login_bearer" = [])),
    params(Listing), responses((status = 200, body = Page<Todo>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(listing): Query<Listing>,
) -> Answer<Json<Page<Todo>>> {
    let (scope, agent_id) = Desk::asked_of(&actor)?;
    let window = Window {
        cursor: listing.cursor,
        limit: listing.limit,
    };
    let filter = listing.filter.unwrap_or(TodoFilter::All);
    let cursor = window.cursor(storage::todo::list_of(filter))?;
    let limit = window.rows()?;
    let reader = &doors.reader;
    let page = storage::todo::list(reader, &scope, agent_id, filter, cursor.as_ref(), limit);
    Ok(Json(page.await?))
}

/// Say of some of what is asked of me that it is read, done, or not done after all. What is so already stays as it is.
#[utoipa::path(post, path = "/api/v1/todos/mark", operation_id = "mark_todos",
    tag = "conversations", security(("session" = []), ("login_bearer" = [])),
    request_body = TodoMarking, responses((status = 204)))]
pub(crate) async fn mark(
    State(doors): State<Doors>,
    Team(actor): Team,
    Json(marking): Json<TodoMarking>,
) -> Answer<StatusCode> {
    doors.desk.mark_todos(&actor, &marking).await?;
    Ok(StatusCode::NO_CONTENT)
}
