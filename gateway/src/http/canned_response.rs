//! Canned responses: texts that agents write often.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use http::StatusCode;
use protocol::canned_response::{CannedResponse, CannedResponseChange, NewCannedResponse};
use protocol::id::CannedResponseId;
use protocol::page::Page;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Path, Versioned};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/canned-responses", get(list).post(create))
        .route("/canned-responses/{id}", patch(change).delete(remove))
}

/// The team's canned responses and one's own, by nickname.
#[utoipa::path(get, path = "/api/v1/canned-responses", operation_id = "list_canned_responses",
    tag = "canned responses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    responses((status = 200, body = Page<CannedResponse>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<CannedResponse>>> {
    let items = doors.desk.canned_responses(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Make a canned response, of the team or one's own. Programs make the team's.
#[utoipa::path(post, path = "/api/v1/canned-responses", operation_id = "create_canned_response",
    tag = "canned responses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["canned.write"])),
    request_body = NewCannedResponse, responses((status = 201, body = CannedResponse)))]
pub(crate) async fn create(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Json(new): Json<NewCannedResponse>,
) -> Answer<Response> {
    let made = doors
        .desk
        .create_canned_response(&actor, &new, Some(&caller))
        .await?;
    Ok((StatusCode::CREATED, Versioned(made.version, made)).into_response())
}

/// Change a canned response. Open consoles have it at once.
#[utoipa::path(patch, path = "/api/v1/canned-responses/{id}", operation_id = "change_canned_response",
    tag = "canned responses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["canned.write"])),
    params(("id" = CannedResponseId, Path),
        ("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = CannedResponseChange, responses((status = 200, body = CannedResponse)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<CannedResponseId>,
    IfMatch(version): IfMatch,
    Json(change): Json<CannedResponseChange>,
) -> Answer<Versioned<CannedResponse>> {
    let changed = doors
        .desk
        .change_canned_response(&actor, id, version, &change, Some(&caller))
        .await?;
    Ok(Versioned(changed.version, changed))
}

/// Take a canned response away for good. What was sent with it stays.
#[utoipa::path(delete, path = "/api/v1/canned-responses/{id}",
    operation_id = "remove_canned_response", tag = "canned responses",
    security(("session" = []), ("login_bearer" = []), ("key" = ["canned.write"])),
    params(("id" = CannedResponseId, Path)), responses((status = 204)))]
pub(crate) async fn remove(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<CannedResponseId>,
) -> Answer<StatusCode> {
    doors
        .desk
        .remove_canned_response(&actor, id, Some(&caller))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
