//! Appending: one guarded batch. A batch cannot branch, so it guards itself: it locks the conversation
//! by writing to it, stores the command's row only where everything holds, and every statement after
//! that only where this row is the attempt's. A refusal is then no error, and burns no number.

use protocol::conversation::State;
use protocol::entry::{Content, Entry};
use protocol::id::{ConversationId, WorkspaceId};
use protocol::message::{Format, Message};

use crate::command::{self, CommandKey, Found, Receipt, Refusal};
use crate::conversation;
use crate::db::{Answer, Batch, Db, Row, Value, stmt};
use crate::entry::write::{Head, Line, attachment_list};
use crate::entry::{Append, NewContent, NewEntry, Outcome, Stored, read};
use crate::error::{Error, Result};

/// Entries of one append, at most.
const ENTRIES_MAX: usize = 4;

const LOCK_CONVERSATION: &str = "
    UPDATE conversation SET version = version + 1
    WHERE workspace_id = $1 AND conversation_id = $2";

/// `$6` digest, `$7` entries, `$8` public entries, `$9` whether the last one is public, `$10` time, `$11`
/// states, `$12` fence, `$13` version, `$14` visitor, `$15` contact, `$16` files, `$17` their count, `$18`
/// message to change, `$19` whether the visitor must have no other open conversation. Negative numbers
/// and empty texts ask for nothing.
const GUARD: &str = "
    INSERT INTO command (workspace_id, principal, client_id, digest, attempt_id, conversation_id,
        entry_id, seq, public_seq, sent_at_ms)
    SELECT $1, $3, $4, $6, $5, $2, $5, c.seq + CAST($7 AS BIGINT),
        CASE WHEN CAST($9 AS BIGINT) = 1 THEN c.public_seq + CAST($8 AS BIGINT) END,
        CASE WHEN CAST($10 AS BIGINT) > c.active_at_ms THEN CAST($10 AS BIGINT) ELSE c.active_at_ms END
    FROM conversation c
    WHERE c.workspace_id = $1 AND c.conversation_id = $2
        AND CAST($11 AS TEXT) LIKE '%' || c.state || '%'
        AND (CAST($12 AS BIGINT) < 0 OR c.fence = CAST($12 AS BIGINT))
        AND (CAST($13 AS BIGINT) < 0 OR c.version = CAST($13 AS BIGINT) + 1)
        AND (CAST($14 AS TEXT) = '' OR (
            (c.visitor_id = $14 OR EXISTS (
                SELECT 1 FROM contact o
                JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
                WHERE o.workspace_id = $1 AND o.contact_id = $15 AND k.contact_id = c.contact_id))
            AND EXISTS (
                SELECT 1 FROM visitor v
                WHERE v.workspace_id = $1 AND v.visitor_id = $14
                    AND v.blocked_at_ms IS NULL AND v.erased_at_ms IS NULL)))
        AND (CAST($16 AS TEXT) = '' OR CAST($17 AS BIGINT) = (
            SELECT COUNT(*) FROM attachment a
            WHERE a.workspace_id = $1 AND a.uploader = $3 AND a.entry_id IS NULL
                AND a.deleted_at_ms IS NULL AND $16 LIKE '%' || a.attachment_id || '%'))
        AND (CAST($18 AS TEXT) = '' OR EXISTS (
            SELECT 1 FROM message m
            WHERE m.workspace_id = $1 AND m.entry_id = $18 AND m.conversation_id = $2
                AND m.deleted_at_ms IS NULL))
        AND (CAST($19 AS BIGINT) = 0 OR NOT EXISTS (
            SELECT 1 FROM visitor v
            WHERE v.workspace_id = $1 AND v.visitor_id = c.visitor_id
                AND v.open_conversation_id <> c.conversation_id))
    ON CONFLICT (workspace_id, principal, client_id) DO NOTHING";

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
    let mut lines = Vec::with_capacity(append.entries.len());
    for entry in &append.entries {
        match line(db, append, entry, main).await? {
            Some(line) => lines.push(line),
            None => return replayed(db, append.workspace_id, &append.key).await,
        }
    }
    let (workspace_id, conversation_id) = (append.workspace_id, append.conversation_id);
    let head = Head {
        workspace_id: Value::from(workspace_id),
        conversation_id: Value::from(conversation_id),
        key: &append.key,
        attempt_id: main.id,
        at_ms: append.at_ms,
    };
    let mut batch = Batch::locking(vec![conversation_id.to_string()]);
    batch.push(stmt!(LOCK_CONVERSATION, workspace_id, conversation_id));
    batch.push(head.stmt(GUARD, guard(append, &lines)));
    for line in &lines {
        head.push_entry(db, &mut batch, line);
    }
    head.push_event(db, &mut batch);
    let reads = push_reads(&mut batch, workspace_id, conversation_id, append, &lines);
    let answers = db.batch(batch).await?;
    match reads.found(&answers, append)? {
        Some(Found::Mine(receipt)) => Ok(Outcome::Accepted(Box::new(reads.stored(
            &answers,
            receipt,
            &append.key,
            &lines,
        )?))),
        Some(Found::Before(receipt)) => Ok(Outcome::Replayed(receipt)),
        Some(Found::Other) => Ok(Outcome::ClientIdReused),
        None => Ok(Outcome::Refused(why(db, append).await?)),
    }
}

async fn line<'a>(
    db: &Db,
    append: &Append,
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
        is_main: entry.id == main.id,
    }))
}

fn target_of(content: &NewContent) -> Option<protocol::id::EntryId> {
    if let NewContent::Edited { target_id, .. } | NewContent::Deleted { target_id } = content {
        Some(*target_id)
    } else {
        None
    }
}

/// The message that brings files.
fn files_of(content: &NewContent) -> Option<&crate::entry::NewMessage> {
    if let NewContent::Message(message) | NewContent::Note(message) = content
        && !message.attachment_ids.is_empty()
    {
        Some(message)
    } else {
        None
    }
}

/// What it was said to is not there: a retry of a command that was accepted still gets its receipt, past
/// erasure.
pub(crate) async fn replayed(
    db: &Db,
    workspace_id: WorkspaceId,
    key: &CommandKey,
) -> Result<Outcome> {
    let found = command::find(db, workspace_id, key).await?;
    Ok(match found {
        Some(Found::Mine(receipt) | Found::Before(receipt)) => Outcome::Replayed(receipt),
        Some(Found::Other) => Outcome::ClientIdReused,
        None => Outcome::Refused(Refusal::NotFound),
    })
}

fn guard(append: &Append, lines: &[Line<'_>]) -> Vec<Value> {
    let guard = &append.guard;
    let number = |number: Option<u64>| number.map_or(Value::from(-1_i64), Value::from);
    let states: Vec<&str> = guard.states.iter().map(|state| state.as_str()).collect();
    let (visitor_id, contact_id) = match &guard.owner {
        Some(owner) => (
            owner.visitor_id.to_string(),
            owner.contact_id.map(|id| id.to_string()),
        ),
        None => (String::new(), None),
    };
    let files = lines.iter().find_map(|line| files_of(&line.entry.content));
    let target = lines.iter().find_map(|line| target_of(&line.entry.content));
    let reopens = lines
        .iter()
        .any(|line| matches!(line.entry.content, NewContent::Reopened { .. }));
    let is_main_public = lines.last().is_some_and(|line| line.public);
    vec![
        Value::from(append.key.digest),
        Value::from(lines.len()),
        Value::from(lines.iter().filter(|line| line.public).count()),
        Value::from(u8::from(is_main_public)),
        Value::from(append.at_ms),
        Value::from(states.join(" ")),
        number(guard.fence),
        number(guard.version),
        Value::from(visitor_id),
        Value::from(contact_id.unwrap_or_default()),
        Value::from(files.map(attachment_list).unwrap_or_default()),
        Value::from(files.map_or(0, |message| message.attachment_ids.len())),
        Value::from(target.map(|id| id.to_string()).unwrap_or_default()),
        Value::from(u8::from(reopens)),
    ]
}

/// Where the answers of a batch's last reads are.
pub(crate) struct Reads {
    command: usize,
    conversation: usize,
    entries: Option<usize>,
}

/// Adds the reads that tell what became of an append.
pub(crate) fn push_reads(
    batch: &mut Batch,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    append: &Append,
    lines: &[Line<'_>],
) -> Reads {
    let command = batch.push(command::find_stmt(workspace_id, &append.key));
    let conversation = batch.push(conversation::find_stmt(workspace_id, conversation_id));
    let entries = (!lines.iter().all(is_known)).then(|| {
        let [entries, attachments] =
            read::stored(workspace_id, conversation_id, &append.key, lines.len());
        let first = batch.push(entries);
        batch.push(attachments);
        first
    });
    Reads {
        command,
        conversation,
        entries,
    }
}

/// Whether an entry is known without reading it back.
fn is_known(line: &Line<'_>) -> bool {
    match &line.entry.content {
        NewContent::Message(message) | NewContent::Note(message) => {
            message.attachment_ids.is_empty()
        }
        NewContent::Edited { .. } | NewContent::Assigned { .. } => false,
        NewContent::Deleted { .. }
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

impl Reads {
    /// What the command's row says.
    pub(crate) fn found(&self, answers: &[Answer], append: &Append) -> Result<Option<Found>> {
        let attempt_id = append.entries.last().map(|entry| entry.id);
        answers[self.command]
            .rows
            .first()
            .map(|row| command::decode(row, &append.key, attempt_id))
            .transpose()
    }

    /// What was stored.
    pub(crate) fn stored(
        &self,
        answers: &[Answer],
        receipt: Receipt,
        key: &CommandKey,
        lines: &[Line<'_>],
    ) -> Result<Stored> {
        let row: &Row = answers[self.conversation]
            .rows
            .first()
            .ok_or_else(|| Error::Corrupt("what was just stored is not there".to_owned()))?;
        let conversation = conversation::decode(row)?;
        let visitor_conversation = conversation::decode_for_visitor(row)?;
        let entries = match self.entries {
            Some(first) => {
                read::decode_all(&[answers[first].rows.clone(), answers[first + 1].rows.clone()])?
            }
            None => known(lines, key, visitor_conversation.number, &receipt)?,
        };
        Ok(Stored {
            receipt,
            entries,
            conversation,
            visitor_conversation,
            created: false,
        })
    }
}

/// The entries as they were stored, from what was to be stored and the last numbers.
fn known(
    lines: &[Line<'_>],
    key: &CommandKey,
    mut public_seq: u64,
    receipt: &Receipt,
) -> Result<Vec<Entry>> {
    let (Some(conversation_id), Some(mut seq)) = (receipt.conversation_id, receipt.seq) else {
        return Err(Error::Corrupt("a receipt has no number".to_owned()));
    };
    let mut entries = Vec::with_capacity(lines.len());
    for line in lines.iter().rev() {
        entries.push(Entry {
            id: line.entry.id,
            conversation_id,
            seq,
            public_seq: line.public.then_some(public_seq),
            sent_at_ms: receipt.sent_at_ms,
            author: line.entry.author,
            client_id: line.is_main.then(|| key.client_id.clone()),
            content: shown(&line.entry.content),
        });
        seq = seq.saturating_sub(1);
        public_seq = public_seq.saturating_sub(u64::from(line.public));
    }
    entries.reverse();
    Ok(entries)
}

fn shown(content: &NewContent) -> Content {
    let words = |message: &crate::entry::NewMessage| Message {
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
            previous_id: None,
        },
        NewContent::Moved { department_id } => Content::Moved {
            department_id: *department_id,
        },
        NewContent::Snoozed { until_ms } => Content::Snoozed {
            until_ms: *until_ms,
        },
        NewContent::Reopened { cause } => Content::Reopened { cause: *cause },
        NewContent::Closed => Content::Closed,
        NewContent::Prioritized { priority } => Content::Prioritized {
            priority: *priority,
        },
        NewContent::SpamMarked { spam } => Content::SpamMarked { spam: *spam },
        NewContent::VisitorBlocked { blocked } => Content::VisitorBlocked { blocked: *blocked },
    }
}

// By primary keys.
const FIND_REASON: &str = "
    SELECT c.state, c.fence, c.version, c.visitor_id, v.open_conversation_id,
        (SELECT COUNT(*) FROM visitor o WHERE o.workspace_id = $1 AND o.visitor_id = $3
            AND (o.blocked_at_ms IS NOT NULL OR o.erased_at_ms IS NOT NULL)) AS blocked_count,
        (SELECT COUNT(*) FROM contact o
            JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
            WHERE o.workspace_id = $1 AND o.contact_id = $4 AND k.contact_id = c.contact_id)
            AS contact_count
    FROM conversation c
    LEFT JOIN visitor v ON v.workspace_id = c.workspace_id AND v.visitor_id = c.visitor_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2";

/// Why the guard did not hold: looked at after the refusal, for people.
async fn why(db: &Db, append: &Append) -> Result<Refusal> {
    let owner = append.guard.owner;
    let visitor_id = owner.map(|owner| owner.visitor_id.to_string());
    let contact_id = owner
        .and_then(|owner| owner.contact_id)
        .map(|id| id.to_string());
    let row = db
        .row(stmt!(
            FIND_REASON,
            append.workspace_id,
            append.conversation_id,
            visitor_id.clone().unwrap_or_default(),
            contact_id.unwrap_or_default()
        ))
        .await?;
    let Some(row) = row else {
        return Ok(Refusal::NotFound);
    };
    if let Some(visitor_id) = visitor_id {
        let is_his = row.maybe_text("visitor_id")?.as_ref() == Some(&visitor_id);
        if !is_his && row.number("contact_count")? == 0 {
            return Ok(Refusal::NotFound);
        }
        if row.number("blocked_count")? > 0 {
            return Ok(Refusal::Blocked);
        }
    }
    let state = row.word("state", State::of)?;
    if !append.guard.states.contains(&state) {
        return Ok(Refusal::State(state));
    }
    if let Some(fence) = append.guard.fence
        && fence != row.number("fence")?
    {
        return Ok(Refusal::Fence);
    }
    let reopens = append
        .entries
        .iter()
        .any(|entry| matches!(entry.content, NewContent::Reopened { .. }));
    if let Some(open) = row.maybe_id::<ConversationId>("open_conversation_id")?
        && reopens
        && open != append.conversation_id
    {
        return Ok(Refusal::OtherOpen(open));
    }
    if append
        .entries
        .iter()
        .any(|entry| target_of(&entry.content).is_some())
    {
        return Ok(Refusal::NotFound);
    }
    if append
        .entries
        .iter()
        .any(|entry| files_of(&entry.content).is_some())
    {
        return Ok(Refusal::Attachment);
    }
    Ok(Refusal::Stale)
}
