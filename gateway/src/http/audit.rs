//! The audit log and failed sign-ins.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::audit::{AuditEntry, FailedLogin, Target};
use protocol::page::{List, Page};
use protocol::permission::Permission;
use serde::Deserialize;

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

/// Which lines of the log are asked for.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only what was done to this one: the id of a workspace, site, member, invitation, key, canned response, saved
    /// view, blocked network or contact. All when absent.
    #[param(value_type = Option<String>)]
    target: Option<Target>,
    /// Where the page begins: the `cursor` of the page before. The first page when absent.
    cursor: Option<String>,
    /// Rows, at most 100; 50 when absent.
    limit: Option<usize>,
}

/// Who changed what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit",
    security(("session" = []), ("login_bearer" = []), ("key" = ["audit.read"])),
    params(Asked), responses((status = 200, body = Page<AuditEntry>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(asked): Query<Asked>,
) -> Answer<Json<Page<AuditEntry>>> {
    let scope = actor.may(Permission::AuditRead)?;
    let window = Window {
        cursor: asked.cursor,
        limit: asked.limit,
    };
    let limit = window.rows()?;
    let cursor = window.cursor(List::Audit)?;
    let (reader, cursor) = (&doors.reader, cursor.as_ref());
    Ok(Json(match asked.target {
        Some(target) => storage::audit::list_of(reader, &scope, target, cursor, limit).await?,
        None => storage::audit::list(reader, &scope, cursor, limit).await?,
    }))
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
