//! Identity keys of a site: public keys that check what its own server signs.

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get};
use http::StatusCode;
use protocol::id::{IdentityKeyId, SiteId};
use protocol::identity_key::{IdentityKey, NewIdentityKey};
use protocol::page::Page;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Path};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/sites/{id}/identity-keys", get(list).post(add))
        .route("/sites/{id}/identity-keys/{key_id}", delete(remove))
}

/// The public keys that are accepted now, newest first.
#[utoipa::path(get, path = "/api/v1/sites/{id}/identity-keys", operation_id = "list_identity_keys",
    tag = "sites", security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path)), responses((status = 200, body = Page<IdentityKey>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<SiteId>,
) -> Answer<Json<Page<IdentityKey>>> {
    let items = doors.desk.identity_keys(&actor, id).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Add a public key. Those of before stay, or with `replace` for another 24 hours.
#[utoipa::path(post, path = "/api/v1/sites/{id}/identity-keys", operation_id = "add_identity_key",
    tag = "sites", security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path)), request_body = NewIdentityKey,
    responses((status = 201, body = IdentityKey)))]
pub(crate) async fn add(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<SiteId>,
    Json(new): Json<NewIdentityKey>,
) -> Answer<(StatusCode, Json<IdentityKey>)> {
    let key = doors
        .desk
        .add_identity_key(&actor, id, &new, Some(&caller))
        .await?;
    Ok((StatusCode::CREATED, Json(key)))
}

/// Stop accepting a public key at once.
#[utoipa::path(delete, path = "/api/v1/sites/{id}/identity-keys/{key_id}",
    operation_id = "drop_identity_key", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path), ("key_id" = IdentityKeyId, Path)),
    responses((status = 204)))]
pub(crate) async fn remove(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path((id, key_id)): Path<(SiteId, IdentityKeyId)>,
) -> Answer<StatusCode> {
    doors
        .desk
        .drop_identity_key(&actor, id, key_id, Some(&caller))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
