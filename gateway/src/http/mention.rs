//! Mentions: notes that name whoever asks.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::mention::Mention;
use protocol::page::{List, Page};
use protocol::permission::{Permission, Principal};
use protocol::rejection::ErrorCode;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Query};
use crate::http::page::Window;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/mentions", get(list))
}

/// The notes that name me, newest first, without those that were taken back.
#[utoipa::path(get, path = "/api/v1/mentions", operation_id = "list_mentions",
    tag = "conversations", security(("session" = []), ("login_bearer" = [])),
    params(Window), responses((status = 200, body = Page<Mention>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(window): Query<Window>,
) -> Answer<Json<Page<Mention>>> {
    let scope = actor.may(Permission::ConversationsRead)?;
    // Nobody names a program.
    let Principal::Agent(agent) = actor.principal else {
        return Err(ErrorCode::Forbidden.into());
    };
    let cursor = window.cursor(List::Mentions)?;
    let limit = window.rows()?;
    let reader = &doors.reader;
    let page = storage::mention::list(reader, &scope, agent.agent_id, cursor.as_ref(), limit);
    Ok(Json(page.await?))
}
