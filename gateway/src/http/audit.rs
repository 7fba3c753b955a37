//! The audit log and failed sign-ins.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::audit::{AuditEntry, FailedLogin};
use protocol::page::{List, Page};
use protocol::permission::Permission;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Query};
use crate::http::page::Window;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/audit", get(list))
        .route("/failed-logins", get(list_failed_logins))
}

/// Who changed what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit",
    security(("session" = []), ("login_bearer" = []), ("key" = ["audit.read"])),
    params(Window), responses((status = 200, body = Page<AuditEntry>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(window): Query<Window>,
) -> Answer<Json<Page<AuditEntry>>> {
    let scope = actor.may(Permission::AuditRead)?;
    let limit = window.rows()?;
    let cursor = window.cursor(List::Audit)?;
    let page = storage::audit::list(&doors.reader, &scope, cursor.as_ref(), limit).await?;
    Ok(Json(page))
}

/// Sign-ins that failed, newest first.
#[utoipa::path(get, path = "/api/v1/failed-logins", operation_id = "list_failed_logins",
    tag = "audit", security(("session" = []), ("login_bearer" = []), ("key" = ["audit.read"])),
    params(Window), responses((status = 200, body = Page<FailedLogin>)))]
pub(crate) async fn list_failed_logins(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(window): Query<Window>,
) -> Answer<Json<Page<FailedLogin>>> {
    let scope = actor.may(Permission::AuditRead)?;
    let limit = window.rows()?;
    let cursor = window.cursor(List::FailedLogins)?;
    let page = storage::failed_login::list(&doors.reader, &scope, cursor.as_ref(), limit).await?;
    Ok(Json(page))
}
