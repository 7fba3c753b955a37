//! The guard of an append: the statement that counts entries in where everything holds, and why it did not.

use protocol::conversation::State;
use protocol::entry::Author;
use protocol::id::{ConversationId, EntryId};

use crate::command::Refusal;
use crate::conversation::{SLOT_MS, conversation_columns};
use crate::db::{Db, Stmt, Value, stmt};
use crate::entry::write::{Head, Line, attachment_list, preview};
use crate::entry::{Append, NewContent, NewEntry, NewMessage};
use crate::error::Result;

/// `$3` principal, `$4` client id, `$5` entries, `$6` public entries, `$7` time, `$8` to `$10` states, `$11`
/// fence, `$12` version, `$13` visitor, `$14` contact. Negative numbers and empty texts ask for nothing. The version that
/// the statement looked at first is still that of the row: who waited for it while another one counted does nothing, as
/// all else that it looked at is of before the wait.
macro_rules! advance {
    ($set:expr, $asked:expr) => {
        concat!(
            "
    UPDATE conversation SET version = version + 1, seq = seq + $5, public_seq = public_seq + $6,
        active_at_ms = CASE WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END",
            $set,
            "
    WHERE workspace_id = $1 AND conversation_id = $2 AND state IN ($8, $9, $10)
        AND version = (
            SELECT s.version FROM conversation s
            WHERE s.workspace_id = $1 AND s.conversation_id = $2)
        AND (CAST($11 AS BIGINT) < 0 OR fence = CAST($11 AS BIGINT))
        AND (CAST($12 AS BIGINT) < 0 OR version = CAST($12 AS BIGINT))
        AND NOT EXISTS (
            SELECT 1 FROM command g
            WHERE g.workspace_id = $1 AND g.principal = $3 AND g.client_id = $4)
        AND (CAST($13 AS TEXT) = '' OR (
            (visitor_id = $13 OR EXISTS (
                SELECT 1 FROM contact o
                JOIN contact k ON k.workspace_id = o.workspace_id AND k.root_id = o.root_id
                WHERE o.workspace_id = $1 AND o.contact_id = $14
                    AND k.contact_id = conversation.contact_id))
            AND EXISTS (
                SELECT 1 FROM visitor v
                WHERE v.workspace_id = $1 AND v.visitor_id = $13
                    AND v.blocked_at_ms IS NULL AND v.erased_at_ms IS NULL)))",
            $asked,
            "
    RETURNING ",
            conversation_columns!("conversation")
        )
    };
}

/// What few entries ask for besides: files and their count, the message to change, and whether the visitor must have no
/// other open conversation. It stands apart, for Postgres sets up all that a statement may have to ask each time.
macro_rules! asked {
    ($files:literal, $count:literal, $target:literal, $alone:literal) => {
        concat!(
            "
        AND (CAST(",
            $files,
            " AS TEXT) = '' OR CAST(",
            $count,
            " AS BIGINT) = (
            SELECT COUNT(*) FROM attachment a
            WHERE a.workspace_id = $1 AND a.uploader = $3 AND a.entry_id IS NULL
                AND a.stored_at_ms IS NOT NULL AND a.deleted_at_ms IS NULL AND ",
            $files,
            " LIKE '%' || a.attachment_id || '%'))
        AND (CAST(",
            $target,
            " AS TEXT) = '' OR EXISTS (
            SELECT 1 FROM message m
            WHERE m.workspace_id = $1 AND m.entry_id = ",
            $target,
            " AND m.conversation_id = $2
                AND m.deleted_at_ms IS NULL))
        AND (CAST(",
            $alone,
            " AS BIGINT) = 0 OR NOT EXISTS (
            SELECT 1 FROM visitor v
            WHERE v.workspace_id = $1 AND v.visitor_id = conversation.visitor_id
                AND v.open_conversation_id <> conversation.conversation_id))"
        )
    };
}

// By the primary keys; `attachment_unclaimed` where there are files.
const ADVANCE: &str = advance!("", asked!("$15", "$16", "$17", "$18"));

/// The same for entries of which the last one is a message. `$15` whether the customer spoke, `$16` whose turn
/// it is now, `$17` the entry, `$18` the preview, `$19` files, `$20` the side that takes the pen, empty for
/// none.
macro_rules! advance_said {
    ($set:literal, $asked:expr) => {
        advance!(
            concat!(
                ",
        customer_seq = CASE WHEN CAST($15 AS BOOLEAN) THEN seq + $5 ELSE customer_seq END,
        waiting_on = $16,
        waiting_since_at_ms = CASE WHEN waiting_on = $16 THEN waiting_since_at_ms
            WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END,
        preview_entry_id = $17, preview_from_customer = $15, preview_text = $18,
        preview_attachment_count = $19,
        preview_sent_at_ms = CASE WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END,
        handler = CASE WHEN $20 = 'human' THEN 'human' ELSE handler END,
        fence = CASE WHEN $20 = '' OR pen_side = $20 THEN fence ELSE fence + 1 END,
        pen_side = CASE WHEN $20 = '' THEN pen_side ELSE $20 END",
                $set
            ),
            $asked
        )
    };
}

/// For a message that asks for nothing else.
const ADVANCE_SAID: &str = advance_said!("", "");

/// The same, which moves the conversation to the slot of its time. `$21` milliseconds of a slot.
macro_rules! advance_said_to_slot {
    ($asked:expr) => {
        advance_said!(
            ",
        active_slot = (CASE WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END) / CAST($21 AS BIGINT)",
            $asked
        )
    };
}

const ADVANCE_SAID_TO_SLOT: &str = advance_said_to_slot!("");

// By the primary keys; `attachment_unclaimed` where there are files.
const ADVANCE_SAID_ASKED: &str = advance_said_to_slot!(asked!("$22", "$23", "$24", "$25"));

/// The statement that guards and counts, and for a message moves the conversation to the slot of its time.
pub(super) fn advance(head: &Head<'_>, append: &Append, lines: &[Line<'_>], to_slot: bool) -> Stmt {
    let asked = Asked::of(lines);
    let mut more = guard(append, lines);
    let sql = match lines.last().map(|line| (&line.entry.content, line.entry)) {
        Some((NewContent::Message(message), entry)) => {
            more.extend(said(message, entry));
            let is_more_asked = asked.is_any();
            if to_slot || is_more_asked {
                more.push(Value::from(SLOT_MS));
            }
            match (is_more_asked, to_slot) {
                (true, _) => {
                    more.extend(asked.values());
                    ADVANCE_SAID_ASKED
                }
                (false, true) => ADVANCE_SAID_TO_SLOT,
                (false, false) => ADVANCE_SAID,
            }
        }
        Some(_) | None => {
            more.extend(asked.values());
            ADVANCE
        }
    };
    Stmt {
        is_row: true,
        ..head.change(sql, &more)
    }
}

/// What entries ask for besides what each asks for.
struct Asked<'a> {
    files: Option<&'a NewMessage>,
    target_id: Option<EntryId>,
    /// Whether the visitor must have no other open conversation.
    alone: bool,
}

impl<'a> Asked<'a> {
    fn of(lines: &[Line<'a>]) -> Self {
        let contents = || lines.iter().map(|line| &line.entry.content);
        Self {
            files: contents().find_map(files_of),
            target_id: contents().find_map(target_of),
            alone: contents().any(|content| matches!(content, NewContent::Reopened { .. })),
        }
    }

    fn is_any(&self) -> bool {
        self.files.is_some() || self.target_id.is_some() || self.alone
    }

    fn values(&self) -> [Value; 4] {
        let target_id = self.target_id.map(|id| id.to_string());
        [
            Value::from(self.files.map(attachment_list).unwrap_or_default()),
            Value::from(self.files.map_or(0, |message| message.attachment_ids.len())),
            Value::from(target_id.unwrap_or_default()),
            Value::from(u8::from(self.alone)),
        ]
    }
}

fn guard(append: &Append, lines: &[Line<'_>]) -> Vec<Value> {
    let guard = &append.guard;
    let number = |number: Option<u64>| number.map_or(Value::from(-1_i64), Value::from);
    let state = |index: usize| {
        let state = guard.states.get(index).or(guard.states.first());
        Value::from(state.map_or("", |state| state.as_str()))
    };
    let owner = guard.owner;
    let visitor_id = owner.map(|owner| owner.visitor_id.to_string());
    let contact_id = owner.and_then(|owner| owner.contact_id);
    // With what may follow.
    let mut values = Vec::with_capacity(23);
    values.extend([
        Value::from(append.key.principal.as_str()),
        Value::from(append.key.client_id.as_str()),
        Value::from(lines.len()),
        Value::from(lines.iter().filter(|line| line.public).count()),
        Value::from(append.at_ms),
        state(0),
        state(1),
        state(2),
        number(guard.fence),
        number(guard.version),
        Value::from(visitor_id.unwrap_or_default()),
        Value::from(contact_id.map(|id| id.to_string()).unwrap_or_default()),
    ]);
    values
}

/// What a message changes of its conversation.
fn said(message: &NewMessage, entry: &NewEntry) -> [Value; 6] {
    let (from_customer, waiting_on, side) = match entry.author {
        Author::Visitor { .. } => (true, "agent", ""),
        Author::Agent { .. } => (false, "customer", "human"),
        Author::Ai => (false, "customer", "ai"),
        // A program takes the pen from nobody.
        Author::Key { .. } | Author::System => (false, "customer", ""),
    };
    [
        Value::from(from_customer),
        Value::from(waiting_on),
        Value::from(entry.id),
        Value::from(preview(message.format, &message.body)),
        Value::from(message.attachment_ids.len()),
        Value::from(side),
    ]
}

/// The message that an entry changes.
pub(super) fn target_of(content: &NewContent) -> Option<EntryId> {
    if let NewContent::Edited { target_id, .. } | NewContent::Deleted { target_id } = content {
        Some(*target_id)
    } else {
        None
    }
}

/// The message that brings files.
pub(super) fn files_of(content: &NewContent) -> Option<&NewMessage> {
    if let NewContent::Message(message) | NewContent::Note(message) = content
        && !message.attachment_ids.is_empty()
    {
        Some(message)
    } else {
        None
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
pub(super) async fn why(db: &Db, append: &Append) -> Result<Refusal> {
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
