//! The team.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::agent::{Agent, AgentChange};
use protocol::id::AgentId;
use protocol::page::{List, Page};
use protocol::setup::{Attendance, SignIn};
use serde::Deserialize;
use storage::session::SignInQuery;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{IfMatch, Json, Path, Query, Versioned};
use crate::http::line::Caller;
use crate::http::page::Window;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/agents", get(list))
        .route("/agents/{id}", get(find).patch(change))
        .route("/sign-ins", get(list_sign_ins))
        .route("/attendance", get(list_attendance))
}

/// The whole team by name, also the deactivated.
#[utoipa::path(get, path = "/api/v1/agents", operation_id = "list_agents", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    responses((status = 200, body = Page<Agent>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<Agent>>> {
    let items = doors.desk.agents(&actor).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// One member.
#[utoipa::path(get, path = "/api/v1/agents/{id}", operation_id = "get_agent", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = AgentId, Path)), responses((status = 200, body = Agent)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<AgentId>,
) -> Answer<Versioned<Agent>> {
    let agent = doors.desk.agent(&actor, id).await?;
    Ok(Versioned(agent.version, agent))
}

/// Change a member: name, role, time zone, deactivate or take back. One's own name and time zone
/// anybody may change; nobody may touch or make somebody who may more than himself.
#[utoipa::path(patch, path = "/api/v1/agents/{id}", operation_id = "change_agent", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["team.write"])),
    params(("id" = AgentId, Path),
        ("if-match" = String, Header, description = "The version it is based on, in quotes.")),
    request_body = AgentChange, responses((status = 200, body = Agent)))]
pub(crate) async fn change(
    State(doors): State<Doors>,
    Team(actor): Team,
    Caller(caller): Caller,
    Path(id): Path<AgentId>,
    IfMatch(version): IfMatch,
    Json(change): Json<AgentChange>,
) -> Answer<Versioned<Agent>> {
    let agent = doors
        .desk
        .change_agent(&actor, id, version, &change, Some(&caller))
        .await?;
    Ok(Versioned(agent.version, agent))
}

/// Which sign-ins are asked for.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SignIns {
    /// Of one member; of all when absent.
    agent_id: Option<AgentId>,
    /// Used at this time or later, in milliseconds since 1970; all when absent.
    since_ms: Option<u64>,
    /// Where the page begins: the `cursor` of the page before. The first page when absent.
    cursor: Option<String>,
    /// Rows, at most 100; 50 when absent.
    limit: Option<usize>,
}

/// Sign-ins of the team, newest first: who, when, from where, until when.
#[utoipa::path(get, path = "/api/v1/sign-ins", operation_id = "list_sign_ins", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["audit.read"])),
    params(SignIns), responses((status = 200, body = Page<SignIn>)))]
pub(crate) async fn list_sign_ins(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(asked): Query<SignIns>,
) -> Answer<Json<Page<SignIn>>> {
    let window = Window {
        cursor: asked.cursor,
        limit: asked.limit,
    };
    let query = SignInQuery {
        agent_id: asked.agent_id,
        since_ms: asked.since_ms.unwrap_or(0),
        cursor: window.cursor(List::SignIns)?,
        limit: window.rows()?,
    };
    Ok(Json(doors.desk.sign_ins(&actor, &query).await?))
}

/// Since when attendance is asked for.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    /// In milliseconds since 1970; since the oldest sign-in that is kept when absent.
    since_ms: Option<u64>,
}

/// How long each member of the team was there: from a use of a sign-in to the next one, where that was no longer
/// than 20 minutes, to five minutes. Who was not there is left out.
#[utoipa::path(get, path = "/api/v1/attendance", operation_id = "list_attendance", tag = "team",
    security(("session" = []), ("login_bearer" = []), ("key" = ["audit.read"])),
    params(Since), responses((status = 200, body = Page<Attendance>)))]
pub(crate) async fn list_attendance(
    State(doors): State<Doors>,
    Team(actor): Team,
    Query(asked): Query<Since>,
) -> Answer<Json<Page<Attendance>>> {
    let since_ms = asked.since_ms.unwrap_or(0);
    let items = doors.desk.attendance(&actor, since_ms).await?;
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}
