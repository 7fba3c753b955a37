//! Holds: rows that are locked before the first statement of a group runs.
//!
//! Only Postgres needs the statements: the one writer of SQLite waits for nobody.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};

use protocol::id::{AttachmentId, ContactId, ConversationId, EntryId, VisitorId, WorkspaceId};

use crate::db::batch::{Batch, Stmt};
use crate::db::value::Value;

/// A row that is locked before the first statement of a group runs. What the statements read after that
/// is what the one before left there: nobody waits in the middle of a statement, with an older view.
// The order is the order of locking, by id within each kind. Whatever a batch changes that another one may
// change too is held by both, so that no two wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// Who is whom in a workspace: contacts are merged and parted one after the other.
    People(WorkspaceId),
    /// A visitor.
    Visitor(WorkspaceId, VisitorId),
    /// The visitor of a conversation.
    VisitorOf(WorkspaceId, ConversationId),
    /// The proved person behind the visitor of a conversation: all his devices and records.
    PersonOf(WorkspaceId, ConversationId),
    /// A conversation.
    Conversation(WorkspaceId, ConversationId),
    /// A contact, and all that are merged with it.
    Contact(WorkspaceId, ContactId),
    /// The contact of a visitor.
    ContactOf(WorkspaceId, VisitorId),
    /// A message.
    Message(WorkspaceId, EntryId),
    /// A file.
    Attachment(WorkspaceId, AttachmentId),
}

/// A list of ids with their workspaces, as rows.
macro_rules! listed {
    ($workspace_ids:literal, $ids:literal) => {
        concat!(
            "unnest(string_to_array(",
            $workspace_ids,
            ", ' '), string_to_array(",
            $ids,
            ", ' ')) AS t (workspace_id, id)"
        )
    };
}

/// Holds visitors: those named, and those of the conversations named. In the order of their ids, like
/// everybody, so that no two wait for each other.
macro_rules! hold_visitors {
    ($more:expr) => {
        concat!(
            "
    SELECT v.visitor_id FROM visitor v
    WHERE (v.workspace_id, v.visitor_id) IN (
        SELECT t.workspace_id, t.id FROM ",
            listed!("$1", "$2"),
            "
        UNION
        SELECT c.workspace_id, c.visitor_id FROM ",
            listed!("$3", "$4"),
            "
        JOIN conversation c ON c.workspace_id = t.workspace_id AND c.conversation_id = t.id",
            $more,
            ")
    ORDER BY v.visitor_id
    FOR NO KEY UPDATE"
        )
    };
}

const HOLD_VISITORS: &str = hold_visitors!("");

/// From conversations to the records `m` of the proved persons behind them.
macro_rules! persons {
    ($workspace_ids:literal, $ids:literal) => {
        concat!(
            listed!($workspace_ids, $ids),
            "
        JOIN conversation c ON c.workspace_id = t.workspace_id AND c.conversation_id = t.id
        JOIN visitor w ON w.workspace_id = c.workspace_id AND w.visitor_id = c.visitor_id AND w.proved
        JOIN contact k ON k.workspace_id = w.workspace_id AND k.contact_id = w.contact_id
        JOIN contact m ON m.workspace_id = k.workspace_id AND m.root_id = k.root_id"
        )
    };
}

/// The same with all devices of the persons behind conversations.
const HOLD_VISITORS_OF_PERSONS: &str = hold_visitors!(concat!(
    "
        UNION
        SELECT d.workspace_id, d.visitor_id FROM ",
    persons!("$5", "$6"),
    "
        JOIN visitor d ON d.workspace_id = m.workspace_id AND d.contact_id = m.contact_id AND d.proved"
));

/// Holds workspaces, for who is whom there.
const HOLD_PEOPLE: &str = concat!(
    "
    SELECT w.workspace_id FROM workspace w
    WHERE (w.workspace_id, w.workspace_id) IN (
        SELECT t.workspace_id, t.id FROM ",
    listed!("$1", "$2"),
    ")
    ORDER BY w.workspace_id
    FOR NO KEY UPDATE"
);

/// Holds conversations.
const HOLD_CONVERSATIONS: &str = concat!(
    "
    SELECT c.conversation_id FROM conversation c
    WHERE (c.workspace_id, c.conversation_id) IN (
        SELECT t.workspace_id, t.id FROM ",
    listed!("$1", "$2"),
    ")
    ORDER BY c.conversation_id
    FOR NO KEY UPDATE"
);

/// Holds contacts: those named with all merged with them, those of visitors, and those of the persons behind
/// conversations.
const HOLD_CONTACTS: &str = concat!(
    "
    SELECT o.contact_id FROM contact o
    WHERE (o.workspace_id, o.contact_id) IN (
        SELECT m.workspace_id, m.contact_id FROM ",
    listed!("$1", "$2"),
    "
        JOIN contact k ON k.workspace_id = t.workspace_id AND k.contact_id = t.id
        JOIN contact m ON m.workspace_id = k.workspace_id AND m.root_id = k.root_id
        UNION
        SELECT v.workspace_id, v.contact_id FROM ",
    listed!("$3", "$4"),
    "
        JOIN visitor v ON v.workspace_id = t.workspace_id AND v.visitor_id = t.id
        UNION
        SELECT m.workspace_id, m.contact_id FROM ",
    persons!("$5", "$6"),
    ")
    ORDER BY o.contact_id
    FOR NO KEY UPDATE"
);

/// Holds messages.
const HOLD_MESSAGES: &str = concat!(
    "
    SELECT m.entry_id FROM message m
    WHERE (m.workspace_id, m.entry_id) IN (
        SELECT t.workspace_id, t.id FROM ",
    listed!("$1", "$2"),
    ")
    ORDER BY m.entry_id
    FOR NO KEY UPDATE"
);

/// Holds files.
const HOLD_ATTACHMENTS: &str = concat!(
    "
    SELECT a.attachment_id FROM attachment a
    WHERE (a.workspace_id, a.attachment_id) IN (
        SELECT t.workspace_id, t.id FROM ",
    listed!("$1", "$2"),
    ")
    ORDER BY a.attachment_id
    FOR NO KEY UPDATE"
);

/// The statements that hold what a group's batches need held, all of it before the first of them runs: a
/// statement that waits for a row would go on with a view from before the wait.
pub(crate) fn stmts(batches: &[&Batch]) -> Vec<Stmt> {
    let mut held = Held::default();
    for hold in batches.iter().flat_map(|batch| &batch.holds) {
        match hold {
            Hold::People(workspace_id) => held.people.push(workspace_id, workspace_id),
            Hold::Visitor(workspace_id, id) => held.visitors.push(workspace_id, id),
            Hold::VisitorOf(workspace_id, id) => held.visitors_of.push(workspace_id, id),
            Hold::PersonOf(workspace_id, id) => held.persons_of.push(workspace_id, id),
            Hold::Conversation(workspace_id, id) => held.conversations.push(workspace_id, id),
            Hold::Contact(workspace_id, id) => held.contacts.push(workspace_id, id),
            Hold::ContactOf(workspace_id, id) => held.contacts_of.push(workspace_id, id),
            Hold::Message(workspace_id, id) => held.messages.push(workspace_id, id),
            Hold::Attachment(workspace_id, id) => held.attachments.push(workspace_id, id),
        }
    }
    held.stmts()
}

/// What is held for a group.
#[derive(Default)]
struct Held {
    people: Pairs,
    visitors: Pairs,
    visitors_of: Pairs,
    persons_of: Pairs,
    conversations: Pairs,
    contacts: Pairs,
    contacts_of: Pairs,
    messages: Pairs,
    attachments: Pairs,
}

impl Held {
    /// In the order of locking.
    fn stmts(self) -> Vec<Stmt> {
        let mut stmts = Vec::with_capacity(2);
        let mut push = |sql, lists: &[&Pairs]| {
            if lists.iter().any(|list| !list.ids.is_empty()) {
                let params = lists.iter().flat_map(|list| list.params()).collect();
                stmts.push(Stmt::new(sql, params));
            }
        };
        push(HOLD_PEOPLE, &[&self.people]);
        if self.persons_of.ids.is_empty() {
            push(HOLD_VISITORS, &[&self.visitors, &self.visitors_of]);
        } else {
            let lists = [&self.visitors, &self.visitors_of, &self.persons_of];
            push(HOLD_VISITORS_OF_PERSONS, &lists);
        }
        push(HOLD_CONVERSATIONS, &[&self.conversations]);
        let contacts = [&self.contacts, &self.contacts_of, &self.persons_of];
        push(HOLD_CONTACTS, &contacts);
        push(HOLD_MESSAGES, &[&self.messages]);
        push(HOLD_ATTACHMENTS, &[&self.attachments]);
        stmts
    }
}

/// Whether the group's guards hold what they need themselves: all of one text, wary, and each for one row, which they
/// come to in the order of the group. Others' holds might be in another order.
pub(crate) fn is_needless(batches: &[&Batch]) -> bool {
    let mut texts = batches.iter().filter_map(|batch| batch.guard.as_ref());
    let first = texts.next();
    batches.iter().all(|batch| match &batch.guard {
        Some(guard) => {
            let is_same = first.is_some_and(|first| std::ptr::eq(first.sql, guard.sql));
            batch.is_wary && !batch.is_alone && batch.holds.len() == 1 && is_same
        }
        None => batch.holds.is_empty(),
    })
}

/// The guarded batches in waves. The guards of a wave may decide together, because none looks at what another
/// one's rest changes: they hold nothing in common. Whoever is alone has a wave of his own.
pub(crate) fn waves(batches: &[&Batch]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut held: HashMap<Hold, usize> = HashMap::new();
    let mut earliest = 0;
    for (index, batch) in batches.iter().enumerate() {
        if batch.guard.is_none() {
            continue;
        }
        let after_held = batch.holds.iter().filter_map(|hold| held.get(hold)).max();
        let mut wave = after_held.map_or(earliest, |last| earliest.max(last + 1));
        if batch.is_alone {
            wave = waves.len();
            earliest = wave + 1;
        }
        if wave == waves.len() {
            waves.push(Vec::new());
        }
        waves[wave].push(index);
        held.extend(batch.holds.iter().map(|hold| (*hold, wave)));
    }
    waves
}

/// Ids, each with its workspace, as two lists in texts.
#[derive(Default)]
struct Pairs {
    workspace_ids: String,
    ids: String,
}

impl Pairs {
    fn push(&mut self, workspace_id: impl Display, id: impl Display) {
        if !self.ids.is_empty() {
            self.workspace_ids.push(' ');
            self.ids.push(' ');
        }
        // Writing to a text does not fail.
        let _ = write!(self.workspace_ids, "{workspace_id}");
        let _ = write!(self.ids, "{id}");
    }

    fn params(&self) -> [Value; 2] {
        [&self.workspace_ids, &self.ids].map(|ids| Value::from(ids.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[test]
    fn guards_of_one_row_decide_after_each_other_and_a_lonely_one_alone() {
        let guarded = |conversation: u128| {
            let workspace_id = WorkspaceId::from_bits(1);
            let id = ConversationId::from_bits(conversation);
            let guard = Stmt::new("", Vec::new());
            Batch::guarded(vec![Hold::Conversation(workspace_id, id)], guard)
        };
        let alone = Batch {
            is_alone: true,
            ..guarded(9)
        };
        let batches = [
            guarded(1),
            guarded(1),
            Batch::default(),
            guarded(2),
            alone,
            guarded(3),
            guarded(1),
        ];
        let batches: Vec<_> = batches.iter().collect();
        let expected = [vec![0, 3], vec![1], vec![4], vec![5, 6]];
        assert_eq!(waves(&batches), expected);
    }
}
