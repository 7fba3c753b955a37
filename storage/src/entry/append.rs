//! Appending: one guarded batch. Its first statement counts the entries in, but only where everything
//! holds; the rest is stored where it gave a row, with the numbers that it gave. A refusal is then no error,
//! changes nothing and burns no number.
//!
//! The conversation's row is held before that statement runs ([`Hold`]), so what its conditions read is
//! what the writers before it left.

use protocol::conversation::Conversation;
use protocol::entry::{Content, Entry};
use protocol::id::{AgentId, AttachmentId, ConversationId, WorkspaceId};
use protocol::message::{Format, Message};

use crate::command::{self, Found, Receipt, Refusal};
use crate::contact::{self, Shown};
use crate::conversation;
use crate::db::{Answer, Batch, Db, Hold, Value};
use crate::entry::guard::{advance, files_of, target_of, why};
use crate::entry::write::{Head, Line};
use crate::entry::{Append, NewContent, NewEntry, NewMessage, Outcome, Stored, read};
use crate::error::{Error, Result};

/// Entries of one append, at most.
const ENTRIES_MAX: usize = 4;

/// Appends entries: one guarded transaction.
///
/// # Errors
/// The store's. After `Unavailable` the outcome is unknown; the same key may be tried again.
pub async fn append(db: &Db, append: &Append) -> Result<Outcome> {
    let Some(main) = append.entries.last() else {
        return Err(Error::Fault("an append needs an entry".to_owned()));
    };
    if append.entries.len() > ENTRIES_MAX {
        return Err(Error::Fault("an append has too many entries".to_owned()));
    }
    let is_message = |entry: &NewEntry| matches!(entry.content, NewContent::Message(_));
    if append.entries.iter().rev().skip(1).any(is_message) {
        return Err(Error::Fault("a message comes last in an append".to_owned()));
    }
    let mut lines = Vec::with_capacity(append.entries.len());
    for entry in &append.entries {
        match line(db, append, entry, main).await? {
            Some(line) => lines.push(line),
            None => return replayed(db, append, Refusal::NotFound).await,
        }
    }
    let (batch, reads) = batch_of(db, append, &lines);
    let answers = match db.batch(batch).await {
        Ok(answers) => answers,
        // The same command was stored by somebody else at the same moment.
        Err(Error::Unique(_)) => return replayed(db, append, Refusal::Stale).await,
        Err(error) => return Err(error),
    };
    if answers[0].rows.is_empty() {
        let found = command::find(db, append.workspace_id, &append.key).await?;
        return match found {
            Some(found) => Ok(outcome_of(found)),
            None => Ok(Outcome::Refused(why(db, append).await?)),
        };
    }
    let contact = append.contact.as_ref();
    let stored = reads.stored(&answers, &lines, contact)?;
    Ok(Outcome::Accepted(Box::new(stored)))
}

/// The guarded batch of an append, and where its reads are.
pub(super) fn batch_of(db: &Db, append: &Append, lines: &[Line<'_>]) -> (Batch, Reads) {
    let head = Head {
        workspace_id: append.workspace_id,
        conversation_id: Value::from(append.conversation_id),
        key: &append.key,
        at_ms: append.at_ms,
    };
    let stays = |reached| conversation::slot(reached) >= conversation::slot(append.at_ms);
    let leaves = !append.reached_at_ms.is_some_and(stays);
    // Where it costs nothing all guards have one text, and go as one.
    let to_slot = leaves || db.keeps_equal_values();
    let mut batch = Batch::guarded(holds(append), advance(&head, append, lines, to_slot));
    batch.is_wary = true;
    batch.is_alone = lines.iter().any(|line| looks_beyond(line.entry));
    head.push_commands(&mut batch, lines);
    head.push_entries(db, &mut batch, lines);
    let says = |line: &Line<'_>| matches!(line.entry.content, NewContent::Message(_));
    if leaves && !lines.iter().any(says) {
        head.push_slot(&mut batch);
    }
    let reads = Reads::push(&mut batch, append, lines);
    (batch, reads)
}

/// What is held for an append: all that it changes and others may change too. Whatever binds, frees or blocks
/// a visitor holds the visitor, and who blocks the whole person.
fn holds(append: &Append) -> Vec<Hold> {
    let (workspace_id, conversation_id) = (append.workspace_id, append.conversation_id);
    let mut holds = Vec::with_capacity(2);
    holds.push(Hold::Conversation(workspace_id, conversation_id));
    for entry in &append.entries {
        if let Some(target_id) = target_of(&entry.content) {
            holds.push(Hold::Message(workspace_id, target_id));
        }
        if let Some(message) = files_of(&entry.content) {
            holds.extend(hold_files(workspace_id, message));
        }
        if binds(&entry.content) {
            holds.push(Hold::VisitorOf(workspace_id, conversation_id));
        }
        if matches!(entry.content, NewContent::VisitorBlocked { .. }) {
            holds.push(Hold::PersonOf(workspace_id, conversation_id));
        }
    }
    holds
}

/// A file belongs to one message: whoever claims it holds it.
pub(crate) fn hold_files(workspace_id: WorkspaceId, message: &NewMessage) -> Vec<Hold> {
    let hold = |id: &AttachmentId| Hold::Attachment(workspace_id, *id);
    message.attachment_ids.iter().map(hold).collect()
}

/// Whether an entry binds, frees or blocks the visitor.
fn binds(content: &NewContent) -> bool {
    matches!(
        content,
        NewContent::Reopened { .. } | NewContent::Closed | NewContent::VisitorBlocked { .. }
    )
}

/// Whether the guard of an entry looks at more than the conversation: at its visitor, or at files, which are
/// claimed from any conversation.
fn looks_beyond(entry: &NewEntry) -> bool {
    binds(&entry.content) || files_of(&entry.content).is_some()
}

async fn line<'a>(
    db: &Db,
    append: &'a Append,
    entry: &'a NewEntry,
    main: &NewEntry,
) -> Result<Option<Line<'a>>> {
    let (public, target_format) = match target_of(&entry.content) {
        None => (entry.content.is_public(), Format::Plain),
        Some(target_id) => {
            // Outside the transaction: what is read here of an entry never changes.
            let target = read::find(db, append.workspace_id, append.conversation_id, target_id);
            let Some(target) = target.await? else {
                return Ok(None);
            };
            let (Content::Message { message } | Content::Note { message }) = target.content else {
                return Ok(None);
            };
            (target.public_seq.is_some(), message.format)
        }
    };
    Ok(Some(Line {
        entry,
        public,
        target_format,
        key: (entry.id == main.id).then_some(&append.key),
    }))
}

/// Nothing was stored; a retry of a command that was accepted still gets its receipt, past erasure.
async fn replayed(db: &Db, append: &Append, refusal: Refusal) -> Result<Outcome> {
    let found = command::find(db, append.workspace_id, &append.key).await?;
    Ok(found.map_or(Outcome::Refused(refusal), outcome_of))
}

/// What a command that was stored before means for a retry.
pub(crate) fn outcome_of(found: Found) -> Outcome {
    match found {
        Found::Mine(receipt) | Found::Before(receipt) => Outcome::Replayed(receipt),
        Found::Other => Outcome::ClientIdReused,
    }
}

/// Where the answers of a batch's last reads are. What the first statement returned is read again only
/// where a later one changed it.
pub(crate) struct Reads {
    conversation: Option<usize>,
    contact: Option<usize>,
    for_visitor: Option<usize>,
    entries: Option<usize>,
}

impl Reads {
    fn push(batch: &mut Batch, append: &Append, lines: &[Line<'_>]) -> Self {
        let (workspace_id, id) = (append.workspace_id, append.conversation_id);
        let conversation = (!lines.iter().all(is_counted_only))
            .then(|| batch.push(conversation::find_stmt(workspace_id, id)));
        let contact = (conversation.is_none() && append.contact.is_none())
            .then(|| batch.push(contact::shown_stmt(workspace_id, id)));
        let for_visitor = lines
            .iter()
            .any(begins_or_ends)
            .then(|| batch.push(conversation::find_for_visitor_stmt(workspace_id, id)));
        Self {
            conversation,
            contact,
            for_visitor,
            entries: Self::push_entries(batch, (workspace_id, id), lines),
        }
    }

    /// The reads of a conversation that begins.
    pub(crate) fn of_new(
        batch: &mut Batch,
        (workspace_id, id): (WorkspaceId, ConversationId),
        lines: &[Line<'_>],
    ) -> Self {
        Self {
            conversation: Some(batch.push(conversation::find_stmt(workspace_id, id))),
            contact: None,
            for_visitor: Some(batch.push(conversation::find_for_visitor_stmt(workspace_id, id))),
            entries: Self::push_entries(batch, (workspace_id, id), lines),
        }
    }

    fn push_entries(
        batch: &mut Batch,
        (workspace_id, id): (WorkspaceId, ConversationId),
        lines: &[Line<'_>],
    ) -> Option<usize> {
        if lines.iter().all(is_known) {
            return None;
        }
        let [entries, attachments] = read::stored(workspace_id, id, lines.len());
        let first = batch.push(entries);
        batch.push(attachments);
        Some(first)
    }

    /// What was stored.
    pub(crate) fn stored(
        &self,
        answers: &[Answer],
        lines: &[Line<'_>],
        contact: Option<&Shown>,
    ) -> Result<Stored> {
        let missing = || Error::Corrupt("what was just stored is not there".to_owned());
        let first = |index: usize| answers[index].rows.first().ok_or_else(missing);
        let row = first(self.conversation.unwrap_or(0))?;
        let conversation = match (self.conversation, self.contact, contact) {
            (Some(_), _, _) => conversation::decode(row)?,
            (None, Some(index), _) => conversation::decode_with(row, Shown::of(first(index)?)?)?,
            (None, None, Some(contact)) => conversation::decode_with(row, contact.clone())?,
            (None, None, None) => return Err(missing()),
        };
        let public_seq = row.number("public_seq")?;
        let visitor_conversation = self
            .for_visitor
            .map(|index| conversation::decode_for_visitor(first(index)?))
            .transpose()?;
        let entries = match self.entries {
            Some(first) => {
                read::decode_all(&[answers[first].rows.clone(), answers[first + 1].rows.clone()])?
            }
            None => {
                let previous_id = first(0)?.maybe_id("assignee_id")?;
                known(lines, &conversation, public_seq, previous_id)
            }
        };
        let main = entries.last().ok_or_else(missing)?;
        Ok(Stored {
            receipt: Receipt {
                conversation_id: Some(conversation.id),
                entry_id: Some(main.id),
                seq: Some(main.seq),
                public_seq: main.public_seq,
                sent_at_ms: main.sent_at_ms,
            },
            entries,
            conversation,
            visitor_conversation,
            created: false,
        })
    }
}

/// Whether an entry changes nothing of its conversation but what was counted in with the guard.
fn is_counted_only(line: &Line<'_>) -> bool {
    match &line.entry.content {
        // A message changes more, and does so with the guard; it is the last one.
        NewContent::Message(_)
        | NewContent::Note(_)
        | NewContent::Joined { .. }
        | NewContent::Left { .. }
        | NewContent::VisitorBlocked { .. } => true,
        NewContent::Edited { .. }
        | NewContent::Deleted { .. }
        | NewContent::Assigned { .. }
        | NewContent::Moved { .. }
        | NewContent::Snoozed { .. }
        | NewContent::Reopened { .. }
        | NewContent::Closed
        | NewContent::Prioritized { .. }
        | NewContent::SpamMarked { .. } => false,
    }
}

/// Whether an entry changes what the visitor sees of the conversation itself.
fn begins_or_ends(line: &Line<'_>) -> bool {
    line.public
        && matches!(
            line.entry.content,
            NewContent::Reopened { .. } | NewContent::Closed
        )
}

/// Whether an entry is known without reading it back.
fn is_known(line: &Line<'_>) -> bool {
    match &line.entry.content {
        NewContent::Message(message) | NewContent::Note(message) => {
            message.attachment_ids.is_empty()
        }
        NewContent::Edited { .. } => false,
        NewContent::Deleted { .. }
        | NewContent::Assigned { .. }
        | NewContent::Joined { .. }
        | NewContent::Left { .. }
        | NewContent::Moved { .. }
        | NewContent::Snoozed { .. }
        | NewContent::Reopened { .. }
        | NewContent::Closed
        | NewContent::Prioritized { .. }
        | NewContent::SpamMarked { .. }
        | NewContent::VisitorBlocked { .. } => true,
    }
}

/// The entries as they were stored, from what was to be stored, the last numbers, and whose the conversation
/// was.
fn known(
    lines: &[Line<'_>],
    conversation: &Conversation,
    mut public_seq: u64,
    previous_id: Option<AgentId>,
) -> Vec<Entry> {
    let mut seq = conversation.seq;
    let mut entries = Vec::with_capacity(lines.len());
    for line in lines.iter().rev() {
        entries.push(Entry {
            id: line.entry.id,
            conversation_id: conversation.id,
            seq,
            public_seq: line.public.then_some(public_seq),
            sent_at_ms: conversation.active_at_ms,
            author: line.entry.author,
            client_id: line.key.map(|key| key.client_id.clone()),
            content: shown(&line.entry.content, previous_id),
        });
        seq = seq.saturating_sub(1);
        public_seq = public_seq.saturating_sub(u64::from(line.public));
    }
    entries.reverse();
    entries
}

fn shown(content: &NewContent, previous_id: Option<AgentId>) -> Content {
    let words = |message: &NewMessage| Message {
        format: message.format,
        body: message.body.clone(),
        language: message.language.clone(),
        reply_to_id: message.reply_to_id,
        attachments: Vec::new(),
        edited_at_ms: None,
        deleted_at_ms: None,
    };
    match content {
        NewContent::Message(message) => Content::Message {
            message: words(message),
        },
        NewContent::Note(message) => Content::Note {
            message: words(message),
        },
        NewContent::Edited { target_id, .. } | NewContent::Deleted { target_id } => {
            Content::Deleted {
                target_id: *target_id,
            }
        }
        NewContent::Joined { agent_id } => Content::Joined {
            agent_id: *agent_id,
        },
        NewContent::Left { agent_id } => Content::Left {
            agent_id: *agent_id,
        },
        NewContent::Assigned { agent_id } => Content::Assigned {
            agent_id: *agent_id,
            previous_id,
        },
        NewContent::Moved { department_id } => Content::Moved {
            department_id: *department_id,
        },
        NewContent::Snoozed { until_ms } => Content::Snoozed {
            until_ms: *until_ms,
        },
        NewContent::Reopened { cause, .. } => Content::Reopened { cause: *cause },
        NewContent::Closed => Content::Closed,
        NewContent::Prioritized { priority } => Content::Prioritized {
            priority: *priority,
        },
        NewContent::SpamMarked { spam } => Content::SpamMarked { spam: *spam },
        NewContent::VisitorBlocked { blocked } => Content::VisitorBlocked { blocked: *blocked },
    }
}
