//! A visitor and an agent who talk, for the stories of conversations.

use protocol::conversation::State;
use protocol::entry::Author;
use protocol::id::{AgentId, ConversationId, EntryId, SiteId, VisitorId, WorkspaceId};
use protocol::message::Format;
use protocol::permission::VisitorActor;
use protocol::text::ClientId;
use protocol::visitor::{Browser, Device};
use sha2::{Digest, Sha256};
use storage::command::CommandKey;
use storage::entry::{self, Append, Guard, NewContent, NewEntry, NewMessage, Outcome, Stored};
use storage::message::{self, VisitorMessage};
use storage::visitor::NewVisitor;

use super::{NOW_MS, Store};

/// Every state.
pub(crate) const ANY: &[State] = &[State::Open, State::Snoozed, State::Closed];

pub(crate) fn browser() -> Browser {
    Browser {
        device: Device::Desktop,
        name: "Firefox".to_owned(),
        system: "Linux".to_owned(),
        language: Some("en".to_owned()),
        time_zone: Some("Europe/Zagreb".to_owned()),
        country: None,
        city: None,
    }
}

/// A message in plain text.
pub(crate) fn words(body: &str) -> NewMessage {
    NewMessage {
        format: Format::Plain,
        body: body.to_owned(),
        language: None,
        reply_to_id: None,
        attachment_ids: Vec::new(),
        mentions: Vec::new(),
    }
}

pub(crate) fn key(principal: impl ToString, client_id: &str, content: &str) -> CommandKey {
    CommandKey {
        principal: principal.to_string(),
        client_id: ClientId::parse(client_id).expect("a good client id"),
        digest: Sha256::digest(content.as_bytes()).into(),
    }
}

/// A workspace with a site, a visitor on it and an agent; every command gets a client id of its own.
pub(crate) struct Talk<'a> {
    pub(crate) store: &'a Store,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) site_id: SiteId,
    pub(crate) agent_id: AgentId,
    pub(crate) visitor: VisitorActor,
}

impl<'a> Talk<'a> {
    /// Sets the store up.
    pub(crate) async fn new(store: &'a Store) -> Self {
        let installed = store.installed().await;
        let site_id = installed.installation.site.id;
        let workspace_id = installed.workspace_id();
        Self {
            store,
            workspace_id,
            site_id,
            agent_id: installed.agent_id(),
            visitor: visitor(store, workspace_id, site_id).await,
        }
    }

    pub(crate) async fn another_visitor(&self) -> VisitorActor {
        visitor(self.store, self.workspace_id, self.site_id).await
    }

    pub(crate) fn client_id(&self) -> String {
        self.store.world.ids.next::<EntryId>().to_string()
    }

    /// The visitor says something under a client id.
    pub(crate) async fn says_as(
        &self,
        visitor: VisitorActor,
        client_id: &str,
        message: NewMessage,
    ) -> Outcome {
        let said = VisitorMessage {
            workspace_id: self.workspace_id,
            visitor,
            key: key(visitor.visitor_id, client_id, &message.body),
            conversation_id: None,
            message,
            at_ms: NOW_MS + 10,
        };
        message::send(&self.store.db, &said, &mut None)
            .await
            .expect("the store works")
    }

    /// The visitor says something.
    pub(crate) async fn says(&self, body: &str) -> Stored {
        accepted(
            self.says_as(self.visitor, &self.client_id(), words(body))
                .await,
        )
    }

    /// What an agent does, to be stored.
    pub(crate) fn deed(
        &self,
        conversation_id: ConversationId,
        contents: Vec<NewContent>,
    ) -> Append {
        let entries = contents
            .into_iter()
            .map(|content| NewEntry {
                id: self.store.world.ids.next(),
                author: Author::Agent {
                    agent_id: self.agent_id,
                },
                content,
            })
            .collect();
        Append {
            workspace_id: self.workspace_id,
            conversation_id,
            key: key(self.agent_id, &self.client_id(), "deed"),
            guard: Guard::team(ANY),
            entries,
            at_ms: NOW_MS + 20,
            reached_at_ms: None,
            contact: None,
        }
    }

    /// The agent does something that may be refused.
    pub(crate) async fn tries(&self, append: &Append) -> Outcome {
        entry::append(&self.store.db, append)
            .await
            .expect("the store works")
    }

    /// The agent does something.
    pub(crate) async fn does(&self, id: ConversationId, content: NewContent) -> Stored {
        accepted(self.tries(&self.deed(id, vec![content])).await)
    }

    /// The agent answers.
    pub(crate) async fn answers(&self, id: ConversationId, body: &str) -> Stored {
        self.does(id, NewContent::Message(words(body))).await
    }
}

async fn visitor(store: &Store, workspace_id: WorkspaceId, site_id: SiteId) -> VisitorActor {
    let visitor_id: VisitorId = store.world.ids.next();
    let new = NewVisitor {
        id: visitor_id,
        site_id,
        browser: browser(),
        address: Some("192.0.2.8".to_owned()),
    };
    storage::visitor::create(&store.db, workspace_id, &new, NOW_MS)
        .await
        .expect("the store works");
    VisitorActor {
        visitor_id,
        site_id,
        contact_id: None,
    }
}

/// What was stored, of an accepted outcome.
pub(crate) fn accepted(outcome: Outcome) -> Stored {
    if let Outcome::Accepted(stored) = outcome {
        *stored
    } else {
        panic!("not accepted: {outcome:?}")
    }
}
