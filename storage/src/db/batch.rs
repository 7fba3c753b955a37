//! Statements and batches.

use crate::db::hold::Hold;
use crate::db::row::Row;
use crate::db::value::Value;

/// A statement with its parameters, `$1` first.
#[derive(Debug, Clone)]
pub struct Stmt {
    /// The text, the same for both databases.
    pub sql: &'static str,
    /// The values of `$1..$n`.
    pub params: Vec<Value>,
}

impl Stmt {
    /// A statement.
    #[must_use]
    pub fn new(sql: &'static str, params: Vec<Value>) -> Self {
        Self { sql, params }
    }
}

/// Makes a [`Stmt`]: `stmt!(FIND_SITE, workspace_id, site_id)`.
macro_rules! stmt {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        $crate::db::Stmt::new($sql, vec![$($crate::db::Value::from($value)),*])
    };
}
pub(crate) use stmt;

/// What a statement of a batch answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The rows, of statements that give rows.
    pub rows: Vec<Row>,
    /// How many rows the statement changed.
    pub changed: u64,
}

/// Statements that are stored together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What the statements lock themselves, in the order of locking. Batches of a group run sorted by this.
    pub locks: Vec<String>,
    /// What is locked for them.
    pub holds: Vec<Hold>,
    /// The statements, in order.
    pub stmts: Vec<Stmt>,
}

impl Batch {
    /// An empty batch whose statements lock these rows.
    #[must_use]
    pub fn locking(locks: Vec<String>) -> Self {
        Self {
            locks,
            ..Self::default()
        }
    }

    /// An empty batch for which these rows are locked.
    #[must_use]
    pub fn holding(holds: Vec<Hold>) -> Self {
        let lock = |hold: &Hold| match hold {
            Hold::Visitor(_, id) => Some(id.to_string()),
            Hold::Conversation(_, id) => Some(id.to_string()),
            Hold::VisitorOf(..) => None,
        };
        Self {
            locks: holds.iter().filter_map(lock).collect(),
            holds,
            stmts: Vec::new(),
        }
    }

    /// Adds a statement and tells where its answer will be.
    pub fn push(&mut self, stmt: Stmt) -> usize {
        self.stmts.push(stmt);
        self.stmts.len() - 1
    }
}
