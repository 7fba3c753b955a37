//! No statement goes through a whole table, or through all of a workspace, unless its text says why.
//!
//! Looked at where SQLite prepares a statement, in builds with debug assertions: every statement that any test runs
//! is held to it. A statement that rightly reads all says `/* reads all: why */`. Postgres has the same indexes, and
//! is told the same of its tables.

use rusqlite::Connection;

/// How a statement says that it reads all, and why.
const REASON: &str = "/* reads all: ";

/// Tables of which a workspace has so few rows that all of them are read at once.
pub(super) const SMALL: [&str; 17] = [
    "account",
    "agent",
    "agent_grant",
    "api_key",
    "blocked_address",
    "canned_response",
    "identity_key",
    "invitation",
    "meta",
    "migration",
    "node",
    "saved_view",
    "setting",
    "site",
    "site_secret",
    "workspace",
    "workspace_picture",
];

/// Looks at the plan of a statement.
///
/// # Panics
/// Where it goes through more than it gives, and does not say why.
pub(super) fn check(connection: &Connection, sql: &str) {
    if sql.contains(REASON) {
        return;
    }
    let steps = details(connection, &format!("EXPLAIN QUERY PLAN {sql}"), "detail");
    let walks: Vec<&String> = steps
        .iter()
        .filter(|step| walked(step, sql).is_some_and(|table| is_large(connection, table)))
        .filter(|step| !is_in_part(connection, step))
        .collect();
    assert!(
        walks.is_empty(),
        "goes through all, and does not say why: {walks:?} of {sql}"
    );
}

fn details(connection: &Connection, sql: &str, column: &str) -> Vec<String> {
    let read = |sql| -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(sql)?;
        let mut found = Vec::new();
        // No value is bound: a plan is made without them.
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            found.push(row.get(column)?);
        }
        Ok(found)
    };
    read(sql).expect("what can be prepared can be explained")
}

/// What a step goes through whole, or all of a workspace in it: `SCAN c`, `SEARCH c USING INDEX … (workspace_id=?)`.
fn walked<'s>(step: &'s str, sql: &'s str) -> Option<&'s str> {
    let (way, rest) = step.split_once(' ')?;
    let is_everything = match way {
        "SCAN" => !rest.contains(" VIRTUAL TABLE "),
        "SEARCH" => rest.ends_with("(workspace_id=?)"),
        _ => false,
    };
    let name = rest.split(' ').next()?;
    is_everything.then(|| named(name, sql))
}

/// What a name stands for in a statement: behind `FROM`, `JOIN`, `UPDATE` or `INTO`, where it is not itself what is named.
fn named<'s>(name: &'s str, sql: &'s str) -> &'s str {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words: Vec<&str> = sql
        .split(|letter| !is_letter(letter))
        .filter(|word| !word.is_empty() && *word != "AS")
        .collect();
    let named = words.windows(3).find_map(|window| match window {
        ["FROM" | "JOIN" | "UPDATE" | "INTO", table, alias] if *alias == name => Some(*table),
        _ => None,
    });
    named.unwrap_or(name)
}

/// Whether it is a table that may be large; nothing that the statement itself makes.
fn is_large(connection: &Connection, table: &str) -> bool {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    !SMALL.contains(&table)
        && details(connection, tables, "name")
            .iter()
            .any(|name| name == table)
}

/// Whether it goes through an index of a part of a table, which is there to be gone through.
fn is_in_part(connection: &Connection, step: &str) -> bool {
    let index = step
        .split_once(" INDEX ")
        .and_then(|(_, rest)| rest.split(' ').next());
    let text = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'";
    let parts = details(connection, text, "name");
    index.is_some_and(|index| parts.iter().any(|name| name == index))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a statement is let through.
    fn is_good(sql: &str) -> bool {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE conversation (workspace_id, conversation_id, state, PRIMARY KEY (workspace_id, conversation_id));
                 CREATE INDEX conversation_closed ON conversation (workspace_id) WHERE state = 'closed';
                 CREATE TABLE site (workspace_id, site_id, PRIMARY KEY (workspace_id, site_id));",
            )
            .unwrap();
        // The statement itself is right, so that it is not let through for a mistake in it.
        connection.prepare(sql).unwrap();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&connection, sql))).is_ok()
    }

    #[test]
    fn who_goes_through_a_table_or_a_workspace_is_stopped_and_nobody_else() {
        for sql in [
            "SELECT 1 FROM conversation WHERE workspace_id = $1 AND conversation_id = $2",
            "SELECT 1 FROM conversation c WHERE c.workspace_id = $1 AND c.conversation_id > $2",
            "SELECT 1 FROM site WHERE workspace_id = $1",
            "SELECT site_id FROM site",
            "/* reads all: it is exported */ SELECT state FROM conversation",
            "WITH given AS (SELECT $1 AS state) SELECT g.state FROM given g",
            "SELECT 1 FROM conversation WHERE workspace_id = $1 AND state = 'closed'",
            "INSERT INTO conversation VALUES ($1, $2, $3)",
        ] {
            assert!(is_good(sql), "{sql}");
        }
        for sql in [
            "SELECT state FROM conversation",
            "SELECT c.state FROM site s JOIN conversation AS c ON c.workspace_id = s.workspace_id",
            "SELECT 1 FROM conversation c WHERE c.workspace_id = $1 AND c.state = $2",
            "SELECT 1 FROM conversation WHERE workspace_id = $1 AND (conversation_id = $2 OR state IN (SELECT $3))",
            "UPDATE conversation SET state = $2 WHERE workspace_id = $1",
            "DELETE FROM conversation WHERE state = $1",
        ] {
            assert!(!is_good(sql), "{sql}");
        }
    }
}
