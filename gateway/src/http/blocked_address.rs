//! Blocked addresses: from where nobody comes in.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use http::StatusCode;
use protocol::blocked_address::{BlockedAddress, NewBlockedAddress};
use protocol::id::BlockedAddressId;
use protocol::page::Page;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Path};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/blocked-addresses", get(list).post(create))
        .route("/blocked-addresses/{id}", delete(remove))
}

/// The networks that are blocked, newest first.
#[utoipa::path(get, path = "/api/v1/blocked-addresses", operation_id = "list_blocked_addresses",
    tag = "blocked addresses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    responses((status = 200, body = Page<BlockedAddress>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<BlockedAddress>>> {
    let items = doors.desk.blocked_addresses(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Block an address or a network. Who is connected from there is sent away.
#[utoipa::path(post, path = "/api/v1/blocked-addresses", operation_id = "block_address",
    tag = "blocked addresses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    request_body = NewBlockedAddress, responses((status = 201, body = BlockedAddress)))]
pub(crate) async fn create(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Json(new): Json<NewBlockedAddress>,
) -> Answer<Response> {
    let desk = &doors.desk;
    let blocked = desk.block_address(&actor, &new, Some(&caller)).await?;
    Ok((StatusCode::CREATED, Json(blocked)).into_response())
}

/// Let an address or a network in again.
#[utoipa::path(delete, path = "/api/v1/blocked-addresses/{id}", operation_id = "unblock_address",
    tag = "blocked addresses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    params(("id" = BlockedAddressId, Path)), responses((status = 204)))]
pub(crate) async fn remove(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<BlockedAddressId>,
) -> Answer<StatusCode> {
    let desk = &doors.desk;
    desk.unblock_address(&actor, id, Some(&caller)).await?;
    Ok(StatusCode::NO_CONTENT)
}
