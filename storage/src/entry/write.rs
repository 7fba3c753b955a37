//! The statements that store entries, shared by appending to a conversation and beginning one.
//!
//! They come after the one that locks, guards and counts: it marks the conversation with the attempt, and
//! everything here is stored only where the conversation carries this mark. Every statement begins with the
//! same three parameters: `$1` workspace, `$2` conversation, `$3` attempt.

use protocol::entry::Author;
use protocol::id::{EntryId, TimerId};
use protocol::limit;
use protocol::message::{Format, plain_text};
use protocol::text::cut;

use crate::command::CommandKey;
use crate::conversation::SLOT_MS;
use crate::db::{Batch, Db, Stmt, Value};
use crate::entry::{NewContent, NewEntry, NewMessage};

/// Bytes of a preview.
const PREVIEW_BYTES_MAX: usize = 160;

/// The condition that the conversation is marked with this attempt.
macro_rules! marked {
    () => {
        "EXISTS (SELECT 1 FROM conversation g WHERE g.workspace_id = $1 AND g.conversation_id = $2
            AND g.attempt_id = $3)"
    };
}

/// The marked conversation, as the source of one row.
macro_rules! from_marked {
    () => {
        "
    FROM conversation c
    WHERE c.workspace_id = $1 AND c.conversation_id = $2 AND c.attempt_id = $3"
    };
}

/// What came of the command. `$4` principal, `$5` client id, `$6` digest, `$7` entry, `$8` whether the
/// visitor may see it. A command that another node stored a moment ago fails the batch: it runs again and
/// finds it.
const INSERT_COMMAND: &str = concat!(
    "
    INSERT INTO command (workspace_id, principal, client_id, digest, attempt_id, conversation_id,
        entry_id, seq, public_seq, sent_at_ms)
    SELECT $1, $4, $5, $6, $3, $2, $7, c.seq, CASE WHEN CAST($8 AS BOOLEAN) THEN c.public_seq END,
        c.active_at_ms",
    from_marked!()
);

/// The log's next line. `$4` entries that come after it, `$5` how many of them the visitor may see, or -1
/// where he may not see this one.
const INSERT_ENTRY: &str = concat!(
    "
    INSERT INTO entry (workspace_id, conversation_id, seq, public_seq, entry_id, kind, author_kind,
        author_id, author_contact_id, client_id, target_id, previous_id, params_json, sent_at_ms)
    SELECT $1, $2, c.seq - CAST($4 AS BIGINT),
        CASE WHEN CAST($5 AS BIGINT) >= 0 THEN c.public_seq - CAST($5 AS BIGINT) END, $6, $7, $8,
        CAST($9 AS TEXT), CAST($10 AS TEXT), CAST($11 AS TEXT), CAST($12 AS TEXT),
        CASE WHEN $7 = 'assigned' THEN c.assignee_id END, $13, c.active_at_ms",
    from_marked!()
);

macro_rules! change {
    ($change:literal) => {
        concat!(
            "
    UPDATE conversation SET ",
            $change,
            "
    WHERE workspace_id = $1 AND conversation_id = $2 AND attempt_id = $3"
        )
    };
}

const CHANGE_STATE: &str = change!(
    "state = $4, snoozed_until_ms = $5,
        closed_at_ms = CASE WHEN $4 = 'closed' THEN active_at_ms END"
);

const CHANGE_ASSIGNEE: &str = change!(
    "assignee_id = CAST($4 AS TEXT),
        handler = CASE WHEN CAST($4 AS TEXT) IS NULL THEN 'queue' ELSE 'human' END,
        fence = CASE WHEN CAST($4 AS TEXT) IS NULL OR pen_side = 'human' THEN fence ELSE fence + 1 END,
        pen_side = CASE WHEN CAST($4 AS TEXT) IS NULL THEN pen_side ELSE 'human' END"
);

const CHANGE_DEPARTMENT: &str = change!("department_id = $4");

const CHANGE_PRIORITY: &str = change!("priority = $4");

const CHANGE_SPAM: &str = change!("spam = $4");

const REPLACE_PREVIEW: &str = concat!(change!("preview_text = $5"), " AND preview_entry_id = $4");

const EMPTY_PREVIEW: &str = concat!(
    change!("preview_text = '', preview_attachment_count = 0"),
    " AND preview_entry_id = $4"
);

/// `$4` milliseconds of a slot.
const CHANGE_SLOT: &str = concat!(
    change!("active_slot = active_at_ms / CAST($4 AS BIGINT)"),
    " AND active_slot <> active_at_ms / CAST($4 AS BIGINT)"
);

const INSERT_MESSAGE: &str = concat!(
    "
    INSERT INTO message (workspace_id, entry_id, conversation_id, format, body, language, reply_to_id)
    SELECT $1, $4, $2, $5, $6, CAST($7 AS TEXT), CAST($8 AS TEXT)",
    from_marked!()
);

/// Uses `attachment_unclaimed`.
const CLAIM_ATTACHMENTS: &str = concat!(
    "
    UPDATE attachment SET conversation_id = $2, entry_id = $4
    WHERE workspace_id = $1 AND uploader = $5 AND entry_id IS NULL AND stored_at_ms IS NOT NULL
        AND deleted_at_ms IS NULL
        AND $6 LIKE '%' || attachment_id || '%' AND ",
    marked!()
);

/// The search forgets the old words at once and learns the new ones later.
const REPLACE_MESSAGE: &str = concat!(
    "
    UPDATE message SET body = $5, words = NULL, edited_at_ms = $6
    WHERE workspace_id = $1 AND entry_id = $4 AND conversation_id = $2 AND ",
    marked!()
);

const EMPTY_MESSAGE: &str = concat!(
    "
    UPDATE message SET body = '', words = '', deleted_at_ms = $5
    WHERE workspace_id = $1 AND entry_id = $4 AND conversation_id = $2 AND ",
    marked!()
);

/// Uses `attachment_of_conversation`.
const DROP_ATTACHMENTS: &str = concat!(
    "
    UPDATE attachment SET name = '', deleted_at_ms = $5
    WHERE workspace_id = $1 AND conversation_id = $2 AND entry_id = $4 AND ",
    marked!()
);

const JOIN_PARTICIPANT: &str = concat!(
    "
    INSERT INTO participant (workspace_id, conversation_id, party, joined_at_ms, delivered_seq, read_seq)
    SELECT $1, $2, $4, CAST($5 AS BIGINT), 0, 0",
    from_marked!(),
    "
    ON CONFLICT (workspace_id, conversation_id, party)
    DO UPDATE SET joined_at_ms = excluded.joined_at_ms, left_at_ms = NULL"
);

const LEAVE_PARTICIPANT: &str = concat!(
    "
    UPDATE participant SET left_at_ms = $5
    WHERE workspace_id = $1 AND conversation_id = $2 AND party = $4 AND ",
    marked!()
);

const CLEAR_TIMER: &str = concat!(
    "
    DELETE FROM timer
    WHERE workspace_id = $1 AND conversation_id = $2 AND kind = 'snooze' AND ",
    marked!()
);

const SET_TIMER: &str = concat!(
    "
    INSERT INTO timer (workspace_id, timer_id, kind, conversation_id, due_at_ms)
    SELECT $1, $4, 'snooze', $2, CAST($5 AS BIGINT)",
    from_marked!()
);

/// Uses `visitor_by_open_conversation`.
const FREE_VISITOR: &str = concat!(
    "
    UPDATE visitor SET open_conversation_id = NULL, version = version + 1
    WHERE workspace_id = $1 AND open_conversation_id = $2 AND ",
    marked!()
);

const BIND_VISITOR: &str = concat!(
    "
    UPDATE visitor SET open_conversation_id = $2, version = version + 1
    WHERE workspace_id = $1 AND open_conversation_id IS NULL AND visitor_id = (SELECT c.visitor_id",
    from_marked!(),
    ")"
);

const BLOCK_VISITOR: &str = concat!(
    "
    UPDATE visitor SET blocked_at_ms = $4, version = version + 1
    WHERE workspace_id = $1 AND visitor_id = (SELECT c.visitor_id",
    from_marked!(),
    ")"
);

const INSERT_VISITOR_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $4, $1, 'visitor.changed', v.visitor_id, v.version, CAST($5 AS BIGINT)
    FROM conversation c
    JOIN visitor v ON v.workspace_id = c.workspace_id AND v.visitor_id = c.visitor_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2 AND c.attempt_id = $3";

/// One for all entries of the append: whoever hears of a number reads up to it.
const INSERT_EVENT: &str = concat!(
    "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $4, $1, 'entry.added', $2, c.seq, c.active_at_ms",
    from_marked!()
);

/// What all statements of an append share.
pub(crate) struct Head<'a> {
    pub(crate) workspace_id: Value,
    pub(crate) conversation_id: Value,
    pub(crate) key: &'a CommandKey,
    /// The mark: a name that no other attempt ever had, not even one at the same command.
    pub(crate) attempt_id: Value,
    pub(crate) at_ms: u64,
}

/// An entry to be, with what had to be looked up for it.
pub(crate) struct Line<'a> {
    pub(crate) entry: &'a NewEntry,
    pub(crate) public: bool,
    /// The format of the message that an edit replaces.
    pub(crate) target_format: Format,
    /// Whether it is the one acknowledged, which carries the client id.
    pub(crate) is_main: bool,
}

impl Head<'_> {
    /// A statement whose first three parameters are these, followed by `more`.
    pub(crate) fn stmt(&self, sql: &'static str, more: impl IntoIterator<Item = Value>) -> Stmt {
        let mut params = Vec::with_capacity(16);
        params.extend([
            self.workspace_id.clone(),
            self.conversation_id.clone(),
            self.attempt_id.clone(),
        ]);
        params.extend(more);
        Stmt::new(sql, params)
    }

    /// Adds what remembers the command, for a retry.
    pub(crate) fn push_command(&self, batch: &mut Batch, main: &Line<'_>) {
        let more = [
            Value::from(self.key.principal.as_str()),
            Value::from(self.key.client_id.as_str()),
            Value::from(self.key.digest),
            Value::from(main.entry.id),
            Value::from(main.public),
        ];
        batch.push(self.stmt(INSERT_COMMAND, more));
    }

    /// Adds what stores entries, in number order, and their consequences, and what tells of them.
    pub(crate) fn push_entries(&self, db: &Db, batch: &mut Batch, lines: &[Line<'_>]) {
        for (index, line) in lines.iter().enumerate() {
            batch.push(self.insert_entry(line, &lines[index + 1..]));
            self.push_consequences(db, batch, line);
        }
        let event_id = db.world().ids.next::<protocol::id::EventId>();
        batch.push(self.stmt(INSERT_EVENT, [Value::from(event_id)]));
    }

    /// Adds what moves the conversation to the slot of its time, where it is in another one.
    pub(crate) fn push_slot(&self, batch: &mut Batch) {
        batch.push(self.stmt(CHANGE_SLOT, [Value::from(SLOT_MS)]));
    }

    fn push_consequences(&self, db: &Db, batch: &mut Batch, line: &Line<'_>) {
        let entry_id = line.entry.id;
        let mut push = |sql, more: &[Value]| {
            batch.push(self.stmt(sql, more.iter().cloned()));
        };
        match &line.entry.content {
            NewContent::Message(message) | NewContent::Note(message) => {
                self.push_message(batch, entry_id, message);
            }
            NewContent::Edited { target_id, body } => {
                let format = line.target_format;
                let target_id = Value::from(*target_id);
                let at_ms = Value::from(self.at_ms);
                push(
                    REPLACE_MESSAGE,
                    &[target_id.clone(), Value::from(body), at_ms],
                );
                let preview = Value::from(preview(format, body));
                push(REPLACE_PREVIEW, &[target_id, preview]);
            }
            NewContent::Deleted { target_id } => {
                let more = [Value::from(*target_id), Value::from(self.at_ms)];
                push(EMPTY_MESSAGE, &more);
                push(DROP_ATTACHMENTS, &more);
                push(EMPTY_PREVIEW, &more[..1]);
            }
            NewContent::Joined { agent_id } => {
                let more = [Value::from(*agent_id), Value::from(self.at_ms)];
                push(JOIN_PARTICIPANT, &more);
            }
            NewContent::Left { agent_id } => {
                let more = [Value::from(*agent_id), Value::from(self.at_ms)];
                push(LEAVE_PARTICIPANT, &more);
            }
            NewContent::Snoozed { until_ms } => {
                let until_ms = Value::from(*until_ms);
                push(CHANGE_STATE, &[Value::from("snoozed"), until_ms.clone()]);
                push(CLEAR_TIMER, &[]);
                let timer_id = db.world().ids.next::<TimerId>();
                push(SET_TIMER, &[Value::from(timer_id), until_ms]);
            }
            NewContent::Reopened { .. } => {
                push(CHANGE_STATE, &[Value::from("open"), Value::Null]);
                push(CLEAR_TIMER, &[]);
                push(BIND_VISITOR, &[]);
            }
            NewContent::Closed => {
                push(CHANGE_STATE, &[Value::from("closed"), Value::Null]);
                push(CLEAR_TIMER, &[]);
                push(FREE_VISITOR, &[]);
            }
            NewContent::VisitorBlocked { blocked } => {
                push(BLOCK_VISITOR, &[Value::from(blocked.then_some(self.at_ms))]);
                let event_id = db.world().ids.next::<protocol::id::EventId>();
                let more = [Value::from(event_id), Value::from(self.at_ms)];
                push(INSERT_VISITOR_EVENT, &more);
            }
            NewContent::Assigned { agent_id } => push(CHANGE_ASSIGNEE, &[Value::from(*agent_id)]),
            NewContent::Moved { department_id } => {
                push(CHANGE_DEPARTMENT, &[Value::from(*department_id)]);
            }
            NewContent::Prioritized { priority } => {
                push(CHANGE_PRIORITY, &[Value::from(*priority)]);
            }
            NewContent::SpamMarked { spam } => push(CHANGE_SPAM, &[Value::from(*spam)]),
        }
    }

    fn insert_entry(&self, line: &Line<'_>, after: &[Line<'_>]) -> Stmt {
        let NewEntry {
            id,
            author,
            content,
        } = line.entry;
        let (author_kind, author_id, contact_id) = match author {
            Author::Visitor {
                visitor_id,
                contact_id,
            } => (
                "visitor",
                Value::from(*visitor_id),
                Value::from(*contact_id),
            ),
            Author::Agent { agent_id } => ("agent", Value::from(*agent_id), Value::Null),
            Author::Ai => ("ai", Value::Null, Value::Null),
            Author::System => ("system", Value::Null, Value::Null),
        };
        let client_id = line.is_main.then(|| self.key.client_id.as_str());
        let public_after = after.iter().filter(|line| line.public).count();
        self.stmt(
            INSERT_ENTRY,
            [
                Value::from(after.len()),
                if line.public {
                    Value::from(public_after)
                } else {
                    Value::from(-1_i64)
                },
                Value::from(*id),
                Value::from(kind(content)),
                Value::from(author_kind),
                author_id,
                contact_id,
                Value::from(client_id),
                Value::from(target(content)),
                Value::from(params_json(content)),
            ],
        )
    }

    fn push_message(&self, batch: &mut Batch, entry_id: EntryId, message: &NewMessage) {
        batch.push(self.stmt(
            INSERT_MESSAGE,
            [
                Value::from(entry_id),
                Value::from(message.format.as_str()),
                Value::from(message.body.as_str()),
                Value::from(message.language.as_deref()),
                Value::from(message.reply_to_id),
            ],
        ));
        if !message.attachment_ids.is_empty() {
            batch.push(self.stmt(
                CLAIM_ATTACHMENTS,
                [
                    Value::from(entry_id),
                    Value::from(self.key.principal.as_str()),
                    Value::from(attachment_list(message)),
                ],
            ));
        }
    }
}

/// The ids of a message's files as one text, which a statement looks through.
pub(crate) fn attachment_list(message: &NewMessage) -> String {
    let ids: Vec<String> = message
        .attachment_ids
        .iter()
        .take(limit::ATTACHMENTS_MAX)
        .map(ToString::to_string)
        .collect();
    ids.join(" ")
}

/// What a list shows of a message.
pub(crate) fn preview(format: Format, body: &str) -> String {
    cut(&plain_text(format, body), PREVIEW_BYTES_MAX)
}

fn kind(content: &NewContent) -> &'static str {
    match content {
        NewContent::Message(_) => "message",
        NewContent::Note(_) => "note",
        NewContent::Edited { .. } => "edited",
        NewContent::Deleted { .. } => "deleted",
        NewContent::Joined { .. } => "joined",
        NewContent::Left { .. } => "left",
        NewContent::Assigned { .. } => "assigned",
        NewContent::Moved { .. } => "moved",
        NewContent::Snoozed { .. } => "snoozed",
        NewContent::Reopened { .. } => "reopened",
        NewContent::Closed => "closed",
        NewContent::Prioritized { .. } => "prioritized",
        NewContent::SpamMarked { .. } => "spam_marked",
        NewContent::VisitorBlocked { .. } => "visitor_blocked",
    }
}

/// The message that an entry is about; only edits and deletions are about another one.
fn target(content: &NewContent) -> Option<EntryId> {
    match content {
        NewContent::Edited { target_id, .. } | NewContent::Deleted { target_id } => {
            Some(*target_id)
        }
        NewContent::Message(_)
        | NewContent::Note(_)
        | NewContent::Joined { .. }
        | NewContent::Left { .. }
        | NewContent::Assigned { .. }
        | NewContent::Moved { .. }
        | NewContent::Snoozed { .. }
        | NewContent::Reopened { .. }
        | NewContent::Closed
        | NewContent::Prioritized { .. }
        | NewContent::SpamMarked { .. }
        | NewContent::VisitorBlocked { .. } => None,
    }
}

/// The parameters of an entry's kind, without words: what erasure need not touch.
fn params_json(content: &NewContent) -> String {
    let params = match content {
        NewContent::Message(_)
        | NewContent::Note(_)
        | NewContent::Edited { .. }
        | NewContent::Deleted { .. }
        | NewContent::Closed => return "{}".to_owned(),
        NewContent::Joined { agent_id } | NewContent::Left { agent_id } => {
            serde_json::json!({ "agent_id": agent_id })
        }
        NewContent::Assigned { agent_id } => serde_json::json!({ "agent_id": agent_id }),
        NewContent::Moved { department_id } => {
            serde_json::json!({ "department_id": department_id })
        }
        NewContent::Snoozed { until_ms } => serde_json::json!({ "until_ms": until_ms }),
        NewContent::Reopened { cause } => serde_json::json!({ "cause": cause }),
        NewContent::Prioritized { priority } => serde_json::json!({ "priority": priority }),
        NewContent::SpamMarked { spam } => serde_json::json!({ "spam": spam }),
        NewContent::VisitorBlocked { blocked } => serde_json::json!({ "blocked": blocked }),
    };
    params.to_string()
}
