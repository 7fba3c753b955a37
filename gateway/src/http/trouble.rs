//! What an admin must see to.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::page::Page;
use protocol::permission::Permission;
use protocol::trouble::Trouble;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::Json;
use crate::http::problem::Answer;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/troubles", get(list))
}

/// What of the installation does not work just now, for those who may change settings. Empty where all is well;
/// a store that does not answer refuses (`unavailable`).
#[utoipa::path(get, path = "/api/v1/troubles", operation_id = "list_troubles", tag = "workspace",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    responses((status = 200, body = Page<Trouble>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<Trouble>>> {
    actor.may(Permission::SettingsWrite)?;
    let backup = storage::meta::backup_trouble(&doors.reader).await?;
    let items = backup.into_iter().chain(doors.router.troubles()).collect();
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}
