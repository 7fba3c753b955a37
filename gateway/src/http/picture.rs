//! Pictures of the team and icons of workspaces, for whoever knows their ids: visitors hear those of the team with
//! the names. What an id stands for never changes, so it may be kept for ever; and the answer is the same for all,
//! so it asks for nothing.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};
use protocol::id::PictureId;
use protocol::rejection::ErrorCode;

use crate::Doors;
use crate::http::extract::Path;
use crate::http::problem::{Answer, Failure};

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/pictures/{id}", get(find))
}

/// The picture of a member of the team, or the icon of a workspace. Kept for a year: another picture has another id.
#[utoipa::path(get, path = "/api/v1/pictures/{id}", operation_id = "get_picture", tag = "files",
    params(("id" = PictureId, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png")))]
pub(crate) async fn find(
    State(doors): State<Doors>,
    Path(id): Path<PictureId>,
) -> Answer<Response> {
    let found = storage::picture::find(&doors.reader, id).await?;
    let picture = found.ok_or(ErrorCode::NotFound)?;
    let media_type = HeaderValue::from_str(&picture.media_type).map_err(Failure::fault)?;
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, keep),
    ];
    Ok((headers, picture.content).into_response())
}
