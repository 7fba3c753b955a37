//! What the databases are told of the rows that their tables hold, so that they plan as for a large workspace from the
//! first one on.
//!
//! Without it SQLite takes ten rows for each value of an index's first column. Here that column is the workspace, which
//! most installations have one of: so going through all of it, in an order that saves sorting, seemed cheaper than
//! looking up what is asked for. Counted statistics (`ANALYZE`) would change plans with what happens to be stored;
//! these depend on the schema alone. Format: <https://www.sqlite.org/fileformat2.html#the_sqlite_stat1_table>.
//!
//! Postgres lets nobody write its statistics. It counts rows that are made up and gone before anybody sees them
//! ([`tell_postgres`]), and counts for itself once a table has enough real ones.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::db::plan::SMALL;

/// Rows of a table, of one of which a workspace has few, and of the part of a table that an index has.
const ROWS: u64 = 1_000_000;
const ROWS_SMALL: u64 = 50;
const ROWS_PART: u64 = 10_000;

/// Rows for a value of the first column that tells some apart; each further one tells so many times more apart.
const ROWS_OF_VALUE: u64 = 64;
const FURTHER: u64 = 4;

/// Columns in which many rows have the same value.
const TELLS_LITTLE: [&str; 5] = ["workspace_id", "kind", "noun", "scope", "seat"];

/// The statements that have Postgres count a thousand rows of one workspace in each of these tables that is empty
/// and was never counted. A column that tells much apart and that an index has is different in all of them, like an id;
/// any other one is the same in all; what may be missing is missing in half of them. So nobody goes through a table or
/// a partial index because a filter seems to leave one row. A table of which no two rows may be equal in the workspace, or in another such column, has one. Nobody else can reach
/// a table between the look and the
/// end of the transaction, which must not be that in which the table was made: truncated there, it would count as one
/// without a page, of which all is read. As it is, the planner takes it for ten pages.
///
/// Plans are made once for a connection and kept until a table is counted again. Those of an empty table, to which
/// all ways to its rows seem equal, went through all rows of four tables: 265 ms for each of the first visitors of
/// 8,000, until Postgres had counted some. So it counts and cleans not before a thousand rows have changed, for
/// which the way matters.
pub(super) fn tell_postgres(tables: &[&str]) -> String {
    format!("{BEGIN_TELLING}{}{END_TELLING}", tables.join(" "))
}

const BEGIN_TELLING: &str = "
BEGIN;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
DO $tell$
DECLARE
    one RECORD;
    is_empty BOOLEAN;
BEGIN
    FOR one IN
        SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ') AS columns,
            string_agg(CASE WHEN a.attnotnull THEN '' ELSE 'CASE WHEN n % 2 = 0 THEN ' END || CASE
                WHEN a.atttypid = 'boolean'::regtype THEN 'FALSE'
                WHEN a.attname IN ('workspace_id', 'kind', 'noun', 'scope', 'seat') OR NOT EXISTS (
                    SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey))
                THEN CASE a.atttypid
                    WHEN 'bytea'::regtype THEN '$q$$q$::bytea'
                    WHEN 'text'::regtype THEN '$q$x$q$'
                    ELSE '1' END
                WHEN a.atttypid = 'bytea'::regtype THEN 'convert_to(n::text, $q$UTF8$q$)'
                WHEN a.atttypid = 'text'::regtype THEN 'n::text'
                ELSE 'n' END || CASE WHEN a.attnotnull THEN '' ELSE ' END' END, ', ') AS made_up
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
            AND c.relname = ANY (string_to_array('";

const END_TELLING: &str = "', ' '))
            AND NOT EXISTS (
                SELECT 1 FROM pg_stats s WHERE s.schemaname = current_schema() AND s.tablename = c.relname)
        GROUP BY c.relname ORDER BY c.relname
    LOOP
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', one.name);
        EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM %I)', one.name) INTO is_empty;
        IF is_empty THEN
            EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 1000) n ON CONFLICT DO NOTHING',
                one.name, one.columns, one.made_up);
            EXECUTE format('ANALYZE %I', one.name);
            EXECUTE format('TRUNCATE %I', one.name);
            EXECUTE format('ALTER TABLE %I SET (autovacuum_analyze_threshold = 1000,
                autovacuum_vacuum_threshold = 1000)', one.name);
        END IF;
    END LOOP;
END $tell$;
COMMIT";

/// An index: its table, name, whether it is of a part of the table, and whether no two rows are equal in it.
struct Index {
    table: String,
    name: String,
    is_partial: bool,
    is_unique: bool,
}

/// Tells SQLite, where it was told otherwise; other connections hear it when they open.
///
/// # Errors
/// The library's.
pub(super) fn tell(connection: &Connection) -> rusqlite::Result<()> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1')";
    if !connection.query_row(is_there, [], |row| row.get(0))? {
        // The table of statistics is made by an analysis, and only so: one of a few rows.
        connection.execute_batch("ANALYZE migration")?;
    }
    let expected = expected(connection)?;
    let found: BTreeMap<(String, String), String> = connection
        .prepare("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE idx IS NOT NULL")?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    if found == expected {
        return Ok(());
    }
    connection.execute("DELETE FROM sqlite_stat1", [])?;
    let mut insert =
        connection.prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)")?;
    for ((table, index), stat) in &expected {
        insert.execute((table, index, stat))?;
    }
    connection.execute_batch("ANALYZE sqlite_schema")
}

fn expected(connection: &Connection) -> rusqlite::Result<BTreeMap<(String, String), String>> {
    let mut indexes = connection.prepare(
        "SELECT t.name, i.name, i.partial, i.\"unique\" FROM sqlite_schema t, pragma_index_list(t.name) i
         WHERE t.type = 'table' AND t.sql LIKE '%STRICT'",
    )?;
    let indexes = indexes.query_map([], |row| {
        Ok(Index {
            table: row.get(0)?,
            name: row.get(1)?,
            is_partial: row.get(2)?,
            is_unique: row.get(3)?,
        })
    })?;
    let mut expected = BTreeMap::new();
    for index in indexes {
        let index = index?;
        let columns: Vec<Option<String>> = connection
            .prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?
            .query_map([&index.name], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let stat = stat(&index, &columns);
        expected.insert((index.table, index.name), stat);
    }
    Ok(expected)
}

/// Rows of an index, and those that are equal in its first column, its first two, and so on.
fn stat(index: &Index, columns: &[Option<String>]) -> String {
    let all = match (SMALL.contains(&index.table.as_str()), index.is_partial) {
        (true, _) => ROWS_SMALL,
        (false, true) => ROWS_PART,
        (false, false) => ROWS,
    };
    let mut numbers = vec![all];
    let mut equal = all;
    for (place, column) in columns.iter().enumerate() {
        let tells_little = column
            .as_deref()
            .is_some_and(|column| TELLS_LITTLE.contains(&column));
        let is_last = place + 1 == columns.len();
        equal = match (index.is_unique && is_last, tells_little) {
            (true, _) => 1,
            (false, true) => equal,
            (false, false) => (equal / FURTHER).clamp(1, ROWS_OF_VALUE),
        };
        numbers.push(equal);
    }
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, (is_partial, is_unique): (bool, bool), columns: &[&str], expected: &str) {
        let index = Index {
            table: table.to_owned(),
            name: String::new(),
            is_partial,
            is_unique,
        };
        let columns: Vec<_> = columns
            .iter()
            .map(|name| Some((*name).to_owned()))
            .collect();
        assert_eq!(stat(&index, &columns), expected);
    }

    #[test]
    fn the_workspace_tells_nothing_apart_and_each_further_column_more() {
        let whole = (false, false);
        check(
            "visit",
            whole,
            &["workspace_id", "visitor_id", "started_at_ms"],
            "1000000 1000000 64 16",
        );
        check(
            "timer",
            (false, true),
            &["workspace_id", "timer_id"],
            "1000000 1000000 1",
        );
        check(
            "tag",
            (false, true),
            &["workspace_id", "noun", "subject_id", "name"],
            "1000000 1000000 1000000 64 1",
        );
        check(
            "conversation",
            (true, false),
            &["workspace_id", "active_slot"],
            "10000 10000 64",
        );
        check(
            "site",
            (false, true),
            &["workspace_id", "site_id"],
            "50 50 1",
        );
    }
}
