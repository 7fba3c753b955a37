//! Holds: rows that are locked before the first statement of a group runs.
//!
//! Only Postgres needs the statements: the one writer of SQLite waits for nobody.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};

use protocol::id::{ConversationId, VisitorId, WorkspaceId};

use crate::db::batch::{Batch, Stmt};
use crate::db::value::Value;

/// A row that is locked before the first statement of a group runs. What the statements read after that
/// is what the one before left there: nobody waits in the middle of a statement, with an older view.
// The order is the order of locking: visitors, then conversations, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// A visitor.
    Visitor(WorkspaceId, VisitorId),
    /// The visitor of a conversation.
    VisitorOf(WorkspaceId, ConversationId),
    /// A conversation.
    Conversation(WorkspaceId, ConversationId),
}

/// Holds visitors: those named, and those of the conversations named. In the order of their ids, like
/// everybody, so that no two wait for each other.
const HOLD_VISITORS: &str = "
    SELECT v.visitor_id FROM visitor v
    WHERE (v.workspace_id, v.visitor_id) IN (
        SELECT t.workspace_id, t.id
        FROM unnest(string_to_array($1, ' '), string_to_array($2, ' ')) AS t (workspace_id, id)
        UNION
        SELECT c.workspace_id, c.visitor_id
        FROM unnest(string_to_array($3, ' '), string_to_array($4, ' ')) AS t (workspace_id, id)
        JOIN conversation c ON c.workspace_id = t.workspace_id AND c.conversation_id = t.id)
    ORDER BY v.visitor_id
    FOR NO KEY UPDATE";

/// Holds conversations.
const HOLD_CONVERSATIONS: &str = "
    SELECT c.conversation_id FROM conversation c
    WHERE (c.workspace_id, c.conversation_id) IN (
        SELECT t.workspace_id, t.id
        FROM unnest(string_to_array($1, ' '), string_to_array($2, ' ')) AS t (workspace_id, id))
    ORDER BY c.conversation_id
    FOR NO KEY UPDATE";

/// The statements that hold what a group's batches need held, all of it before the first of them runs: a
/// statement that waits for a row would go on with a view from before the wait.
pub(crate) fn stmts(batches: &[&Batch]) -> Vec<Stmt> {
    let mut visitors = Pairs::default();
    let mut of_conversations = Pairs::default();
    let mut conversations = Pairs::default();
    for hold in batches.iter().flat_map(|batch| &batch.holds) {
        match hold {
            Hold::Visitor(workspace_id, id) => visitors.push(workspace_id, id),
            Hold::VisitorOf(workspace_id, id) => of_conversations.push(workspace_id, id),
            Hold::Conversation(workspace_id, id) => conversations.push(workspace_id, id),
        }
    }
    let mut stmts = Vec::with_capacity(2);
    if !visitors.ids.is_empty() || !of_conversations.ids.is_empty() {
        let params = [visitors, of_conversations].map(Pairs::params).concat();
        stmts.push(Stmt::new(HOLD_VISITORS, params));
    }
    if !conversations.ids.is_empty() {
        stmts.push(Stmt::new(HOLD_CONVERSATIONS, conversations.params()));
    }
    stmts
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

    fn params(self) -> Vec<Value> {
        vec![Value::from(self.workspace_ids), Value::from(self.ids)]
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
