//! A visitor as the side panel shows him.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::id::VisitorId;
use protocol::permission::Permission;
use protocol::rejection::ErrorCode;
use protocol::visitor::Visitor;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::{Json, Path};
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/visitors/{id}", get(find))
}

/// A visitor with the last visits and their pages, whether here now or not.
#[utoipa::path(get, path = "/api/v1/visitors/{id}", operation_id = "get_visitor", tag = "contacts",
    security(("session" = []), ("login_bearer" = []), ("key" = ["visitors.read"])),
    params(("id" = VisitorId, Path)), responses((status = 200, body = Visitor)))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Team(actor): Team,
    Path(id): Path<VisitorId>,
) -> Answer<Json<Visitor>> {
    let scope = actor.may(Permission::VisitorsRead)?;
    let visitor = storage::visitor::detail(&doors.reader, &scope, id).await?;
    Ok(Json(visitor.ok_or(ErrorCode::NotFound)?))
}
