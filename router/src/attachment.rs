//! Keeping an uploaded file: a place for it first, then its bytes, then the word that they are safe. Whatever
//! ends this halfway leaves a row by which the sweep finds the rest.

use std::time::Duration;

use protocol::id::WorkspaceId;
use protocol::rejection::{ErrorCode, Rejection};
use storage::attachment::{self, AttachmentRow, Place};

use crate::error::refused_by;
use crate::router::Router;

/// How long until a place is asked for again while the same bytes are being removed, and how often.
const AGAIN: Duration = Duration::from_millis(200);
const TRIES_MAX: usize = 10;

/// Keeps a file whose bytes `put` stores.
pub(crate) async fn keep(
    router: &Router,
    workspace_id: WorkspaceId,
    row: &AttachmentRow,
    put: impl Future<Output = storage::Result<()>>,
) -> Result<(), Rejection> {
    let (db, clock) = (router.db(), &router.world().clock);
    reserve(router, workspace_id, row).await?;
    let id = row.attachment.id;
    if let Err(error) = put.await {
        let rejection = refused_by(&error);
        let given_up = attachment::give_up(db, workspace_id, id, clock.now_ms()).await;
        // The place is the uploader's until the sweep finds it; what he asked for was refused already.
        let _ = given_up.map_err(|error| refused_by(&error));
        return Err(rejection);
    }
    let stored = attachment::stored(db, workspace_id, id, clock.now_ms()).await;
    if stored.map_err(|error| refused_by(&error))? {
        Ok(())
    } else {
        Err(ErrorCode::Unavailable.into())
    }
}

async fn reserve(
    router: &Router,
    workspace_id: WorkspaceId,
    row: &AttachmentRow,
) -> Result<(), Rejection> {
    let bytes_max = router.config().visitor_unclaimed_bytes_max;
    for _ in 0..TRIES_MAX {
        let place = attachment::reserve(router.db(), workspace_id, row, bytes_max).await;
        match place.map_err(|error| refused_by(&error))? {
            Place::Kept => return Ok(()),
            Place::TooMany => return Err(ErrorCode::TooMany.into()),
            Place::Full => return Err(ErrorCode::StorageFull.into()),
            Place::Erased => return Err(ErrorCode::Unauthenticated.into()),
            Place::Leaving => router.world().clock.sleep(AGAIN).await,
        }
    }
    Err(Rejection::after(ErrorCode::Unavailable, 1_000))
}
