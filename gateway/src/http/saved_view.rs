//! Saved views: lists of the inbox that have a name.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use http::StatusCode;
use protocol::id::SavedViewId;
use protocol::page::Page;
use protocol::saved_view::{NewSavedView, SavedView, SavedViewChange};

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Path, Versioned};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/saved-views", get(list).post(create))
        .route("/saved-views/{id}", patch(change).delete(remove))
}

/// The team's saved views and one's own, by name.
#[utoipa::path(get, path = "/api/v1/saved-views", operation_id = "list_saved_views",
    tag = "saved views",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    responses((status = 200, body = Page<SavedView>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<SavedView>>> {
    let items = doors.desk.saved_views(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Save a view, of the team or one's own. Programs save the team's.
#[utoipa::path(post, path = "/api/v1/saved-views", operation_id = "create_saved_view",
    tag = "saved views",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    request_body = NewSavedView, responses((status = 201, body = SavedView)))]
pub(crate) async fn create(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Json(new): Json<NewSavedView>,
) -> Answer<Response> {
    let made = doors
        .desk
        .create_saved_view(&actor, &new, Some(&caller))
        .await?;
    Ok((StatusCode::CREATED, Versioned(made.version, made)).into_response())
}

/// Change a saved view. Open consoles have it at once.
#[utoipa::path(patch, path = "/api/v1/saved-views/{id}", operation_id = "change_saved_view",
    tag = "saved views",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    params(("id" = SavedViewId, Path),
        ("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = SavedViewChange, responses((status = 200, body = SavedView)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<SavedViewId>,
    IfMatch(version): IfMatch,
    Json(change): Json<SavedViewChange>,
) -> Answer<Versioned<SavedView>> {
    let changed = doors
        .desk
        .change_saved_view(&actor, id, version, &change, Some(&caller))
        .await?;
    Ok(Versioned(changed.version, changed))
}

/// Take a saved view away for good. What it showed stays.
#[utoipa::path(delete, path = "/api/v1/saved-views/{id}",
    operation_id = "remove_saved_view", tag = "saved views",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    params(("id" = SavedViewId, Path)), responses((status = 204)))]
pub(crate) async fn remove(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<SavedViewId>,
) -> Answer<StatusCode> {
    doors
        .desk
        .remove_saved_view(&actor, id, Some(&caller))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
