//! The statements that store entries, shared by appending to a conversation and beginning one.
//!
//! They come after the one that guards and counts, and only where it gave a row: its numbers and its time are
//! given to them. Changes begin with `$1` workspace and `$2` conversation.

use std::slice;

use protocol::entry::Author;
use protocol::event::EventType;
use protocol::id::{AgentId, EntryId, EventId, TimerId, WorkspaceId};
use protocol::limit;
use protocol::message::{Format, plain_text};
use protocol::text::cut;
use protocol::todo::TodoKind;

use crate::command::CommandKey;
use crate::conversation::SLOT_MS;
use crate::db::{Batch, Db, Given, Stmt, Value};
use crate::entry::{NewContent, NewEntry, NewMessage, block};
use crate::search;

/// Bytes of a preview.
const PREVIEW_BYTES_MAX: usize = 160;

/// What came of the command. One that another node stored a moment ago fails the batch: it runs again and
/// finds it.
const INSERT_COMMAND: &str = "
    INSERT INTO command (workspace_id, principal, client_id, digest, attempt_id, conversation_id, entry_id,
        seq, public_seq, sent_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const GIVEN_TO_COMMAND: Given = &[(7, "seq"), (8, "public_seq"), (9, "active_at_ms")];

/// The log's next line.
const INSERT_ENTRY: &str = "
    INSERT INTO entry (workspace_id, conversation_id, seq, public_seq, entry_id, kind, author_kind,
        author_id, author_contact_id, client_id, target_id, previous_id, params_json, sent_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

const GIVEN_TO_ENTRY: Given = &[(2, "seq"), (3, "public_seq"), (13, "active_at_ms")];

/// The same, and whose the conversation was.
const GIVEN_TO_ASSIGNED: Given = &[
    (2, "seq"),
    (3, "public_seq"),
    (11, "assignee_id"),
    (13, "active_at_ms"),
];

const INSERT_MESSAGE: &str = "
    INSERT INTO message (workspace_id, entry_id, conversation_id, format, body, language, reply_to_id, words)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Something is asked of a member, and he is told. Where there are several they go as one.
const INSERT_TODO: &str = "
    INSERT INTO todo (workspace_id, agent_id, entry_id, kind, conversation_id, seq, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const GIVEN_TO_TODO: Given = &[(5, "seq"), (6, "active_at_ms")];

/// Whose the conversation was is told that it is asked of him no longer, where it was. Uses `todo_of_conversation`.
const TELL_FORMER: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    SELECT $3, $1, 'todo.changed', t.agent_id, CAST($4 AS BIGINT), CAST($5 AS BIGINT)
    FROM todo t
    WHERE t.workspace_id = $1 AND t.agent_id = $6 AND t.conversation_id = $2 AND t.kind = 'assignment'
        AND t.agent_id <> $7
    LIMIT 1";

const GIVEN_TO_FORMER: Given = &[(3, "seq"), (4, "active_at_ms"), (5, "assignee_id")];

/// One for all entries of the append: whoever hears of a number reads up to it.
const INSERT_EVENT: &str = "
    INSERT INTO event (event_id, workspace_id, event_type, subject, number, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)";

const GIVEN_TO_EVENT: Given = &[(4, "seq"), (5, "active_at_ms")];

macro_rules! change {
    ($change:literal) => {
        concat!(
            "
    UPDATE conversation SET ",
            $change,
            "
    WHERE workspace_id = $1 AND conversation_id = $2"
        )
    };
}

const CHANGE_STATE: &str = change!(
    "state = $3, snoozed_until_ms = $4,
        closed_at_ms = CASE WHEN $3 = 'closed' THEN active_at_ms END"
);

const CHANGE_ASSIGNEE: &str = change!(
    "assignee_id = CAST($3 AS TEXT),
        handler = CASE WHEN CAST($3 AS TEXT) IS NULL THEN 'queue' ELSE 'human' END,
        fence = CASE WHEN CAST($3 AS TEXT) IS NULL OR pen_side = 'human' THEN fence ELSE fence + 1 END,
        pen_side = CASE WHEN CAST($3 AS TEXT) IS NULL THEN pen_side ELSE 'human' END"
);

const CHANGE_DEPARTMENT: &str = change!("department_id = $3");

const CHANGE_PRIORITY: &str = change!("priority = $3");

const CHANGE_SPAM: &str = change!("spam = $3");

const REPLACE_PREVIEW: &str = concat!(change!("preview_text = $4"), " AND preview_entry_id = $3");

const EMPTY_PREVIEW: &str = concat!(
    change!("preview_text = '', preview_attachment_count = 0"),
    " AND preview_entry_id = $3"
);

/// `$3` milliseconds of a slot.
const CHANGE_SLOT: &str = concat!(
    change!("active_slot = active_at_ms / CAST($3 AS BIGINT)"),
    " AND active_slot <> active_at_ms / CAST($3 AS BIGINT)"
);

/// Uses `attachment_unclaimed`. Files are shown in the order in which the message names them.
const CLAIM_ATTACHMENTS: &str = "
    UPDATE attachment SET conversation_id = $2, entry_id = $3, position = instr($5, attachment_id)
    WHERE workspace_id = $1 AND uploader = $4 AND entry_id IS NULL AND stored_at_ms IS NOT NULL
        AND deleted_at_ms IS NULL
        AND $5 LIKE '%' || attachment_id || '%'";

/// The search forgets the old words at once, and knows the new ones or learns them later.
const REPLACE_MESSAGE: &str = "
    UPDATE message SET body = $4, words = $6, edited_at_ms = $5
    WHERE workspace_id = $1 AND entry_id = $3 AND conversation_id = $2";

const EMPTY_MESSAGE: &str = "
    UPDATE message SET body = '', words = '', deleted_at_ms = $4
    WHERE workspace_id = $1 AND entry_id = $3 AND conversation_id = $2";

/// Uses `attachment_of_conversation`.
const DROP_ATTACHMENTS: &str = "
    UPDATE attachment SET name = '', deleted_at_ms = $4
    WHERE workspace_id = $1 AND conversation_id = $2 AND entry_id = $3";

const JOIN_PARTICIPANT: &str = "
    INSERT INTO participant (workspace_id, conversation_id, party, joined_at_ms, delivered_seq, read_seq)
    VALUES ($1, $2, $3, $4, 0, 0)
    ON CONFLICT (workspace_id, conversation_id, party)
    DO UPDATE SET joined_at_ms = excluded.joined_at_ms, left_at_ms = NULL";

const LEAVE_PARTICIPANT: &str = "
    UPDATE participant SET left_at_ms = $4
    WHERE workspace_id = $1 AND conversation_id = $2 AND party = $3";

const CLEAR_TIMER: &str = "
    DELETE FROM timer WHERE workspace_id = $1 AND conversation_id = $2 AND kind = 'snooze'";

const SET_TIMER: &str = "
    INSERT INTO timer (workspace_id, timer_id, kind, conversation_id, due_at_ms)
    VALUES ($1, $3, 'snooze', $2, $4)";

/// Uses `visitor_by_open_conversation`.
const FREE_VISITOR: &str = "
    UPDATE visitor SET open_conversation_id = NULL, version = version + 1
    WHERE workspace_id = $1 AND open_conversation_id = $2";

const BIND_VISITOR: &str = "
    UPDATE visitor SET open_conversation_id = $2, version = version + 1
    WHERE workspace_id = $1 AND open_conversation_id IS NULL AND visitor_id = (
        SELECT c.visitor_id FROM conversation c WHERE c.workspace_id = $1 AND c.conversation_id = $2)";

/// What all statements of an append share.
pub(crate) struct Head<'a> {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) conversation_id: Value,
    pub(crate) key: &'a CommandKey,
    pub(crate) at_ms: u64,
}

/// An entry to be, with what had to be looked up for it.
pub(crate) struct Line<'a> {
    pub(crate) entry: &'a NewEntry,
    pub(crate) public: bool,
    /// The format of the message that an edit replaces.
    pub(crate) target_format: Format,
    /// The command that is acknowledged with it; it carries the client id.
    pub(crate) key: Option<&'a CommandKey>,
}

impl Head<'_> {
    /// A change: a statement whose first two parameters are these, followed by `more`.
    pub(crate) fn change(&self, sql: &'static str, more: &[Value]) -> Stmt {
        let mut params = Vec::with_capacity(2 + more.len());
        params.extend([Value::from(self.workspace_id), self.conversation_id.clone()]);
        params.extend_from_slice(more);
        Stmt::new(sql, params)
    }

    /// Adds what remembers the commands, for a retry.
    pub(crate) fn push_commands(&self, batch: &mut Batch, lines: &[Line<'_>]) {
        for (index, line) in lines.iter().enumerate() {
            let Some(key) = line.key else { continue };
            let entry_id = Value::from(line.entry.id);
            let (seq, public_seq) = numbers(line, &lines[index + 1..]);
            let params = vec![
                Value::from(self.workspace_id),
                Value::from(key.principal.as_str()),
                Value::from(key.client_id.as_str()),
                Value::from(key.digest),
                entry_id.clone(),
                self.conversation_id.clone(),
                entry_id,
                seq,
                public_seq,
                Value::Integer(0),
            ];
            batch.push(Stmt::row(INSERT_COMMAND, params, GIVEN_TO_COMMAND));
        }
    }

    /// Adds what stores entries, in number order, and their consequences, and what tells of them.
    pub(crate) fn push_entries(&self, db: &Db, batch: &mut Batch, lines: &[Line<'_>]) {
        for (index, line) in lines.iter().enumerate() {
            batch.push(self.insert_entry(line, &lines[index + 1..]));
            self.push_consequences(db, batch, line);
            self.push_todos(db, batch, line, &lines[index + 1..]);
            self.push_former(db, batch, line, &lines[index + 1..]);
        }
        let event_id = db.world().ids.next::<EventId>();
        let params = vec![
            Value::from(event_id),
            Value::from(self.workspace_id),
            Value::from("entry.added"),
            self.conversation_id.clone(),
            Value::Integer(0),
            Value::Integer(0),
        ];
        batch.push(Stmt::row(INSERT_EVENT, params, GIVEN_TO_EVENT));
    }

    /// Adds what moves the conversation to the slot of its time, where it is in another one.
    pub(crate) fn push_slot(&self, batch: &mut Batch) {
        batch.push(self.change(CHANGE_SLOT, &[Value::from(SLOT_MS)]));
    }

    fn push_consequences(&self, db: &Db, batch: &mut Batch, line: &Line<'_>) {
        let entry_id = line.entry.id;
        let mut push = |sql, more: &[Value]| {
            batch.push(self.change(sql, more));
        };
        match &line.entry.content {
            NewContent::Message(message) | NewContent::Note(message) => {
                self.push_message(db, batch, entry_id, message);
            }
            NewContent::Edited { target_id, body } => {
                let format = line.target_format;
                let target_id = Value::from(*target_id);
                let at_ms = Value::from(self.at_ms);
                let words = self.words_beside(db, format, body);
                push(
                    REPLACE_MESSAGE,
                    &[target_id.clone(), Value::from(body), at_ms, words],
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
            NewContent::VisitorBlocked { blocked } => block::push(self, db, batch, *blocked),
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
            Author::Key { key_id } => ("key", Value::from(*key_id), Value::Null),
            Author::Ai => ("ai", Value::Null, Value::Null),
            Author::System => ("system", Value::Null, Value::Null),
        };
        let client_id = line.key.map(|key| key.client_id.as_str());
        let (seq, public_seq) = numbers(line, after);
        let (previous_id, given) = if matches!(content, NewContent::Assigned { .. }) {
            (Value::from(""), GIVEN_TO_ASSIGNED)
        } else {
            (Value::Null, GIVEN_TO_ENTRY)
        };
        let params = vec![
            Value::from(self.workspace_id),
            self.conversation_id.clone(),
            seq,
            public_seq,
            Value::from(*id),
            Value::from(kind(content)),
            Value::from(author_kind),
            author_id,
            contact_id,
            Value::from(client_id),
            Value::from(target(content)),
            previous_id,
            Value::from(params_json(content)),
            Value::Integer(0),
        ];
        Stmt::row(INSERT_ENTRY, params, given)
    }

    /// Adds what an entry asks of members, each with an event of his own.
    fn push_todos(&self, db: &Db, batch: &mut Batch, line: &Line<'_>, after: &[Line<'_>]) {
        let Some((kind, agent_ids)) = asked(line.entry) else {
            return;
        };
        let (seq, _) = numbers(line, after);
        for agent_id in agent_ids {
            let params = vec![
                Value::from(self.workspace_id),
                Value::from(*agent_id),
                Value::from(line.entry.id),
                Value::from(kind.as_str()),
                self.conversation_id.clone(),
                seq.clone(),
                Value::Integer(0),
            ];
            batch.push(Stmt::row(INSERT_TODO, params, GIVEN_TO_TODO));
        }
        for agent_id in agent_ids {
            let event_id = db.world().ids.next::<EventId>();
            let params = vec![
                Value::from(event_id),
                Value::from(self.workspace_id),
                Value::from(EventType::TodoChanged.as_str()),
                Value::from(*agent_id),
                seq.clone(),
                Value::Integer(0),
            ];
            batch.push(Stmt::row(INSERT_EVENT, params, GIVEN_TO_EVENT));
        }
    }

    /// Adds what tells the member whose the conversation was, where an entry gives it to somebody else or to nobody.
    fn push_former(&self, db: &Db, batch: &mut Batch, line: &Line<'_>, after: &[Line<'_>]) {
        let NewContent::Assigned { agent_id } = &line.entry.content else {
            return;
        };
        let (seq, _) = numbers(line, after);
        let more = [
            Value::from(db.world().ids.next::<EventId>()),
            seq,
            Value::Integer(0),
            Value::from(""),
            Value::from(agent_id.map(|id| id.to_string()).unwrap_or_default()),
        ];
        batch.push(self.change(TELL_FORMER, &more).with(GIVEN_TO_FORMER));
    }

    fn push_message(&self, db: &Db, batch: &mut Batch, entry_id: EntryId, message: &NewMessage) {
        let entry_id = Value::from(entry_id);
        let params = vec![
            Value::from(self.workspace_id),
            entry_id.clone(),
            self.conversation_id.clone(),
            Value::from(message.format.as_str()),
            Value::from(message.body.as_str()),
            Value::from(message.language.as_deref()),
            Value::from(message.reply_to_id),
            self.words_beside(db, message.format, &message.body),
        ];
        batch.push(Stmt::row(INSERT_MESSAGE, params, &[]));
        if !message.attachment_ids.is_empty() {
            let principal = Value::from(self.key.principal.as_str());
            let files = Value::from(attachment_list(message));
            batch.push(self.change(CLAIM_ATTACHMENTS, &[entry_id, principal, files]));
        }
    }

    fn words_beside(&self, db: &Db, format: Format, body: &str) -> Value {
        Value::from(search::words_beside(db, self.workspace_id, format, body))
    }
}

/// Whom an entry asks for something, and what it is: those whom a note names, and whoever is given a conversation
/// by somebody else.
fn asked(entry: &NewEntry) -> Option<(TodoKind, &[AgentId])> {
    if let NewContent::Note(note) = &entry.content {
        return Some((TodoKind::Mention, note.mentions.as_slice()));
    }
    let NewContent::Assigned {
        agent_id: Some(agent_id),
    } = &entry.content
    else {
        return None;
    };
    let is_own = matches!(entry.author, Author::Agent { agent_id: by } if by == *agent_id);
    (!is_own).then_some((TodoKind::Assignment, slice::from_ref(agent_id)))
}

/// The numbers of an entry, less the last ones, which the guard gives.
fn numbers(line: &Line<'_>, after: &[Line<'_>]) -> (Value, Value) {
    let less = |count: usize| Value::Integer(i64::try_from(count).map_or(0, |count| -count));
    let public_after = after.iter().filter(|line| line.public).count();
    let public_seq = if line.public {
        less(public_after)
    } else {
        Value::Null
    };
    (less(after.len()), public_seq)
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
        NewContent::Reopened { cause, .. } => serde_json::json!({ "cause": cause }),
        NewContent::Prioritized { priority } => serde_json::json!({ "priority": priority }),
        NewContent::SpamMarked { spam } => serde_json::json!({ "spam": spam }),
        NewContent::VisitorBlocked { blocked } => serde_json::json!({ "blocked": blocked }),
    };
    params.to_string()
}
