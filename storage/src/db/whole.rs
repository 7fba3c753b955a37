//! A group of nothing but guarded rows as one statement of Postgres: the guards decide, and what they let through is
//! stored, in one go and without a transaction around it.
//!
//! What the guards give to the rows stays in Postgres. One that gave no row was refused, or had to wait and knows
//! nothing of what was done meanwhile: whoever sent the group asks it again, with what it needs held.

use std::borrow::Cow;

use postgres_types::Type;

use crate::db::batch::{Batch, Given, Stmt};
use crate::db::hold;
use crate::db::list::{self, Rows};
use crate::db::value::Value;

/// A group as one statement.
pub(crate) struct Whole<'a> {
    /// The guards, which have one text, in the order of the group.
    guards: Vec<&'a Stmt>,
    /// The rows by table, each with the place of its guard, from one.
    tables: Vec<Table<'a>>,
}

/// What goes into one table.
struct Table<'a> {
    sql: &'static str,
    given: Given,
    rows: Vec<(Value, &'a Stmt)>,
}

impl<'a> Whole<'a> {
    /// The group as one statement; nothing where it is more than guarded rows, or where a guard has to come after
    /// what another one lets through.
    pub(crate) fn of(batches: &[&'a Batch]) -> Option<Self> {
        let is_one_wave = || hold::waves(batches).len() == 1;
        if !hold::is_needless(batches) || !is_one_wave() {
            return None;
        }
        let mut guards = Vec::with_capacity(batches.len());
        let mut tables: Vec<Table<'a>> = Vec::new();
        for batch in batches {
            guards.push(batch.guard.as_ref().filter(|guard| guard.is_row)?);
            let place = Value::from(guards.len());
            for stmt in &batch.stmts {
                if !stmt.is_row || !adds_only(stmt) {
                    return None;
                }
                let row = (place.clone(), stmt);
                let same = |table: &&mut Table<'_>| std::ptr::eq(table.sql, stmt.sql);
                match tables.iter_mut().find(same) {
                    Some(table) if table.given == stmt.given => table.rows.push(row),
                    Some(_) => return None,
                    None => tables.push(Table {
                        sql: stmt.sql,
                        given: stmt.given,
                        rows: vec![row],
                    }),
                }
            }
        }
        Some(Self { guards, tables })
    }

    /// How many batches it has.
    pub(crate) fn len(&self) -> usize {
        self.guards.len()
    }

    /// The texts that it is made of: the guard's, then each table's.
    pub(crate) fn texts(&self) -> Vec<&'static str> {
        let guard = self.guards.iter().take(1).map(|guard| guard.sql);
        guard
            .chain(self.tables.iter().map(|table| table.sql))
            .collect()
    }

    /// The statement; `types` are those of the parameters of each of its texts.
    pub(crate) fn sql(&self, types: &[Vec<Type>], fence: Option<&Stmt>) -> String {
        let texts = self.texts();
        let rows = self.tables.iter().zip(&types[1..]);
        let rows: Vec<_> = rows
            .map(|(table, types)| Rows {
                sql: table.sql,
                types,
                given: table.given,
            })
            .collect();
        list::chain(texts[0], &types[0], &rows, fence.map(|fence| fence.sql))
    }

    /// The values of its parameters, each a column.
    pub(crate) fn columns(&self) -> Vec<Vec<Cow<'a, Value>>> {
        let column = |stmts: &mut dyn Iterator<Item = &'a Stmt>, place: usize| {
            stmts
                .map(|stmt| Cow::Borrowed(&stmt.params[place]))
                .collect()
        };
        let mut columns = Vec::new();
        for place in 0..self.guards[0].params.len() {
            columns.push(column(&mut self.guards.iter().copied(), place));
        }
        for table in &self.tables {
            for place in 0..table.rows[0].1.params.len() {
                columns.push(column(&mut table.rows.iter().map(|(_, stmt)| *stmt), place));
            }
            let places = table.rows.iter();
            columns.push(places.map(|(place, _)| Cow::Owned(place.clone())).collect());
        }
        columns
    }
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
            batch.push(Stmt::row(ROW, vec![Value::Integer(0)], &[]));
        };
        assert!(!is_whole(&with(&ungiven)), "rows of one table differ");
        assert!(!is_whole(&with(&|batch| batch.is_wary = false)));
        assert!(!is_whole(&with(&|batch| batch.is_alone = true)));
        assert!(!is_whole(&with(&|batch| batch.guard = None)));
        assert!(!is_whole(&[]));
    }

    #[test]
    fn each_row_knows_the_place_of_its_guard() {
        let batches = [batch(1), batch(2)];
        let batches: Vec<&Batch> = batches.iter().collect();
        let whole = Whole::of(&batches).unwrap();
        assert_eq!(whole.texts(), [GUARD, ROW]);
        let columns = whole.columns();
        assert_eq!(columns.len(), 3);
        assert_eq!(*columns[2][0], Value::Integer(1));
        assert_eq!(*columns[2][1], Value::Integer(2));
    }
}
