//! The workspace and its settings.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::workspace::{Workspace, WorkspaceChange};

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Versioned};
use crate::http::line::Caller;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/workspace", get(find).patch(change))
}

/// The workspace.
#[utoipa::path(get, path = "/api/v1/workspace", operation_id = "get_workspace", tag = "workspace",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    responses((status = 200, body = Workspace)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Versioned<Workspace>> {
    let workspace = doors.desk.workspace(&actor).await?;
    Ok(Versioned(workspace.version, workspace))
}

/// Change the workspace.
#[utoipa::path(patch, path = "/api/v1/workspace", operation_id = "change_workspace", tag = "workspace",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    params(("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = WorkspaceChange, responses((status = 200, body = Workspace)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    IfMatch(version): IfMatch,
    Json(change): Json<WorkspaceChange>,
) -> Answer<Versioned<Workspace>> {
    let workspace = doors
        .desk
        .change_workspace(&actor, version, &change, Some(&caller))
        .await?;
    Ok(Versioned(workspace.version, workspace))
}
