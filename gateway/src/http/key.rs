//! API keys.

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get};
use http::StatusCode;
use protocol::id::ApiKeyId;
use protocol::key::{ApiKey, NewApiKey};
use protocol::page::Page;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Path};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/keys", get(list).post(create))
        .route("/keys/{id}", delete(revoke))
}

/// The keys, newest first, without themselves.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "list_keys", tag = "keys",
    security(("session" = []), ("login_bearer" = []), ("key" = ["keys.write"])),
    responses((status = 200, body = Page<ApiKey>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<ApiKey>>> {
    let items = doors.desk.keys(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Make a key with a part of one's own rights. The answer holds it; nothing shows it again.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "create_key", tag = "keys",
    security(("session" = []), ("login_bearer" = []), ("key" = ["keys.write"])),
    request_body = NewApiKey, responses((status = 201, body = ApiKey)))]
pub(crate) async fn create(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Json(new): Json<NewApiKey>,
) -> Answer<(StatusCode, Json<ApiKey>)> {
    let key = doors.desk.create_key(&actor, &new, Some(&caller)).await?;
    Ok((StatusCode::CREATED, Json(key)))
}

/// Revoke a key at once.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "revoke_key", tag = "keys",
    security(("session" = []), ("login_bearer" = []), ("key" = ["keys.write"])),
    params(("id" = ApiKeyId, Path)), responses((status = 204)))]
pub(crate) async fn revoke(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<ApiKeyId>,
) -> Answer<StatusCode> {
    doors.desk.revoke_key(&actor, id, Some(&caller)).await?;
    Ok(StatusCode::NO_CONTENT)
}
