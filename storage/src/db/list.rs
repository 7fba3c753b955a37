//! Lists: statements for one row that run for many at once, on Postgres.

use std::fmt::Write as _;

use postgres_types::Type;

use crate::db::batch::Given;

/// The column that tells which item of the list gave a row, from one.
pub(crate) const PLACE: &str = "place_in_list";

/// A statement for one row as one for a list of rows: `INSERT … VALUES ($1, …)`, or `UPDATE … SET … WHERE … RETURNING …`
/// without a condition before its own.
pub(crate) fn of(sql: &str, types: &[Type]) -> String {
    let columns = columns(types, 0);
    if let Some((insert, _)) = sql.split_once("VALUES") {
        return format!("{insert} SELECT * FROM unnest({columns})");
    }
    let list = format!(
        "FROM unnest({columns}) WITH ORDINALITY AS list ({}, {PLACE}) WHERE",
        names(types)
    );
    let update = sql.replace('$', "list.p").replacen("WHERE", &list, 1);
    format!("{update}, {PLACE}")
}

/// Rows of one table, each of which the guard in its place lets through or not.
pub(crate) struct Rows<'a> {
    /// `INSERT … VALUES ($1, …)`.
    pub(crate) sql: &'a str,
    /// The types of its parameters.
    pub(crate) types: &'a [Type],
    /// What the guard gives: numbers, which are added.
    pub(crate) given: Given,
}

/// Guards, the rows that they let through, and the fence, as one statement, which gives the guards' rows. The
/// parameters are the columns of the guards, those of each table, after them the places of its rows' guards, and at last
/// the fence's. The fence is asked where anything is let through.
pub(crate) fn chain(
    guard: &str,
    types: &[Type],
    tables: &[Rows<'_>],
    fence: Option<&str>,
) -> String {
    let mut text = format!("WITH guard AS ({})", of(guard, types));
    let mut before = types.len();
    for (index, rows) in tables.iter().enumerate() {
        let given = |place: usize| rows.given.iter().find(|(given, _)| *given == place);
        let values: Vec<_> = (0..rows.types.len())
            .map(|place| match given(place) {
                Some((_, column)) => format!("list.p{} + guard.{column}", place + 1),
                None => format!("list.p{}", place + 1),
            })
            .collect();
        let insert = rows
            .sql
            .split_once("VALUES")
            .map_or(rows.sql, |(insert, _)| insert);
        let (columns, names, values) = (
            columns(rows.types, before),
            names(rows.types),
            values.join(", "),
        );
        before += rows.types.len() + 1;
        // Writing to a text does not fail.
        let _ = write!(
            text,
            ", rows{index} AS ({insert} SELECT {values} FROM unnest({columns}, ${before}::int8[]) AS list ({names}, place) \
             JOIN guard ON guard.{PLACE} = list.place)"
        );
    }
    let fence = fence.map(|fence| {
        format!(
            ", ({}) AS fence",
            fence.replace("$1", &format!("${}", before + 1))
        )
    });
    format!(
        "{text} SELECT guard.*{} FROM guard",
        fence.unwrap_or_default()
    )
}

/// `$1::text[], …`, after so many others.
fn columns(types: &[Type], before: usize) -> String {
    let column =
        |(index, column): (usize, &Type)| format!("${}::{}[]", before + index + 1, column.name());
    types
        .iter()
        .enumerate()
        .map(column)
        .collect::<Vec<_>>()
        .join(", ")
}

/// `p1, …`
fn names(types: &[Type]) -> String {
    let names: Vec<_> = (1..=types.len()).map(|place| format!("p{place}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_of_a_row_becomes_one_of_a_list() {
        let list = of(
            "INSERT INTO t (a, b) VALUES ($1, $2)",
            &[Type::TEXT, Type::INT8],
        );
        assert_eq!(
            list,
            "INSERT INTO t (a, b)  SELECT * FROM unnest($1::text[], $2::int8[])"
        );
    }

    #[test]
    fn an_update_of_a_row_becomes_one_of_a_list() {
        let list = of(
            "UPDATE t SET a = $2 WHERE b = $1 AND EXISTS (SELECT 1 FROM u WHERE c = $1) RETURNING a",
            &[Type::TEXT, Type::INT8],
        );
        assert_eq!(
            list,
            "UPDATE t SET a = list.p2 FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS list (p1, p2, place_in_list) \
             WHERE b = list.p1 AND EXISTS (SELECT 1 FROM u WHERE c = list.p1) RETURNING a, place_in_list"
        );
    }

    #[test]
    fn guards_and_the_rows_that_they_let_through_become_one_statement() {
        let guard = "UPDATE t SET n = n + $2 WHERE a = $1 RETURNING n";
        let rows = [Rows {
            sql: "INSERT INTO u (a, n) VALUES ($1, $2)",
            types: &[Type::TEXT, Type::INT8],
            given: &[(1, "n")],
        }];
        let types = [Type::TEXT, Type::INT8];
        let whole = chain(guard, &types, &rows, Some("SELECT fence($1)"));
        assert_eq!(
            whole,
            "WITH guard AS (UPDATE t SET n = n + list.p2 FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY \
             AS list (p1, p2, place_in_list) WHERE a = list.p1 RETURNING n, place_in_list), \
             rows0 AS (INSERT INTO u (a, n)  SELECT list.p1, list.p2 + guard.n \
             FROM unnest($3::text[], $4::int8[], $5::int8[]) AS list (p1, p2, place) \
             JOIN guard ON guard.place_in_list = list.place) \
             SELECT guard.*, (SELECT fence($6)) AS fence FROM guard"
        );
    }
}
