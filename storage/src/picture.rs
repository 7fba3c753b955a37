//! Pictures of members, and icons of workspaces. One has at most one, under an id of its own: whoever holds the id
//! may have it, and another picture has another id, so that what is kept anywhere is never out of date.

use protocol::id::{AgentId, PictureId};

use crate::audit::Change;
use crate::change::Stamp;
use crate::db::{Batch, Reader, stmt};
use crate::error::Result;

/// A picture that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it is: `image/png` or `image/jpeg`.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// What becomes of a member's picture, or of a workspace's icon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewPicture {
    /// There is none any more.
    Nothing,
    /// It is this one.
    Is(PictureId, Picture),
}

impl NewPicture {
    /// The id that the picture has from then on.
    #[must_use]
    pub fn id(&self) -> Option<PictureId> {
        match self {
            Self::Nothing => None,
            Self::Is(id, _) => Some(*id),
        }
    }
}

/// Uses `agent_picture_by_id` and `workspace_picture_by_id`. The id alone says whose it is, as a site's key does.
const FIND_PICTURE: &str = "
    SELECT media_type, content FROM agent_picture WHERE picture_id = $1
    UNION ALL
    SELECT media_type, content FROM workspace_picture WHERE picture_id = $1
    LIMIT 1";

/// A picture, for whoever knows its id.
///
/// # Errors
/// The store's.
pub async fn find(reader: &Reader, picture_id: PictureId) -> Result<Option<Picture>> {
    let rows = reader.rows(stmt!(FIND_PICTURE, picture_id)).await?;
    let picture = rows.first().map(|row| {
        Ok(Picture {
            media_type: row.text("media_type")?,
            content: row.bytes("content")?,
        })
    });
    picture.transpose()
}

/// Uses the primary keys. Stands where the audit line does.
const DELETE_PICTURE: &str = "
    DELETE FROM agent_picture
    WHERE workspace_id = $1 AND agent_id = $2
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $3)";

const INSERT_PICTURE: &str = "
    INSERT INTO agent_picture (workspace_id, agent_id, picture_id, media_type, content)
    SELECT $1, $2, $4, $5, $6 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $3";

/// Puts a member's picture in the place of the one before, where the change's audit line stands.
pub(crate) fn push(
    batch: &mut Batch,
    agent_id: AgentId,
    new: &NewPicture,
    stamp: &Stamp<'_>,
    change: &Change,
) {
    let workspace_id = change.workspace_id;
    batch.push(stmt!(DELETE_PICTURE, workspace_id, agent_id, stamp.id));
    if let NewPicture::Is(id, picture) = new {
        batch.push(stmt!(
            INSERT_PICTURE,
            workspace_id,
            agent_id,
            stamp.id,
            *id,
            picture.media_type.as_str(),
            picture.content.clone(),
        ));
    }
}

/// Uses the primary keys. Stands where the audit line does.
const DELETE_ICON: &str = "
    DELETE FROM workspace_picture
    WHERE workspace_id = $1
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $2)";

const INSERT_ICON: &str = "
    INSERT INTO workspace_picture (workspace_id, picture_id, media_type, content)
    SELECT $1, $3, $4, $5 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $2";

/// Puts a workspace's icon in the place of the one before, where the change's audit line stands.
pub(crate) fn push_icon(batch: &mut Batch, new: &NewPicture, stamp: &Stamp<'_>, change: &Change) {
    let workspace_id = change.workspace_id;
    batch.push(stmt!(DELETE_ICON, workspace_id, stamp.id));
    if let NewPicture::Is(id, picture) = new {
        batch.push(stmt!(
            INSERT_ICON,
            workspace_id,
            stamp.id,
            *id,
            picture.media_type.as_str(),
            picture.content.clone(),
        ));
    }
}
