//! Messages: what a visitor says, and how a conversation begins.

use protocol::conversation::State;
use protocol::entry::{Author, ReopenCause};
use protocol::id::{AgentId, ContactId, ConversationId, EntryId, EventId, VisitorId, WorkspaceId};
use protocol::permission::VisitorActor;
use protocol::site::AfterClose;

use crate::command::{CommandKey, Found, Refusal};
use crate::contact;
use crate::conversation;
use crate::db::{Batch, Db, Value, stmt};
use crate::entry::write::{Head, Line, attachment_list};
use crate::entry::{self, Append, Guard, NewContent, NewEntry, NewMessage, Outcome, Stored};
use crate::error::Result;
use crate::site;
use crate::visitor::{self, VisitorRow};

/// How often the way to store a message is chosen anew when another one came first.
const TRIES_MAX: usize = 4;

/// What a visitor says.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitorMessage {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// Who.
    pub visitor: VisitorActor,
    /// Under which name.
    pub key: CommandKey,
    /// The conversation he means; his open one, or a new one, where absent.
    pub conversation_id: Option<ConversationId>,
    /// What he says.
    pub message: NewMessage,
    /// The store's time now.
    pub at_ms: u64,
}

/// Where a visitor's message goes.
enum Way {
    /// To a conversation that goes on; whether it rests.
    Append(ConversationId, State),
    /// To a closed one that may come back.
    Reopen(ConversationId),
    /// To a new one after this one.
    Begin(Option<ConversationId>),
}

/// Stores what a visitor says: in his open conversation, or in a closed one that his site lets come
/// back (C7), or in a new one, which also makes him a contact. One guarded transaction.
///
/// # Errors
/// The store's. After `Unavailable` the outcome is unknown; the same key may be tried again.
pub async fn send(db: &Db, message: &VisitorMessage) -> Result<Outcome> {
    let mut refusal = Refusal::NotFound;
    for _ in 0..TRIES_MAX {
        let visitor = visitor::find(db, message.workspace_id, message.visitor.visitor_id).await?;
        let Some(visitor) =
            visitor.filter(|visitor| !visitor.erased && visitor.site_id == message.visitor.site_id)
        else {
            return entry::replayed(db, message.workspace_id, &message.key).await;
        };
        let outcome = match way(db, message).await? {
            Way::Append(conversation_id, state) => {
                let reopened = (state == State::Snoozed).then_some(ReopenCause::Visitor);
                let states = [state];
                let append = visitor_append(db, message, &visitor, conversation_id, reopened);
                entry::append(db, &with_states(append, &states)).await?
            }
            Way::Reopen(conversation_id) => {
                let cause = Some(ReopenCause::Visitor);
                let append = visitor_append(db, message, &visitor, conversation_id, cause);
                entry::append(db, &with_states(append, &[State::Closed])).await?
            }
            Way::Begin(previous_id) => {
                let begin = Begin {
                    workspace_id: message.workspace_id,
                    key: &message.key,
                    previous_id,
                    author: By::Visitor,
                    message: &message.message,
                    at_ms: message.at_ms,
                };
                begin.store(db, &visitor).await?
            }
        };
        // Somebody was faster: closed it, woke it, or began one in another tab. Look again.
        if let Outcome::Refused(
            again @ (Refusal::State(_) | Refusal::OtherOpen(_) | Refusal::Stale),
        ) = outcome
        {
            refusal = again;
        } else {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Refused(refusal))
}

/// Chooses by what stands now; the guard then checks it under the lock.
async fn way(db: &Db, message: &VisitorMessage) -> Result<Way> {
    let newest =
        conversation::newest_of_visitor(db, message.workspace_id, &message.visitor).await?;
    let Some((conversation, _, closed_at_ms)) = newest else {
        return Ok(Way::Begin(None));
    };
    if conversation.state != State::Closed {
        return Ok(Way::Append(conversation.id, conversation.state));
    }
    let site = site::find(db, message.workspace_id, message.visitor.site_id).await?;
    let may_reopen = site.is_some_and(|site| match site.after_close {
        AfterClose::StartNew => false,
        AfterClose::Reopen => closed_at_ms.is_some_and(|closed_at_ms| {
            message.at_ms.saturating_sub(closed_at_ms) <= site.reopen_within_ms
        }),
    });
    Ok(if may_reopen {
        Way::Reopen(conversation.id)
    } else {
        Way::Begin(Some(conversation.id))
    })
}

fn visitor_append(
    db: &Db,
    message: &VisitorMessage,
    visitor: &VisitorRow,
    conversation_id: ConversationId,
    reopened: Option<ReopenCause>,
) -> Append {
    let ids = &db.world().ids;
    let author = Author::Visitor {
        visitor_id: visitor.id,
        // Who has a conversation has a contact; the bits of nobody stand for a row that lost it.
        contact_id: visitor
            .contact_id
            .or(message.visitor.contact_id)
            .unwrap_or_else(|| protocol::id::Id::from_bits(0)),
    };
    let mut entries = Vec::with_capacity(2);
    if let Some(cause) = reopened {
        entries.push(NewEntry {
            id: ids.next(),
            author,
            content: NewContent::Reopened { cause },
        });
    }
    entries.push(NewEntry {
        id: ids.next(),
        author,
        content: NewContent::Message(message.message.clone()),
    });
    Append {
        workspace_id: message.workspace_id,
        conversation_id,
        key: message.key.clone(),
        guard: Guard {
            states: Vec::new(),
            fence: None,
            version: None,
            owner: Some(message.visitor),
        },
        entries,
        at_ms: message.at_ms,
    }
}

fn with_states(mut append: Append, states: &[State]) -> Append {
    append.guard.states = states.to_vec();
    append
}

/// How the team begins a conversation with a visitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// With whom.
    pub visitor_id: VisitorId,
    /// Under which name.
    pub key: CommandKey,
    /// Who begins, and becomes the assignee.
    pub agent_id: AgentId,
    /// The first words.
    pub message: NewMessage,
    /// The store's time now.
    pub at_ms: u64,
}

/// Begins a conversation with a visitor. Refused with `OtherOpen` where one goes on.
///
/// # Errors
/// The store's. After `Unavailable` the outcome is unknown; the same key may be tried again.
pub async fn start(db: &Db, start: &Start) -> Result<Outcome> {
    let visitor = visitor::find(db, start.workspace_id, start.visitor_id).await?;
    let Some(visitor) = visitor.filter(|visitor| !visitor.erased) else {
        return entry::replayed(db, start.workspace_id, &start.key).await;
    };
    let actor = VisitorActor {
        visitor_id: visitor.id,
        site_id: visitor.site_id,
        contact_id: visitor.contact_id.filter(|_| visitor.proved),
    };
    let newest = conversation::newest_of_visitor(db, start.workspace_id, &actor).await?;
    let begin = Begin {
        workspace_id: start.workspace_id,
        key: &start.key,
        previous_id: newest.map(|(conversation, _, _)| conversation.id),
        author: By::Agent(start.agent_id),
        message: &start.message,
        at_ms: start.at_ms,
    };
    begin.store(db, &visitor).await
}

/// Who begins.
#[derive(Clone, Copy)]
enum By {
    Visitor,
    Agent(AgentId),
}

/// A conversation to be, with its first message.
struct Begin<'a> {
    workspace_id: WorkspaceId,
    key: &'a CommandKey,
    previous_id: Option<ConversationId>,
    author: By,
    message: &'a NewMessage,
    at_ms: u64,
}

const LOCK_VISITOR: &str = "
    UPDATE visitor SET version = version + 1
    WHERE workspace_id = $1 AND visitor_id = $2";

/// `$6` digest, `$7` time, `$8` visitor, `$9` files, `$10` their count.
const GUARD: &str = "
    INSERT INTO command (workspace_id, principal, client_id, digest, attempt_id, conversation_id,
        entry_id, seq, public_seq, sent_at_ms)
    SELECT $1, $3, $4, $6, $5, $2, $5, 1, 1, CAST($7 AS BIGINT)
    FROM visitor v
    WHERE v.workspace_id = $1 AND v.visitor_id = $8
        AND v.open_conversation_id IS NULL AND v.erased_at_ms IS NULL AND v.blocked_at_ms IS NULL
        AND (CAST($9 AS TEXT) = '' OR CAST($10 AS BIGINT) = (
            SELECT COUNT(*) FROM attachment a
            WHERE a.workspace_id = $1 AND a.uploader = $3 AND a.entry_id IS NULL
                AND a.deleted_at_ms IS NULL AND $9 LIKE '%' || a.attachment_id || '%'))
    ON CONFLICT (workspace_id, principal, client_id) DO NOTHING";

/// The condition that the guard's row is this attempt's, as the source of one row.
macro_rules! from_guard {
    () => {
        " FROM command g
    WHERE g.workspace_id = $1 AND g.principal = $3 AND g.client_id = $4 AND g.attempt_id = $5"
    };
}

const BIND_VISITOR: &str = concat!(
    "
    UPDATE visitor SET contact_id = COALESCE(contact_id, $7), open_conversation_id = $2
    WHERE workspace_id = $1 AND visitor_id = $6 AND EXISTS (SELECT 1",
    from_guard!(),
    ")"
);

const NEXT_NUMBER: &str = concat!(
    "
    INSERT INTO counter (workspace_id, name, value)
    SELECT $1, 'conversation', 1",
    from_guard!(),
    " AND g.conversation_id = $2
    ON CONFLICT (workspace_id, name) DO UPDATE SET value = counter.value + 1"
);

const INSERT_CONVERSATION: &str = "
    INSERT INTO conversation (workspace_id, conversation_id, number, version, channel, site_id, contact_id,
        visitor_id, state, handler, pen_side, fence, assignee_id, priority, language, previous_id,
        waiting_on, waiting_since_at_ms, spam, seq, public_seq, customer_seq, preview_from_customer,
        preview_text, preview_attachment_count, preview_sent_at_ms, created_at_ms, active_at_ms)
    SELECT $1, $2, n.value, 1, 'chat', v.site_id, v.contact_id, v.visitor_id, 'open', $7, $8, 1,
        CAST($9 AS TEXT), 2, CAST($10 AS TEXT), CAST($11 AS TEXT), 'agent', CAST($12 AS BIGINT), FALSE, 0,
        0, 0, FALSE, '', 0, 0, CAST($12 AS BIGINT), CAST($12 AS BIGINT)
    FROM visitor v
    JOIN counter n ON n.workspace_id = v.workspace_id AND n.name = 'conversation'
    JOIN command g ON g.workspace_id = $1 AND g.principal = $3 AND g.client_id = $4 AND g.attempt_id = $5
    WHERE v.workspace_id = $1 AND v.visitor_id = $6";

const INSERT_CREATED_EVENT: &str = concat!(
    "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $6, $1, 'conversation.created', $2, 1, CAST($7 AS BIGINT)",
    from_guard!(),
    " AND g.conversation_id = $2"
);

impl Begin<'_> {
    async fn store(&self, db: &Db, visitor: &VisitorRow) -> Result<Outcome> {
        let ids = &db.world().ids;
        let conversation_id = ids.next::<ConversationId>();
        let contact_id = visitor.contact_id.unwrap_or_else(|| ids.next());
        let entry = self.entry(ids.next(), visitor.id, contact_id);
        let head = Head {
            workspace_id: Value::from(self.workspace_id),
            conversation_id: Value::from(conversation_id),
            key: self.key,
            attempt_id: entry.id,
            at_ms: self.at_ms,
        };
        let line = Line {
            entry: &entry,
            public: true,
            target_format: protocol::message::Format::Plain,
            is_main: true,
        };
        let mut batch = Batch::locking(vec![visitor.id.to_string()]);
        batch.push(stmt!(LOCK_VISITOR, self.workspace_id, visitor.id));
        batch.push(head.stmt(GUARD, self.guard(visitor.id)));
        if visitor.contact_id.is_none() {
            contact::push_lead(db, &mut batch, &head, contact_id, visitor);
        }
        let ids = || vec![Value::from(visitor.id), Value::from(contact_id)];
        batch.push(head.stmt(BIND_VISITOR, ids()));
        batch.push(head.stmt(NEXT_NUMBER, Vec::new()));
        batch.push(head.stmt(INSERT_CONVERSATION, self.conversation(visitor)));
        let event_id = db.world().ids.next::<EventId>();
        batch.push(head.stmt(
            INSERT_CREATED_EVENT,
            vec![Value::from(event_id), Value::from(self.at_ms)],
        ));
        head.push_entry(db, &mut batch, &line);
        head.push_event(db, &mut batch);
        let append = self.as_append(conversation_id, &entry);
        let lines = [line];
        let reads = entry::push_reads(
            &mut batch,
            self.workspace_id,
            conversation_id,
            &append,
            &lines,
        );
        let answers = db.batch(batch).await?;
        match reads.found(&answers, &append)? {
            Some(Found::Mine(receipt)) => {
                let stored = reads.stored(&answers, receipt, self.key, &lines)?;
                Ok(Outcome::Accepted(Box::new(Stored {
                    created: true,
                    ..stored
                })))
            }
            Some(Found::Before(receipt)) => Ok(Outcome::Replayed(receipt)),
            Some(Found::Other) => Ok(Outcome::ClientIdReused),
            None => Ok(Outcome::Refused(self.why(db, visitor.id).await?)),
        }
    }

    fn entry(&self, id: EntryId, visitor_id: VisitorId, contact_id: ContactId) -> NewEntry {
        NewEntry {
            id,
            author: match self.author {
                By::Visitor => Author::Visitor {
                    visitor_id,
                    contact_id,
                },
                By::Agent(agent_id) => Author::Agent { agent_id },
            },
            content: NewContent::Message(self.message.clone()),
        }
    }

    fn guard(&self, visitor_id: VisitorId) -> Vec<Value> {
        vec![
            Value::from(self.key.digest),
            Value::from(self.at_ms),
            Value::from(visitor_id),
            Value::from(attachment_list(self.message)),
            Value::from(self.message.attachment_ids.len()),
        ]
    }

    fn conversation(&self, visitor: &VisitorRow) -> Vec<Value> {
        let (handler, pen_side, assignee_id) = match self.author {
            By::Visitor => ("queue", "none", Value::Null),
            By::Agent(agent_id) => ("human", "human", Value::from(agent_id)),
        };
        let language = self.message.language.clone();
        vec![
            Value::from(visitor.id),
            Value::from(handler),
            Value::from(pen_side),
            assignee_id,
            Value::from(language.or_else(|| visitor.browser.language.clone())),
            Value::from(self.previous_id),
            Value::from(self.at_ms),
        ]
    }

    fn as_append(&self, conversation_id: ConversationId, entry: &NewEntry) -> Append {
        Append {
            workspace_id: self.workspace_id,
            conversation_id,
            key: self.key.clone(),
            guard: Guard::team(&[]),
            entries: vec![entry.clone()],
            at_ms: self.at_ms,
        }
    }

    async fn why(&self, db: &Db, visitor_id: VisitorId) -> Result<Refusal> {
        let visitor = visitor::find(db, self.workspace_id, visitor_id).await?;
        Ok(match visitor {
            None => Refusal::NotFound,
            Some(visitor) if visitor.erased => Refusal::NotFound,
            Some(visitor) if visitor.blocked => Refusal::Blocked,
            Some(visitor) => match visitor.open_conversation_id {
                Some(open) => Refusal::OtherOpen(open),
                None if !self.message.attachment_ids.is_empty() => Refusal::Attachment,
                None => Refusal::Stale,
            },
        })
    }
}
