//! Statements and batches.

use std::borrow::Cow;

use crate::db::hold::Hold;
use crate::db::row::Row;
use crate::db::value::Value;
use crate::error::{Error, Result};

/// What a row gives to a statement, that of a batch's guard or of an earlier read: places of parameters, from zero, and
/// columns. A number is added to the one that stands in the place; nothing stays nothing; anything else is replaced.
pub(crate) type Given = &'static [(usize, &'static str)];

/// A statement with its parameters, `$1` first.
#[derive(Debug, Clone)]
pub struct Stmt {
    /// The text, the same for both databases.
    pub sql: &'static str,
    /// The values of `$1..$n`.
    pub params: Vec<Value>,
    /// Which of them the batch's guard gives, or an earlier read.
    pub(crate) given: Given,
    /// Which read of its snapshot gives them, from zero: an earlier one. Nothing where the batch's guard does.
    pub(crate) giver: Option<usize>,
    /// Whether it is an insert of one row, `… VALUES ($1, …, $n)`, or a guard that changes one, `UPDATE … SET … WHERE …
    /// RETURNING …`, with the first `WHERE` being its own: many of them may run as one.
    pub(crate) is_row: bool,
}

impl Stmt {
    /// A statement.
    #[must_use]
    pub fn new(sql: &'static str, params: Vec<Value>) -> Self {
        Self {
            sql,
            params,
            given: &[],
            giver: None,
            is_row: false,
        }
    }

    /// An insert of one row, some of whose values the batch's guard gives.
    pub(crate) fn row(sql: &'static str, params: Vec<Value>, given: Given) -> Self {
        Self {
            sql,
            params,
            given,
            giver: None,
            is_row: true,
        }
    }

    /// The same with values that the batch's guard gives.
    pub(crate) fn with(self, given: Given) -> Self {
        Self { given, ..self }
    }

    /// The same read with values that the first row of an earlier one of its snapshot gives. Where that one has no row,
    /// this has none.
    pub(crate) fn after(self, giver: usize, given: Given) -> Self {
        Self {
            given,
            giver: Some(giver),
            ..self
        }
    }

    /// The row that gives it values, among those that the earlier reads of its snapshot gave.
    pub(crate) fn giver_among<'a>(&self, answers: &'a [Vec<Row>]) -> Option<&'a Row> {
        answers.get(self.giver?)?.first()
    }

    /// Whether it has no row because the read that gives it values has none.
    pub(crate) fn lacks(&self, giver: Option<&Row>) -> bool {
        self.giver.is_some() && giver.is_none()
    }

    /// The value of a parameter, from zero, with what the guard's row gives, or an earlier read's.
    ///
    /// # Errors
    /// `Fault` where a guard is missing.
    pub(crate) fn value(&self, place: usize, guard: Option<&Row>) -> Result<Cow<'_, Value>> {
        let param = &self.params[place];
        let Some((_, column)) = self.given.iter().find(|(given, _)| *given == place) else {
            return Ok(Cow::Borrowed(param));
        };
        let guard =
            guard.ok_or_else(|| Error::Fault(format!("{} has no guard to take from", self.sql)))?;
        Ok(match (param, guard.value(column)?) {
            (Value::Null, _) => Cow::Borrowed(param),
            (Value::Integer(number), Value::Integer(given)) => {
                Cow::Owned(Value::Integer(number + given))
            }
            (_, given) => Cow::Owned(given.clone()),
        })
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
    /// The statement that decides: where it gives no row, nothing else runs. Its answer comes first.
    pub(crate) guard: Option<Stmt>,
    /// Whether the guard gives no row where it waited for one that was changed meanwhile. It needs nothing held, then:
    /// what it did not decide is held and asked again.
    pub(crate) is_wary: bool,
    /// Whether nothing may come between the guard and the rest: for guards that look at more than what is held.
    pub(crate) is_alone: bool,
    /// Whether it takes long and nobody waits for it: Postgres stores it beside the groups, whose rows it would hold
    /// for others meanwhile.
    pub(crate) is_aside: bool,
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
        // A visitor's first message also counts in the workspace, whose counter is locked in this order.
        let lock = |hold: &Hold| match hold {
            Hold::Visitor(workspace_id, id) => Some(format!("{workspace_id} {id}")),
            Hold::Conversation(_, id) => Some(id.to_string()),
            Hold::People(_)
            | Hold::VisitorOf(..)
            | Hold::PersonOf(..)
            | Hold::Contact(..)
            | Hold::ContactOf(..)
            | Hold::Message(..)
            | Hold::Attachment(..) => None,
        };
        Self {
            locks: holds.iter().filter_map(lock).collect(),
            holds,
            ..Self::default()
        }
    }

    /// A batch that this statement decides over, for which these rows are locked. It must not look at
    /// anything else that another batch changes; where it does, the batch has to be alone.
    pub(crate) fn guarded(holds: Vec<Hold>, guard: Stmt) -> Self {
        Self {
            guard: Some(guard),
            ..Self::holding(holds)
        }
    }

    /// Adds a statement and tells where its answer will be.
    pub fn push(&mut self, stmt: Stmt) -> usize {
        self.stmts.push(stmt);
        self.stmts.len() - 1 + usize::from(self.guard.is_some())
    }
}
