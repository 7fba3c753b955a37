//! Signals and marks at the router's door: who may send them, and where.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use protocol::conversation::{Conversation, Marks, VisitorConversation};
use protocol::entry::AgentNames;
use protocol::id::{ConnectionId, ConversationId, Id, WorkspaceId};
use protocol::permission::{Actor, Permission, Principal, VisitorActor};
use protocol::rejection::{ErrorCode, Rejection};

use super::Router;
use crate::error::refused_by;
use crate::nodes::News;
use crate::signal::Typist;
use world::HashMap;

/// How long a right to signal in a conversation is remembered without asking the store again.
const RIGHT_KEPT: Duration = Duration::from_secs(60);

/// Rights that are remembered; all are forgotten past that.
const RIGHTS_MAX: usize = 50_000;

impl Router {
    /// The speaker types, or stopped. Before a visitor's first message there is nobody to tell.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid` where an agent names no conversation.
    pub async fn typing(
        &self,
        actor: &Actor,
        conversation_id: Option<ConversationId>,
        text: Option<String>,
        active: bool,
    ) -> Result<(), Rejection> {
        let (conversation_id, typist, name, text) = match actor.principal {
            Principal::Visitor(visitor) => {
                let found = self
                    .visitors_conversation(actor.workspace_id, &visitor, conversation_id)
                    .await?;
                let Some(id) = found else { return Ok(()) };
                let text = self.seen_early(actor.workspace_id, &visitor, text).await?;
                (id, Typist::Customer, String::new(), text)
            }
            Principal::Agent(agent) => {
                let id = conversation_id
                    .ok_or_else(|| Rejection::of(ErrorCode::Invalid, "conversation_id"))?;
                actor.may(Permission::ConversationsWrite)?;
                self.is_of_workspace(actor.workspace_id, id).await?;
                let tenant = self.tenant(actor.workspace_id).await?;
                let name = tenant.name_of(agent.agent_id);
                (id, Typist::Agent(agent.agent_id), name, None)
            }
            Principal::Key(_) | Principal::System => return Err(ErrorCode::Forbidden.into()),
        };
        if active {
            let text = text.as_deref();
            self.0.signals.typing(conversation_id, typist, &name, text);
        } else {
            self.0.signals.stopped(conversation_id, typist);
        }
        self.0
            .nodes
            .tell(self, actor.workspace_id, || News::Typing {
                conversation_id,
                agent_id: match typist {
                    Typist::Customer => None,
                    Typist::Agent(agent_id) => Some(agent_id),
                },
                name,
                text,
                active,
            });
        Ok(())
    }

    /// What the team sees of a visitor's words before they are sent: nothing, unless his site shows them.
    async fn seen_early(
        &self,
        workspace_id: WorkspaceId,
        visitor: &VisitorActor,
        text: Option<String>,
    ) -> Result<Option<String>, Rejection> {
        let Some(text) = text else { return Ok(None) };
        let tenant = self.tenant(workspace_id).await?;
        let is_shown = tenant
            .site(visitor.site_id)
            .is_some_and(|site| site.settings(&tenant.settings).typing_preview);
        Ok(is_shown.then_some(text))
    }

    /// A connection of an agent looks at a conversation, or at none.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn viewing(
        &self,
        actor: &Actor,
        connection_id: ConnectionId,
        conversation_id: Option<ConversationId>,
    ) -> Result<(), Rejection> {
        let Principal::Agent(agent) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        actor.may(Permission::ConversationsRead)?;
        if let Some(id) = conversation_id {
            self.is_of_workspace(actor.workspace_id, id).await?;
        }
        let changed = self
            .0
            .signals
            .look(connection_id, agent.agent_id, conversation_id);
        for conversation_id in changed {
            self.tell_viewers(actor.workspace_id, conversation_id);
        }
        Ok(())
    }

    /// Tells the other nodes who looks at a conversation here.
    pub(crate) fn tell_viewers(&self, workspace_id: WorkspaceId, conversation_id: ConversationId) {
        let signals = &self.0.signals;
        signals.pass_on_viewers(conversation_id, |agent_ids| {
            let news = || News::Viewing {
                conversation_id,
                agent_ids,
            };
            self.0.nodes.tell(self, workspace_id, news);
        });
    }

    /// Everything up to a number was read, in the reader's own counting. Stored within a second.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn read(
        &self,
        actor: &Actor,
        conversation_id: ConversationId,
        number: u64,
    ) -> Result<(), Rejection> {
        let marks = Marks {
            delivered: number,
            read: number,
        };
        self.mark(actor, conversation_id, marks).await
    }

    /// Entries arrived up to these numbers, in the reader's own counting. Stored within a second.
    ///
    /// # Errors
    /// `not_found`, `forbidden`; what came before it in the map counts.
    pub async fn delivered(
        &self,
        actor: &Actor,
        numbers: &BTreeMap<ConversationId, u64>,
    ) -> Result<(), Rejection> {
        for (conversation_id, number) in numbers {
            let marks = Marks {
                delivered: *number,
                read: 0,
            };
            self.mark(actor, *conversation_id, marks).await?;
        }
        Ok(())
    }

    async fn mark(
        &self,
        actor: &Actor,
        conversation_id: ConversationId,
        marks: Marks,
    ) -> Result<(), Rejection> {
        let workspace_id = actor.workspace_id;
        match actor.principal {
            Principal::Visitor(visitor) => {
                let id = Some(conversation_id);
                self.visitors_conversation(workspace_id, &visitor, id)
                    .await?;
                self.0
                    .marking
                    .customer(workspace_id, visitor, conversation_id, marks);
            }
            Principal::Agent(agent) => {
                actor.may(Permission::ConversationsRead)?;
                self.is_of_workspace(workspace_id, conversation_id).await?;
                self.0
                    .marking
                    .agent(workspace_id, agent.agent_id, conversation_id, marks);
            }
            Principal::Key(_) | Principal::System => return Err(ErrorCode::Forbidden.into()),
        }
        Ok(())
    }
}

/// Rights, remembered for a while.
impl Router {
    /// The visitor's own conversation.
    ///
    /// # Errors
    /// `not_found` for anybody else's.
    pub(crate) async fn owns(
        &self,
        workspace_id: WorkspaceId,
        visitor: &VisitorActor,
        conversation_id: ConversationId,
    ) -> Result<VisitorConversation, Rejection> {
        let (db, id) = (&self.0.db, conversation_id);
        let found = storage::conversation::of_visitor(db, workspace_id, visitor, id).await;
        let found = found.map_err(|error| refused_by(&error))?;
        let conversation = found.ok_or(ErrorCode::NotFound)?;
        self.keep_right(visitor.visitor_id.bits(), conversation_id);
        Ok(conversation)
    }

    /// The conversation that a visitor means: the named one if it is his, or his open one.
    async fn visitors_conversation(
        &self,
        workspace_id: WorkspaceId,
        visitor: &VisitorActor,
        conversation_id: Option<ConversationId>,
    ) -> Result<Option<ConversationId>, Rejection> {
        match conversation_id {
            Some(id) if self.has_right(visitor.visitor_id.bits(), id) => Ok(Some(id)),
            Some(id) => {
                self.owns(workspace_id, visitor, id).await?;
                Ok(Some(id))
            }
            None => {
                let db = &self.0.db;
                let open = storage::conversation::open_of_visitor(db, workspace_id, visitor).await;
                let open = open.map_err(|error| refused_by(&error))?;
                Ok(open.map(|open| open.id))
            }
        }
    }

    async fn is_of_workspace(
        &self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
    ) -> Result<(), Rejection> {
        if self.has_right(workspace_id.bits(), conversation_id) {
            return Ok(());
        }
        self.of_workspace(workspace_id, conversation_id).await?;
        Ok(())
    }

    /// A conversation as its team sees it.
    ///
    /// # Errors
    /// `not_found` for another workspace's.
    async fn of_workspace(
        &self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
    ) -> Result<Conversation, Rejection> {
        let found = storage::conversation::find(&self.0.db, workspace_id, conversation_id).await;
        let found = found.map_err(|error| refused_by(&error))?;
        let conversation = found.ok_or(ErrorCode::NotFound)?;
        self.keep_right(workspace_id.bits(), conversation_id);
        Ok(conversation)
    }

    fn has_right(&self, reader: u128, conversation_id: ConversationId) -> bool {
        let now = self.0.world.clock.elapsed();
        let rights = self.rights();
        rights
            .get(&(reader, conversation_id))
            .is_some_and(|kept| now < *kept + RIGHT_KEPT)
    }

    /// Remembers for a moment that somebody may read a conversation.
    pub(crate) fn keep_right(&self, reader: u128, conversation_id: ConversationId) {
        let now = self.0.world.clock.elapsed();
        let mut rights = self.rights();
        if rights.len() >= RIGHTS_MAX {
            rights.clear();
        }
        rights.insert((reader, conversation_id), now);
    }

    fn rights(&self) -> MutexGuard<'_, HashMap<(u128, ConversationId), Duration>> {
        self.0.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
