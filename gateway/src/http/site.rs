//! Sites and the secrets that sign identities for them.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use http::StatusCode;
use protocol::id::{SiteId, SiteSecretId};
use protocol::page::Page;
use protocol::permission::Permission;
use protocol::rejection::ErrorCode;
use protocol::site::{NewSite, SecretKind, Site, SiteChange, SiteSecret, SiteSeen};
use serde::Deserialize;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Path, Query, Versioned};
use crate::http::line::{Caller, Line};
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/sites", get(list).post(create))
        .route("/sites/{id}", get(find).patch(change))
        .route("/sites/{id}/seen", get(seen))
        .route("/sites/{id}/secrets", get(list_secrets).post(rotate_secret))
        .route("/sites/{id}/secrets/{secret_id}", delete(drop_secret))
}

/// The sites, oldest first, also the archived.
#[utoipa::path(get, path = "/api/v1/sites", operation_id = "list_sites", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    responses((status = 200, body = Page<Site>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<Site>>> {
    let items = doors.desk.sites(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Make a site.
#[utoipa::path(post, path = "/api/v1/sites", operation_id = "create_site", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    request_body = NewSite, responses((status = 201, body = Site)))]
pub(crate) async fn create(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Json(new): Json<NewSite>,
) -> Answer<Response> {
    let site = doors.desk.create_site(&actor, new, Some(&caller)).await?;
    Ok((StatusCode::CREATED, Versioned(site.version, site)).into_response())
}

/// One site.
#[utoipa::path(get, path = "/api/v1/sites/{id}", operation_id = "get_site", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = SiteId, Path)), responses((status = 200, body = Site)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<SiteId>,
) -> Answer<Versioned<Site>> {
    let site = doors.desk.site(&actor, id).await?;
    Ok(Versioned(site.version, site))
}

/// Change a site. Pages that show the widget hear of it at once.
#[utoipa::path(patch, path = "/api/v1/sites/{id}", operation_id = "change_site", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path),
        ("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = SiteChange, responses((status = 200, body = Site)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<SiteId>,
    IfMatch(version): IfMatch,
    Json(change): Json<SiteChange>,
) -> Answer<Versioned<Site>> {
    let site = doors
        .desk
        .change_site(&actor, id, version, change, Some(&caller))
        .await?;
    Ok(Versioned(site.version, site))
}

/// Where the site's widget was seen last, but for the demo pages of this server.
#[utoipa::path(get, path = "/api/v1/sites/{id}/seen", operation_id = "get_site_seen", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["visitors.read"])),
    params(("id" = SiteId, Path)), responses((status = 200, body = SiteSeen)))]
pub(crate) async fn seen(
    State(doors): State<Doors>,
    Team(actor): Team,
    line: Line,
    Path(id): Path<SiteId>,
) -> Answer<Json<SiteSeen>> {
    let scope = actor.may(Permission::VisitorsRead)?;
    let found = storage::site::find(&doors.reader, actor.workspace_id, id).await?;
    let site = found.ok_or(ErrorCode::NotFound)?;
    let demo = format!("{}/demo/", line.own_origin);
    let page = storage::visit::seen(&doors.reader, &scope, site.id, &demo).await?;
    Ok(Json(SiteSeen { page }))
}

/// The secrets that are accepted now, without themselves.
#[utoipa::path(get, path = "/api/v1/sites/{id}/secrets", operation_id = "list_site_secrets",
    tag = "sites", security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path)), responses((status = 200, body = Page<SiteSecret>)))]
pub(crate) async fn list_secrets(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<SiteId>,
) -> Answer<Json<Page<SiteSecret>>> {
    let items = doors.desk.site_secrets(&actor, id).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// Which secret is made.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Rotation {
    /// What it is for; `identity` when absent.
    kind: Option<SecretKind>,
}

/// Make a new secret, shown only here. Those of before of its kind are accepted for another 24 hours.
#[utoipa::path(post, path = "/api/v1/sites/{id}/secrets", operation_id = "rotate_site_secret",
    tag = "sites", security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path), Rotation), responses((status = 201, body = SiteSecret)))]
pub(crate) async fn rotate_secret(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<SiteId>,
    Query(rotation): Query<Rotation>,
) -> Answer<(StatusCode, Json<SiteSecret>)> {
    let kind = rotation.kind.unwrap_or(SecretKind::Identity);
    let secret = doors
        .desk
        .rotate_site_secret(&actor, id, kind, Some(&caller))
        .await?;
    Ok((StatusCode::CREATED, Json(secret)))
}

/// Stop accepting a secret at once.
#[utoipa::path(delete, path = "/api/v1/sites/{id}/secrets/{secret_id}",
    operation_id = "drop_site_secret", tag = "sites",
    security(("session" = []), ("login_bearer" = []), ("key" = ["sites.write"])),
    params(("id" = SiteId, Path), ("secret_id" = SiteSecretId, Path)),
    responses((status = 204)))]
pub(crate) async fn drop_secret(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path((id, secret_id)): Path<(SiteId, SiteSecretId)>,
) -> Answer<StatusCode> {
    doors
        .desk
        .drop_site_secret(&actor, id, secret_id, Some(&caller))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
