//! A group of nothing but guarded rows as one statement of Postgres: the guards decide, and what they let through is
//! stored, in one go and without a transaction around it.
//!
//! What the guards give to the rows stays in Postgres. One that gave no row was refused, or had to wait and knows
//! nothing of what was done meanwhile: whoever sent the group asks it again, with what it needs held.

use std::borrow::Cow;

use postgres_types::Type;

use crate::db::batch::{Batch, Stmt};
use crate::db::hold;
use crate::db::list::{self, Part, Shape};
use crate::db::value::Value;

/// Groups of up to so many have a text for each number of them, whose parameters come each for itself: to set up a list
/// of columns takes as long as to store a message (docs/decisions/a-send-is-guarded-by-one-statement.md).
const ROWS_MAX: usize = 8;

/// A group as one statement: batches of the same texts.
pub(crate) struct Whole<'a> {
    /// Of each batch its guard and its rows.
    rows: Vec<Vec<&'a Stmt>>,
}

impl<'a> Whole<'a> {
    /// The group as one statement; nothing where it is more than guarded rows, one of each table, where its batches
    /// differ, or where a guard has to come after what another one lets through.
    pub(crate) fn of(batches: &[&'a Batch]) -> Option<Self> {
        let is_one_wave = || hold::waves(batches).len() == 1;
        if !hold::is_needless(batches) || !is_one_wave() {
            return None;
        }
        let rows = |batch: &&'a Batch| {
            let guard = batch.guard.as_ref().filter(|guard| guard.is_row)?;
            let may_come = |stmt: &Stmt| stmt.is_row && adds_only(stmt);
            let stmts = std::iter::once(guard).chain(&batch.stmts);
            batch.stmts.iter().all(may_come).then(|| stmts.collect())
        };
        let rows: Vec<Vec<&'a Stmt>> = batches.iter().map(rows).collect::<Option<_>>()?;
        let (first, others) = rows.split_first()?;
        let is_anew = |(place, stmt): (usize, &&Stmt)| {
            !first[..place]
                .iter()
                .any(|before| std::ptr::eq(before.sql, stmt.sql))
        };
        if !first.iter().enumerate().all(is_anew) {
            return None;
        }
        others
            .iter()
            .all(|row| are_alike(row, first))
            .then_some(Self { rows })
    }

    /// How many batches it has.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How its parameters come.
    pub(crate) fn shape(&self) -> Shape {
        match self.rows.len() {
            count @ ..=ROWS_MAX => Shape::Rows(count),
            _ => Shape::Columns,
        }
    }

    /// The texts that it is made of: the guard's, then each row's.
    pub(crate) fn texts(&self) -> Vec<&'static str> {
        self.rows[0].iter().map(|stmt| stmt.sql).collect()
    }

    /// The statement; `types` are those of the parameters of each of its texts, `columns` what the guard gives.
    pub(crate) fn sql(
        &self,
        types: &[Vec<Type>],
        columns: &[String],
        fence: Option<&Stmt>,
    ) -> String {
        let parts = self.rows[0].iter().zip(types);
        let parts: Vec<_> = parts
            .map(|(stmt, types)| Part {
                sql: stmt.sql,
                types,
                given: stmt.given,
            })
            .collect();
        let fence = fence.map(|fence| fence.sql);
        list::chain(&parts[0], columns, &parts[1..], self.shape(), fence)
    }

    /// The values of its parameters, row by row.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'a Value> {
        let stmts = self.rows.iter().flatten();
        stmts.flat_map(|stmt| &stmt.params)
    }

    /// The values of its parameters, column by column.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Vec<Cow<'a, Value>>> {
        let column = |part: usize, place: usize| {
            let values = self.rows.iter().map(|row| &row[part].params[place]);
            values.map(Cow::Borrowed).collect()
        };
        let parts = self.rows[0].iter().enumerate();
        parts.flat_map(move |(part, stmt)| {
            (0..stmt.params.len()).map(move |place| column(part, place))
        })
    }
}

/// Whether two batches have the same texts, which are told apart by where they stand.
fn are_alike(row: &[&Stmt], other: &[&Stmt]) -> bool {
    let same = |(one, other): (&&Stmt, &&Stmt)| {
        std::ptr::eq(one.sql, other.sql) && one.given == other.given
    };
    row.len() == other.len() && row.iter().zip(other).all(same)
}

/// Whether what the guard gives is added to numbers, or to nothing.
fn adds_only(stmt: &Stmt) -> bool {
    let is_number = |place: usize| matches!(stmt.params[place], Value::Integer(_) | Value::Null);
    stmt.given.iter().all(|(place, _)| is_number(*place))
}

#[cfg(test)]
mod tests {
    use protocol::id::{ConversationId, Id, WorkspaceId};

    use super::*;
    use crate::db::Hold;

    // One text each, wherever it is named: they are told apart by where they stand.
    static GUARD: &str = "UPDATE t SET n = n + 1 WHERE a = $1 RETURNING n";
    static ROW: &str = "INSERT INTO u (n) VALUES ($1)";

    fn batch(conversation: u128) -> Batch {
        let id = ConversationId::from_bits(conversation);
        let hold = Hold::Conversation(WorkspaceId::from_bits(1), id);
        let guard = Stmt::row(GUARD, vec![Value::from(id)], &[]);
        let mut batch = Batch::guarded(vec![hold], guard);
        batch.is_wary = true;
        batch.push(Stmt::row(ROW, vec![Value::Integer(0)], &[(0, "n")]));
        batch
    }

    fn is_whole(batches: &[Batch]) -> bool {
        let batches: Vec<&Batch> = batches.iter().collect();
        Whole::of(&batches).is_some()
    }

    #[test]
    fn only_guarded_rows_that_do_not_touch_each_other_are_whole() {
        let with = |change: &dyn Fn(&mut Batch)| {
            let mut second = batch(2);
            change(&mut second);
            [batch(1), second]
        };
        assert!(is_whole(&[batch(1)]));
        assert!(is_whole(&with(&|_| {})));
        assert!(!is_whole(&[batch(1), batch(1)]), "one after the other");
        let statement = |batch: &mut Batch| {
            batch.push(Stmt::new("DELETE FROM u", Vec::new()));
        };
        assert!(!is_whole(&with(&statement)), "no row");
        let text = |batch: &mut Batch| {
            batch.push(Stmt::row(ROW, vec![Value::from("")], &[(0, "n")]));
        };
        assert!(!is_whole(&with(&text)), "a text is given");
        let ungiven = |batch: &mut Batch| {
            batch.stmts[0].given = &[];
        };
        assert!(!is_whole(&with(&ungiven)), "rows of one table differ");
        let more = |batch: &mut Batch| {
            batch.push(Stmt::row(ROW, vec![Value::Integer(0)], &[(0, "n")]));
        };
        assert!(!is_whole(&with(&more)), "one has more rows");
        let both = [1, 2].map(|id| {
            let mut batch = batch(id);
            more(&mut batch);
            batch
        });
        assert!(!is_whole(&both), "two rows of a table");
        assert!(!is_whole(&with(&|batch| batch.is_wary = false)));
        assert!(!is_whole(&with(&|batch| batch.is_alone = true)));
        assert!(!is_whole(&with(&|batch| batch.guard = None)));
        assert!(!is_whole(&[]));
    }

    #[test]
    fn parameters_come_each_for_itself_or_as_columns() {
        let few = [batch(1), batch(2)];
        let few: Vec<&Batch> = few.iter().collect();
        let whole = Whole::of(&few).unwrap();
        assert_eq!(whole.texts(), [GUARD, ROW]);
        assert_eq!(whole.shape(), Shape::Rows(2));
        let zero = &Value::Integer(0);
        let ids = [1, 2].map(|bits| Value::from(ConversationId::from_bits(bits)));
        assert_eq!(
            whole.values().collect::<Vec<_>>(),
            [&ids[0], zero, &ids[1], zero]
        );
        let columns: Vec<_> = whole.columns().collect();
        assert_eq!(columns.len(), 2);
        assert_eq!(
            columns[0].iter().map(|id| &**id).collect::<Vec<_>>(),
            [&ids[0], &ids[1]]
        );

        let many: Vec<Batch> = (0..=ROWS_MAX as u128).map(batch).collect();
        let many: Vec<&Batch> = many.iter().collect();
        assert_eq!(Whole::of(&many).unwrap().shape(), Shape::Columns);
    }
}
