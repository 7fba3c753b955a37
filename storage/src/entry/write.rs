//! The statements of a guarded append, shared by appending to a conversation and beginning one.
//!
//! Every statement begins with the same five parameters: `$1` workspace, `$2` conversation, `$3`
//! principal, `$4` client id, `$5` attempt. What comes after the guard is stored only where the guard's
//! row carries this attempt.

use protocol::entry::Author;
use protocol::id::{EntryId, TimerId};
use protocol::limit;
use protocol::message::{Format, plain_text};
use protocol::text::cut;

use crate::command::CommandKey;
use crate::db::{Batch, Db, Stmt, Value};
use crate::entry::{NewContent, NewEntry, NewMessage};
use crate::search;

/// Bytes of a preview.
const PREVIEW_BYTES_MAX: usize = 160;

/// The condition that the guard's row is this attempt's.
macro_rules! guarded {
    () => {
        "EXISTS (SELECT 1 FROM command g WHERE g.workspace_id = $1 AND g.principal = $3
            AND g.client_id = $4 AND g.attempt_id = $5)"
    };
}

/// The log's next line. `$6` is 1 for what the visitor may see.
const INSERT_ENTRY: &str = concat!(
    "
    INSERT INTO entry (workspace_id, conversation_id, seq, public_seq, entry_id, kind, author_kind,
        author_id, author_contact_id, client_id, target_id, previous_id, params_json, sent_at_ms)
    SELECT $1, $2, c.seq + 1, CASE WHEN CAST($6 AS BIGINT) = 1 THEN c.public_seq + 1 END, $7, $8, $9,
        CAST($10 AS TEXT), CAST($11 AS TEXT), CAST($12 AS TEXT), CAST($13 AS TEXT),
        CASE WHEN $8 = 'assigned' THEN c.assignee_id END, $14,
        CASE WHEN CAST($15 AS BIGINT) > c.active_at_ms THEN CAST($15 AS BIGINT) ELSE c.active_at_ms END
    FROM conversation c
    WHERE c.workspace_id = $1 AND c.conversation_id = $2 AND ",
    guarded!()
);

macro_rules! advance {
    ($more:literal) => {
        concat!(
            "
    UPDATE conversation SET seq = seq + 1, public_seq = public_seq + $6,
        active_at_ms = CASE WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END",
            $more,
            "
    WHERE workspace_id = $1 AND conversation_id = $2 AND ",
            guarded!()
        )
    };
}

const ADVANCE: &str = advance!("");

/// `$8` whether the customer spoke, `$9` whose turn it is now, `$10` the entry, `$11` the preview, `$12`
/// files, `$13` the side that takes the pen, empty for none.
const ADVANCE_SAID: &str = advance!(
    ",
        customer_seq = CASE WHEN CAST($8 AS BOOLEAN) THEN seq + 1 ELSE customer_seq END,
        waiting_on = $9,
        waiting_since_at_ms = CASE WHEN waiting_on = $9 THEN waiting_since_at_ms
            WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END,
        preview_entry_id = $10, preview_from_customer = $8, preview_text = $11,
        preview_attachment_count = $12,
        preview_sent_at_ms = CASE WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END,
        handler = CASE WHEN $13 = 'human' THEN 'human' ELSE handler END,
        fence = CASE WHEN $13 = '' OR pen_side = $13 THEN fence ELSE fence + 1 END,
        pen_side = CASE WHEN $13 = '' THEN pen_side ELSE $13 END"
);

const ADVANCE_STATE: &str = advance!(
    ",
        state = $8, snoozed_until_ms = $9,
        closed_at_ms = CASE WHEN $8 <> 'closed' THEN NULL
            WHEN $7 > active_at_ms THEN $7 ELSE active_at_ms END"
);

const ADVANCE_ASSIGNED: &str = advance!(
    ",
        assignee_id = CAST($8 AS TEXT),
        handler = CASE WHEN CAST($8 AS TEXT) IS NULL THEN 'queue' ELSE 'human' END,
        fence = CASE WHEN CAST($8 AS TEXT) IS NULL OR pen_side = 'human' THEN fence ELSE fence + 1 END,
        pen_side = CASE WHEN CAST($8 AS TEXT) IS NULL THEN pen_side ELSE 'human' END"
);

const ADVANCE_MOVED: &str = advance!(", department_id = $8");

const ADVANCE_PRIORITIZED: &str = advance!(", priority = $8");

const ADVANCE_SPAM: &str = advance!(", spam = $8");

const INSERT_MESSAGE: &str = "
    INSERT INTO message (workspace_id, entry_id, conversation_id, format, body, text, words, language,
        reply_to_id)
    SELECT $1, $6, $2, $7, $8, $9, $10, CAST($11 AS TEXT), CAST($12 AS TEXT)
    FROM command g
    WHERE g.workspace_id = $1 AND g.principal = $3 AND g.client_id = $4 AND g.attempt_id = $5";

/// Uses `attachment_unclaimed`.
const CLAIM_ATTACHMENTS: &str = concat!(
    "
    UPDATE attachment SET conversation_id = $2, entry_id = $6
    WHERE workspace_id = $1 AND uploader = $3 AND entry_id IS NULL AND deleted_at_ms IS NULL
        AND $7 LIKE '%' || attachment_id || '%' AND ",
    guarded!()
);

const REPLACE_MESSAGE: &str = concat!(
    "
    UPDATE message SET body = $7, text = $8, words = $9, edited_at_ms = $10
    WHERE workspace_id = $1 AND entry_id = $6 AND conversation_id = $2 AND ",
    guarded!()
);

const EMPTY_MESSAGE: &str = concat!(
    "
    UPDATE message SET body = '', text = '', words = '', deleted_at_ms = $7
    WHERE workspace_id = $1 AND entry_id = $6 AND conversation_id = $2 AND ",
    guarded!()
);

/// Uses `attachment_of_conversation`.
const DROP_ATTACHMENTS: &str = concat!(
    "
    UPDATE attachment SET name = '', deleted_at_ms = $7
    WHERE workspace_id = $1 AND conversation_id = $2 AND entry_id = $6 AND ",
    guarded!()
);

const REPLACE_PREVIEW: &str = concat!(
    "
    UPDATE conversation SET preview_text = $7
    WHERE workspace_id = $1 AND conversation_id = $2 AND preview_entry_id = $6 AND ",
    guarded!()
);

const EMPTY_PREVIEW: &str = concat!(
    "
    UPDATE conversation SET preview_text = '', preview_attachment_count = 0
    WHERE workspace_id = $1 AND conversation_id = $2 AND preview_entry_id = $6 AND ",
    guarded!()
);

const JOIN_PARTICIPANT: &str = "
    INSERT INTO participant (workspace_id, conversation_id, party, joined_at_ms, delivered_seq, read_seq)
    SELECT $1, $2, $6, CAST($7 AS BIGINT), 0, 0
    FROM command g
    WHERE g.workspace_id = $1 AND g.principal = $3 AND g.client_id = $4 AND g.attempt_id = $5
    ON CONFLICT (workspace_id, conversation_id, party)
    DO UPDATE SET joined_at_ms = excluded.joined_at_ms, left_at_ms = NULL";

const LEAVE_PARTICIPANT: &str = concat!(
    "
    UPDATE participant SET left_at_ms = $7
    WHERE workspace_id = $1 AND conversation_id = $2 AND party = $6 AND ",
    guarded!()
);

const CLEAR_TIMER: &str = concat!(
    "
    DELETE FROM timer
    WHERE workspace_id = $1 AND conversation_id = $2 AND kind = 'snooze' AND ",
    guarded!()
);

const SET_TIMER: &str = "
    INSERT INTO timer (workspace_id, timer_id, kind, conversation_id, due_at_ms)
    SELECT $1, $6, 'snooze', $2, CAST($7 AS BIGINT)
    FROM command g
    WHERE g.workspace_id = $1 AND g.principal = $3 AND g.client_id = $4 AND g.attempt_id = $5";

/// Uses `visitor_by_open_conversation`.
const FREE_VISITOR: &str = concat!(
    "
    UPDATE visitor SET open_conversation_id = NULL, version = version + 1
    WHERE workspace_id = $1 AND open_conversation_id = $2 AND ",
    guarded!()
);

const BIND_VISITOR: &str = concat!(
    "
    UPDATE visitor SET open_conversation_id = $2, version = version + 1
    WHERE workspace_id = $1 AND open_conversation_id IS NULL AND visitor_id = (
        SELECT c.visitor_id FROM conversation c WHERE c.workspace_id = $1 AND c.conversation_id = $2
    ) AND ",
    guarded!()
);

const BLOCK_VISITOR: &str = concat!(
    "
    UPDATE visitor SET blocked_at_ms = $6, version = version + 1
    WHERE workspace_id = $1 AND visitor_id = (
        SELECT c.visitor_id FROM conversation c WHERE c.workspace_id = $1 AND c.conversation_id = $2
    ) AND ",
    guarded!()
);

const INSERT_VISITOR_EVENT: &str = concat!(
    "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $6, $1, 'visitor.changed', v.visitor_id, v.version, CAST($7 AS BIGINT)
    FROM conversation c
    JOIN visitor v ON v.workspace_id = c.workspace_id AND v.visitor_id = c.visitor_id
    WHERE c.workspace_id = $1 AND c.conversation_id = $2 AND ",
    guarded!()
);

/// One for all entries of the append: whoever hears of a number reads up to it.
const INSERT_EVENT: &str = concat!(
    "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $6, $1, 'entry.added', $2, c.seq, c.active_at_ms
    FROM conversation c
    WHERE c.workspace_id = $1 AND c.conversation_id = $2 AND ",
    guarded!()
);

/// What all statements of an append share.
pub(crate) struct Head<'a> {
    pub(crate) workspace_id: Value,
    pub(crate) conversation_id: Value,
    pub(crate) key: &'a CommandKey,
    /// The attempt's name: the id of the entry that is acknowledged.
    pub(crate) attempt_id: EntryId,
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
    /// A statement whose first five parameters are these, followed by `more`.
    pub(crate) fn stmt(&self, sql: &'static str, more: Vec<Value>) -> Stmt {
        let mut params = Vec::with_capacity(5 + more.len());
        params.extend([
            self.workspace_id.clone(),
            self.conversation_id.clone(),
            Value::from(self.key.principal.as_str()),
            Value::from(self.key.client_id.as_str()),
            Value::from(self.attempt_id),
        ]);
        params.extend(more);
        Stmt::new(sql, params)
    }

    /// Adds what stores an entry and its consequences.
    pub(crate) fn push_entry(&self, db: &Db, batch: &mut Batch, line: &Line<'_>) {
        batch.push(self.insert_entry(line));
        batch.push(self.advance(line));
        let entry_id = line.entry.id;
        match &line.entry.content {
            NewContent::Message(message) | NewContent::Note(message) => {
                self.push_message(batch, entry_id, message);
            }
            NewContent::Edited { target_id, body } => {
                self.push_edit(batch, *target_id, line.target_format, body);
            }
            NewContent::Deleted { target_id } => self.push_deletion(batch, *target_id),
            NewContent::Joined { agent_id } => {
                let more = vec![Value::from(*agent_id), Value::from(self.at_ms)];
                batch.push(self.stmt(JOIN_PARTICIPANT, more));
            }
            NewContent::Left { agent_id } => {
                let more = vec![Value::from(*agent_id), Value::from(self.at_ms)];
                batch.push(self.stmt(LEAVE_PARTICIPANT, more));
            }
            NewContent::Snoozed { until_ms } => {
                batch.push(self.stmt(CLEAR_TIMER, Vec::new()));
                let timer_id = db.world().ids.next::<TimerId>();
                let more = vec![Value::from(timer_id), Value::from(*until_ms)];
                batch.push(self.stmt(SET_TIMER, more));
            }
            NewContent::Reopened { .. } => {
                batch.push(self.stmt(CLEAR_TIMER, Vec::new()));
                batch.push(self.stmt(BIND_VISITOR, Vec::new()));
            }
            NewContent::Closed => {
                batch.push(self.stmt(CLEAR_TIMER, Vec::new()));
                batch.push(self.stmt(FREE_VISITOR, Vec::new()));
            }
            NewContent::VisitorBlocked { blocked } => {
                let at_ms = Value::from(blocked.then_some(self.at_ms));
                batch.push(self.stmt(BLOCK_VISITOR, vec![at_ms]));
                let event_id = db.world().ids.next::<protocol::id::EventId>();
                let more = vec![Value::from(event_id), Value::from(self.at_ms)];
                batch.push(self.stmt(INSERT_VISITOR_EVENT, more));
            }
            NewContent::Assigned { .. }
            | NewContent::Moved { .. }
            | NewContent::Prioritized { .. }
            | NewContent::SpamMarked { .. } => {}
        }
    }

    /// Adds the event that tells of the entries.
    pub(crate) fn push_event(&self, db: &Db, batch: &mut Batch) {
        let event_id = db.world().ids.next::<protocol::id::EventId>();
        batch.push(self.stmt(INSERT_EVENT, vec![Value::from(event_id)]));
    }

    fn insert_entry(&self, line: &Line<'_>) -> Stmt {
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
        self.stmt(
            INSERT_ENTRY,
            vec![
                Value::from(u8::from(line.public)),
                Value::from(*id),
                Value::from(kind(content)),
                Value::from(author_kind),
                author_id,
                contact_id,
                Value::from(client_id),
                Value::from(target(content)),
                Value::from(params_json(content)),
                Value::from(self.at_ms),
            ],
        )
    }

    fn advance(&self, line: &Line<'_>) -> Stmt {
        let mut more = vec![Value::from(u8::from(line.public)), Value::from(self.at_ms)];
        let sql = match &line.entry.content {
            NewContent::Message(message) => {
                let (from_customer, waiting_on, side) = match line.entry.author {
                    Author::Visitor { .. } => (true, "agent", ""),
                    Author::Agent { .. } => (false, "customer", "human"),
                    Author::Ai => (false, "customer", "ai"),
                    Author::System => (false, "customer", ""),
                };
                more.extend([
                    Value::from(from_customer),
                    Value::from(waiting_on),
                    Value::from(line.entry.id),
                    Value::from(preview(message.format, &message.body)),
                    Value::from(message.attachment_ids.len()),
                    Value::from(side),
                ]);
                ADVANCE_SAID
            }
            NewContent::Snoozed { until_ms } => {
                more.extend([Value::from("snoozed"), Value::from(*until_ms)]);
                ADVANCE_STATE
            }
            NewContent::Reopened { .. } => {
                more.extend([Value::from("open"), Value::Null]);
                ADVANCE_STATE
            }
            NewContent::Closed => {
                more.extend([Value::from("closed"), Value::Null]);
                ADVANCE_STATE
            }
            NewContent::Assigned { agent_id } => {
                more.push(Value::from(*agent_id));
                ADVANCE_ASSIGNED
            }
            NewContent::Moved { department_id } => {
                more.push(Value::from(*department_id));
                ADVANCE_MOVED
            }
            NewContent::Prioritized { priority } => {
                more.push(Value::from(*priority));
                ADVANCE_PRIORITIZED
            }
            NewContent::SpamMarked { spam } => {
                more.push(Value::from(*spam));
                ADVANCE_SPAM
            }
            NewContent::Note(_)
            | NewContent::Edited { .. }
            | NewContent::Deleted { .. }
            | NewContent::Joined { .. }
            | NewContent::Left { .. }
            | NewContent::VisitorBlocked { .. } => ADVANCE,
        };
        self.stmt(sql, more)
    }

    fn push_message(&self, batch: &mut Batch, entry_id: EntryId, message: &NewMessage) {
        let text = plain_text(message.format, &message.body);
        let words = search::words(&self.workspace_id, &text);
        batch.push(self.stmt(
            INSERT_MESSAGE,
            vec![
                Value::from(entry_id),
                Value::from(message.format.as_str()),
                Value::from(message.body.as_str()),
                Value::from(text),
                Value::from(words),
                Value::from(message.language.clone()),
                Value::from(message.reply_to_id),
            ],
        ));
        if !message.attachment_ids.is_empty() {
            let ids = attachment_list(message);
            batch.push(self.stmt(
                CLAIM_ATTACHMENTS,
                vec![Value::from(entry_id), Value::from(ids)],
            ));
        }
    }

    fn push_edit(&self, batch: &mut Batch, target_id: EntryId, format: Format, body: &str) {
        let text = plain_text(format, body);
        let words = search::words(&self.workspace_id, &text);
        batch.push(self.stmt(
            REPLACE_MESSAGE,
            vec![
                Value::from(target_id),
                Value::from(body),
                Value::from(text),
                Value::from(words),
                Value::from(self.at_ms),
            ],
        ));
        let more = vec![Value::from(target_id), Value::from(preview(format, body))];
        batch.push(self.stmt(REPLACE_PREVIEW, more));
    }

    fn push_deletion(&self, batch: &mut Batch, target_id: EntryId) {
        let more = || vec![Value::from(target_id), Value::from(self.at_ms)];
        batch.push(self.stmt(EMPTY_MESSAGE, more()));
        batch.push(self.stmt(DROP_ATTACHMENTS, more()));
        batch.push(self.stmt(EMPTY_PREVIEW, vec![Value::from(target_id)]));
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

fn preview(format: Format, body: &str) -> String {
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
