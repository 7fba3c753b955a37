//! To do: what others ask of a member. Nobody reads it but himself, and nobody else says that it is read or done;
//! the log of changes keeps none of it, for nothing of the workspace changes.

use protocol::id::AgentId;
use protocol::limit;
use protocol::permission::{Actor, Permission, Scope};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::todo::TodoMarking;

use crate::canned_response::member;
use crate::error::Result;
use crate::{Desk, stored};

impl Desk {
    /// Whose it is that the speaker may read. Nobody asks anything of a program.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn asked_of(actor: &Actor) -> Result<(Scope, AgentId), Rejection> {
        let scope = actor.may(Permission::ConversationsRead)?;
        let agent_id = member(actor).ok_or(ErrorCode::Forbidden)?;
        Ok((scope, agent_id))
    }

    /// Marks some of what is asked of the speaker; what is marked so already stays as it is.
    ///
    /// # Errors
    /// `forbidden`; `invalid` where there is none, or `too_many`, of `entry_ids`; `not_found` where one is asked of somebody else, or of nobody:
    /// nothing is marked then.
    pub async fn mark_todos(&self, actor: &Actor, marking: &TodoMarking) -> Result<()> {
        let (_, agent_id) = Self::asked_of(actor)?;
        if marking.entry_ids.is_empty() {
            return Err(Rejection::of(ErrorCode::Invalid, "entry_ids").into());
        }
        if marking.entry_ids.len() > limit::TODO_MARKS_MAX {
            return Err(Rejection::of(ErrorCode::TooMany, "entry_ids").into());
        }
        let workspace_id = actor.workspace_id;
        let marked =
            storage::todo::mark(&self.0.db, workspace_id, agent_id, marking, self.now_ms());
        stored(marked.await?)?;
        self.0.router.ring();
        Ok(())
    }
}
