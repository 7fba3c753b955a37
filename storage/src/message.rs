//! Messages: what a visitor says, and how a conversation begins.

use protocol::conversation::State;
use protocol::entry::{Author, ReopenCause};
use protocol::id::{ContactId, ConversationId, EntryId, EventId, VisitorId, WorkspaceId};
use protocol::permission::VisitorActor;
use protocol::site::AfterClose;

use crate::command::{self, CommandKey, Receipt, Refusal};
use crate::contact::{self, Shown};
use crate::conversation;
use crate::db::{Batch, Db, Hold, Stmt, Value, stmt};
use crate::entry::write::{Head, Line, attachment_list, preview};
use crate::entry::{
    self, Append, Guard, NewContent, NewEntry, NewMessage, Outcome, Several, Stored,
};
use crate::error::{Error, Result};
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

/// Where a visitor's last message went. His next one may go there without a look at the store, because the
/// guard checks all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    visitor: VisitorActor,
    conversation_id: ConversationId,
    author: Author,
    reached_at_ms: u64,
    contact_id: ContactId,
    contact: Option<Shown>,
}

impl Course {
    fn of(visitor: VisitorActor, stored: &Stored) -> Option<Self> {
        let conversation = &stored.conversation;
        Some(Self {
            visitor,
            conversation_id: conversation.id,
            author: stored.entries.last()?.author,
            reached_at_ms: conversation.active_at_ms,
            contact_id: conversation.contact_id,
            contact: Some(Shown {
                name: conversation.contact_name.clone(),
                version: conversation.contact_version,
                erased: conversation.contact_erased,
            }),
        })
    }

    /// The contact of the conversation.
    #[must_use]
    pub fn contact_id(&self) -> ContactId {
        self.contact_id
    }

    /// Something of the contact changed: it is read with the next message.
    pub fn forget_contact(&mut self) {
        self.contact = None;
    }

    /// Whether it leads to this conversation.
    #[must_use]
    pub fn leads_to(&self, conversation_id: ConversationId) -> bool {
        self.conversation_id == conversation_id
    }

    async fn follow(&self, db: &Db, message: &VisitorMessage) -> Result<Outcome> {
        let stands = (self.conversation_id, State::Open);
        let append = Append {
            reached_at_ms: Some(self.reached_at_ms),
            contact: self.contact.clone(),
            ..visitor_append(db, message, self.author, stands)
        };
        entry::append(db, &append).await
    }
}

/// Stores what a visitor says: in his open conversation, or in a closed one that his site lets come
/// back (C7), or in a new one, which also makes him a contact. One guarded transaction; without another look
/// at the store where the course still holds. Leaves behind the course of the next message.
///
/// # Errors
/// The store's. After `Unavailable` the outcome is unknown; the same key may be tried again.
pub async fn send(
    db: &Db,
    message: &VisitorMessage,
    course: &mut Option<Course>,
) -> Result<Outcome> {
    let known = course
        .take()
        .filter(|course| course.visitor == message.visitor);
    let followed = match &known {
        Some(known) => known.follow(db, message).await?,
        None => Outcome::Refused(Refusal::Stale),
    };
    let outcome = match followed {
        Outcome::Refused(_) => find_way(db, message).await?,
        Outcome::Accepted(_) | Outcome::Replayed(_) | Outcome::ClientIdReused => followed,
    };
    *course = match &outcome {
        Outcome::Accepted(stored) => Course::of(message.visitor, stored),
        Outcome::Replayed(_) | Outcome::ClientIdReused => known,
        Outcome::Refused(_) => None,
    };
    Ok(outcome)
}

/// Stores several messages of one visitor, which have no files, in one transaction: all of them or none, and
/// only where his course still holds. Where nothing comes back, each is to be sent by itself.
///
/// # Errors
/// The store's. After `Unavailable` the outcome is unknown; the same keys may be tried again.
pub async fn send_several(
    db: &Db,
    messages: &[VisitorMessage],
    course: &mut Option<Course>,
) -> Result<Option<(Vec<Receipt>, Box<Stored>)>> {
    let Some((known, last)) = course.as_ref().zip(messages.last()) else {
        return Ok(None);
    };
    if messages.iter().any(|one| one.visitor != known.visitor) {
        return Ok(None);
    }
    let several = Several {
        workspace_id: last.workspace_id,
        conversation_id: known.conversation_id,
        guard: Guard::visitor(State::Open, known.visitor),
        author: known.author,
        messages: messages
            .iter()
            .map(|one| (one.key.clone(), one.message.clone()))
            .collect(),
        at_ms: last.at_ms,
        reached_at_ms: Some(known.reached_at_ms),
        contact: known.contact.clone(),
    };
    let stored = entry::append_several(db, &several).await?;
    if let Some((_, stored)) = &stored {
        *course = Course::of(last.visitor, stored);
    }
    Ok(stored)
}

/// Where a visitor's message goes.
enum Way {
    /// To a conversation that is there; in this state.
    Append(ConversationId, State),
    /// To a new one after this one.
    Begin(Option<ConversationId>),
}

async fn find_way(db: &Db, message: &VisitorMessage) -> Result<Outcome> {
    let mut refusal = Refusal::NotFound;
    for _ in 0..TRIES_MAX {
        let visitor = visitor::find(db, message.workspace_id, message.visitor.visitor_id).await?;
        let Some(visitor) =
            visitor.filter(|visitor| !visitor.erased && visitor.site_id == message.visitor.site_id)
        else {
            return replayed(db, message.workspace_id, &message.key).await;
        };
        let outcome = match way(db, message).await? {
            Way::Append(conversation_id, state) => {
                let author = Author::Visitor {
                    visitor_id: visitor.id,
                    // Who has a conversation has a contact; the bits of nobody stand for a row that lost it.
                    contact_id: visitor
                        .contact_id
                        .or(message.visitor.contact_id)
                        .unwrap_or_else(|| protocol::id::Id::from_bits(0)),
                };
                let append = visitor_append(db, message, author, (conversation_id, state));
                entry::append(db, &append).await?
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

/// Whom it was said to is not there: a retry of a command that was accepted still gets its receipt, past
/// erasure.
async fn replayed(db: &Db, workspace_id: WorkspaceId, key: &CommandKey) -> Result<Outcome> {
    let found = command::find(db, workspace_id, key).await?;
    Ok(found.map_or(Outcome::Refused(Refusal::NotFound), entry::outcome_of))
}

/// Chooses by what stands now; the guard then checks it.
async fn way(db: &Db, message: &VisitorMessage) -> Result<Way> {
    let newest =
        conversation::newest_of_visitor(db, message.workspace_id, &message.visitor).await?;
    let Some(newest) = newest else {
        return Ok(Way::Begin(None));
    };
    let id = newest.conversation.id;
    if newest.state != State::Closed {
        return Ok(Way::Append(id, newest.state));
    }
    let site = site::find(db, message.workspace_id, message.visitor.site_id).await?;
    let may_reopen = site.is_some_and(|site| match site.after_close {
        AfterClose::StartNew => false,
        AfterClose::Reopen => newest.closed_at_ms.is_some_and(|closed_at_ms| {
            message.at_ms.saturating_sub(closed_at_ms) < site.reopen_within_ms
        }),
    });
    Ok(if may_reopen {
        Way::Append(id, State::Closed)
    } else {
        Way::Begin(Some(id))
    })
}

/// The message for a conversation in this state, which must still stand. One that rests or was closed comes
/// back with it.
fn visitor_append(
    db: &Db,
    message: &VisitorMessage,
    author: Author,
    (conversation_id, state): (ConversationId, State),
) -> Append {
    let ids = &db.world().ids;
    let mut entries = Vec::with_capacity(2);
    if state != State::Open {
        entries.push(NewEntry {
            id: ids.next(),
            author,
            content: NewContent::Reopened {
                cause: ReopenCause::Visitor,
                from: state,
            },
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
        guard: Guard::visitor(state, message.visitor),
        entries,
        at_ms: message.at_ms,
        reached_at_ms: None,
        contact: None,
    }
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
    /// Who begins for the team; an agent becomes the assignee.
    pub author: Author,
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
        return replayed(db, start.workspace_id, &start.key).await;
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
        previous_id: newest.map(|newest| newest.conversation.id),
        author: By::Team(start.author),
        message: &start.message,
        at_ms: start.at_ms,
    };
    begin.store(db, &visitor).await
}

/// Who begins.
#[derive(Clone, Copy)]
enum By {
    Visitor,
    Team(Author),
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

/// The guard: it binds the visitor to the new conversation. `$3` visitor, `$4` contact, `$5` principal, `$6`
/// client id, `$7` files, `$8` their count, `$9` time.
const BIND_VISITOR: &str = "
    UPDATE visitor SET version = version + 1, contact_id = COALESCE(contact_id, $4),
        open_conversation_id = $2
    WHERE workspace_id = $1 AND visitor_id = $3
        AND open_conversation_id IS NULL AND erased_at_ms IS NULL AND blocked_at_ms IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM command g
            WHERE g.workspace_id = $1 AND g.principal = $5 AND g.client_id = $6)
        AND (CAST($7 AS TEXT) = '' OR CAST($8 AS BIGINT) = (
            SELECT COUNT(*) FROM attachment a
            WHERE a.workspace_id = $1 AND a.uploader = $5 AND a.entry_id IS NULL
                AND a.stored_at_ms IS NOT NULL AND a.deleted_at_ms IS NULL AND $7 LIKE '%' || a.attachment_id || '%'))
    RETURNING CAST(1 AS BIGINT) AS seq, CAST(1 AS BIGINT) AS public_seq, CAST($9 AS BIGINT) AS active_at_ms,
        CAST(NULL AS TEXT) AS assignee_id";

const NEXT_NUMBER: &str = "
    INSERT INTO counter (workspace_id, name, value) VALUES ($1, 'conversation', 1)
    ON CONFLICT (workspace_id, name) DO UPDATE SET value = counter.value + 1";

/// `$3` visitor, `$4` handler, `$5` the pen's side, `$6` assignee, `$7` language, `$8` the one before, `$9` whose
/// turn it is, `$10` time, `$11` slot, `$12` whether the customer spoke, `$13` the entry, `$14` the preview, `$15`
/// files.
const INSERT_CONVERSATION: &str = "
    INSERT INTO conversation (workspace_id, conversation_id, number, version, channel, site_id, contact_id,
        visitor_id, state, handler, pen_side, fence, assignee_id, priority, language, previous_id,
        waiting_on, waiting_since_at_ms, spam, seq, public_seq, customer_seq, preview_entry_id,
        preview_from_customer, preview_text, preview_attachment_count, preview_sent_at_ms, created_at_ms,
        active_at_ms, active_slot)
    SELECT $1, $2, n.value, 1, 'chat', v.site_id, v.contact_id, v.visitor_id, 'open', $4, $5, 1,
        CAST($6 AS TEXT), 2, CAST($7 AS TEXT), CAST($8 AS TEXT), $9, CAST($10 AS BIGINT), FALSE, 1, 1,
        CASE WHEN CAST($12 AS BOOLEAN) THEN 1 ELSE 0 END, $13, CAST($12 AS BOOLEAN), $14,
        CAST($15 AS BIGINT), CAST($10 AS BIGINT), CAST($10 AS BIGINT), CAST($10 AS BIGINT),
        CAST($11 AS BIGINT)
    FROM visitor v
    JOIN counter n ON n.workspace_id = v.workspace_id AND n.name = 'conversation'
    WHERE v.workspace_id = $1 AND v.visitor_id = $3";

const INSERT_CREATED_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    VALUES ($1, $2, 'conversation.created', $3, 1, $4)";

impl Begin<'_> {
    async fn store(&self, db: &Db, visitor: &VisitorRow) -> Result<Outcome> {
        let ids = &db.world().ids;
        let conversation_id = ids.next::<ConversationId>();
        let new_contact_id = visitor.contact_id.is_none().then(|| ids.next());
        let contact_id = visitor
            .contact_id
            .or(new_contact_id)
            .unwrap_or_else(|| ids.next());
        let entry = self.entry(ids.next(), visitor.id, contact_id);
        let head = Head {
            workspace_id: self.workspace_id,
            conversation_id: Value::from(conversation_id),
            key: self.key,
            at_ms: self.at_ms,
        };
        let lines = [Line {
            entry: &entry,
            public: true,
            target_format: protocol::message::Format::Plain,
            key: Some(self.key),
        }];
        let mut holds = vec![Hold::Visitor(self.workspace_id, visitor.id)];
        holds.extend(entry::hold_files(self.workspace_id, self.message));
        let mut batch = Batch::guarded(holds, self.bind(visitor.id, conversation_id, contact_id));
        batch.is_alone = !self.message.attachment_ids.is_empty();
        if let Some(contact_id) = new_contact_id {
            let at_ms = self.at_ms;
            contact::push_lead(db, &mut batch, conversation_id, contact_id, visitor, at_ms);
        }
        batch.push(stmt!(NEXT_NUMBER, self.workspace_id));
        batch.push(head.change(INSERT_CONVERSATION, &self.conversation(visitor, &entry)));
        batch.push(stmt!(
            INSERT_CREATED_EVENT,
            ids.next::<EventId>(),
            self.workspace_id,
            conversation_id,
            self.at_ms
        ));
        head.push_commands(&mut batch, &lines);
        head.push_entries(db, &mut batch, &lines);
        let reads = entry::Reads::of_new(&mut batch, (self.workspace_id, conversation_id), &lines);
        let answers = match db.batch(batch).await {
            Ok(answers) => answers,
            // The same command was stored by somebody else at the same moment.
            Err(Error::Unique(_)) => return self.refused(db, visitor.id).await,
            Err(error) => return Err(error),
        };
        if answers[0].rows.is_empty() {
            return self.refused(db, visitor.id).await;
        }
        let stored = reads.stored(&answers, &lines, None)?;
        Ok(Outcome::Accepted(Box::new(Stored {
            created: true,
            ..stored
        })))
    }

    fn bind(
        &self,
        visitor_id: VisitorId,
        conversation_id: ConversationId,
        contact_id: ContactId,
    ) -> Stmt {
        stmt!(
            BIND_VISITOR,
            self.workspace_id,
            conversation_id,
            visitor_id,
            contact_id,
            self.key.principal.as_str(),
            self.key.client_id.as_str(),
            attachment_list(self.message),
            self.message.attachment_ids.len(),
            self.at_ms
        )
    }

    fn entry(&self, id: EntryId, visitor_id: VisitorId, contact_id: ContactId) -> NewEntry {
        NewEntry {
            id,
            author: match self.author {
                By::Visitor => Author::Visitor {
                    visitor_id,
                    contact_id,
                },
                By::Team(author) => author,
            },
            content: NewContent::Message(self.message.clone()),
        }
    }

    fn conversation(&self, visitor: &VisitorRow, entry: &NewEntry) -> [Value; 13] {
        let (handler, pen_side, assignee_id, waiting_on, from_customer) = match self.author {
            By::Visitor => ("queue", "none", Value::Null, "agent", true),
            By::Team(Author::Agent { agent_id }) => {
                ("human", "human", Value::from(agent_id), "customer", false)
            }
            By::Team(Author::Key { .. } | Author::Visitor { .. } | Author::Ai | Author::System) => {
                ("queue", "none", Value::Null, "customer", false)
            }
        };
        let language = self.message.language.clone();
        [
            Value::from(visitor.id),
            Value::from(handler),
            Value::from(pen_side),
            assignee_id,
            Value::from(language.or_else(|| visitor.browser.language.clone())),
            Value::from(self.previous_id),
            Value::from(waiting_on),
            Value::from(self.at_ms),
            Value::from(conversation::slot(self.at_ms)),
            Value::from(from_customer),
            Value::from(entry.id),
            Value::from(preview(self.message.format, &self.message.body)),
            Value::from(self.message.attachment_ids.len()),
        ]
    }

    /// A retry gets its receipt; anybody else the reason.
    async fn refused(&self, db: &Db, visitor_id: VisitorId) -> Result<Outcome> {
        let found = command::find(db, self.workspace_id, self.key).await?;
        if let Some(found) = found {
            return Ok(entry::outcome_of(found));
        }
        let visitor = visitor::find(db, self.workspace_id, visitor_id).await?;
        Ok(Outcome::Refused(match visitor {
            None => Refusal::NotFound,
            Some(visitor) if visitor.erased => Refusal::NotFound,
            Some(visitor) if visitor.blocked => Refusal::Blocked,
            Some(visitor) => match visitor.open_conversation_id {
                Some(open) => Refusal::OtherOpen(open),
                None if !self.message.attachment_ids.is_empty() => Refusal::Attachment,
                None => Refusal::Stale,
            },
        }))
    }
}
