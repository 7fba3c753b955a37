//! Lists: statements for one row that run for many at once, on Postgres.

use std::fmt::Write as _;

use postgres_types::Type;

use crate::db::batch::Given;

/// The column that tells which item of the list gave a row, from one.
pub(crate) const PLACE: &str = "place_in_list";

/// A statement for one row as one for a list of rows: `INSERT … VALUES ($1, …)`, or `UPDATE … SET … WHERE … RETURNING …`
/// without a condition before its own.
pub(crate) fn of(sql: &str, types: &[Type]) -> String {
    if let Some((insert, _)) = sql.split_once("VALUES") {
        return format!("{insert} SELECT * FROM unnest({})", columns(types));
    }
    format!("{}, {PLACE}", from(sql, &columns_of(types)))
}

/// One of the texts that a group is made of: the guard, or an insert of a row that it lets through.
pub(crate) struct Part<'a> {
    /// `UPDATE … SET … WHERE … RETURNING …`, or `INSERT … VALUES ($1, …)`.
    pub(crate) sql: &'a str,
    /// The types of its parameters.
    pub(crate) types: &'a [Type],
    /// What the guard gives: numbers, which are added.
    pub(crate) given: Given,
}

/// How the parameters of a group come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each for itself, so many rows of them, one row after the other.
    Rows(usize),
    /// As columns, whatever the number of rows.
    Columns,
}

/// Guards, the rows that each of them lets through, one of every other part, and the fence, as one statement, which
/// gives what the guards give: `columns`, and their places. The parameters of a row are those of the guard and of the
/// other parts in order; after all of them comes the fence's. The fence is asked where anything is let through.
pub(crate) fn chain(
    guard: &Part<'_>,
    columns: &[String],
    parts: &[Part<'_>],
    shape: Shape,
    fence: Option<&str>,
) -> String {
    let types: Vec<Type> = std::iter::once(guard)
        .chain(parts)
        .flat_map(|part| part.types.iter().cloned())
        .collect();
    let (list, count) = match shape {
        Shape::Rows(rows) => (rows_of(&types, rows), rows * types.len()),
        Shape::Columns => (columns_of(&types), types.len()),
    };
    let carried: Vec<_> = (guard.types.len()..types.len())
        .map(|place| format!("list.p{}, ", place + 1))
        .collect();
    let mut text = format!(
        "WITH guard AS ({}, {}{PLACE})",
        from(guard.sql, &list),
        carried.concat()
    );
    let mut before = guard.types.len();
    for (index, part) in parts.iter().enumerate() {
        let given = |place: usize| part.given.iter().find(|(given, _)| *given == place);
        let values: Vec<_> = (0..part.types.len())
            .map(|place| match given(place) {
                Some((_, column)) => format!("guard.p{} + guard.{column}", before + place + 1),
                None => format!("guard.p{}", before + place + 1),
            })
            .collect();
        before += part.types.len();
        let insert = part.sql.split_once("VALUES");
        let insert = insert.map_or(part.sql, |(insert, _)| insert);
        // Writing to a text does not fail.
        let _ = write!(
            text,
            ", rows{index} AS ({insert} SELECT {} FROM guard)",
            values.join(", ")
        );
    }
    let fence = fence.map(|fence| {
        let fence = fence.replace("$1", &format!("${}", count + 1));
        format!(", ({fence}) AS fence")
    });
    format!(
        "{text} SELECT {}, {PLACE}{} FROM guard",
        columns.join(", "),
        fence.unwrap_or_default()
    )
}

/// A statement that changes a row as one for the rows of a list.
fn from(update: &str, list: &str) -> String {
    let list = format!("FROM {list} WHERE");
    update.replace('$', "list.p").replacen("WHERE", &list, 1)
}

/// A list of parameters that come each for itself.
fn rows_of(types: &[Type], rows: usize) -> String {
    let row = |row: usize| {
        let param = |(place, column): (usize, &Type)| {
            format!("${}::{}, ", row * types.len() + place + 1, column.name())
        };
        let params: String = types.iter().enumerate().map(param).collect();
        format!("({params}{}::int8)", row + 1)
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(
        "(VALUES {}) AS list ({}, {PLACE})",
        rows.join(", "),
        names(types)
    )
}

/// A list of parameters that come as columns.
fn columns_of(types: &[Type]) -> String {
    format!(
        "unnest({}) WITH ORDINALITY AS list ({}, {PLACE})",
        columns(types),
        names(types)
    )
}

/// `$1::text[], …`
fn columns(types: &[Type]) -> String {
    let column = |(index, column): (usize, &Type)| format!("${}::{}[]", index + 1, column.name());
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

    fn whole(shape: Shape) -> String {
        let types = [Type::TEXT, Type::INT8];
        let guard = Part {
            sql: "UPDATE t SET n = n + $2 WHERE a = $1 RETURNING t.n",
            types: &types,
            given: &[],
        };
        let rows = Part {
            sql: "INSERT INTO u (a, n) VALUES ($1, $2)",
            types: &types,
            given: &[(1, "n")],
        };
        chain(
            &guard,
            &["n".to_owned()],
            &[rows],
            shape,
            Some("SELECT fence($1)"),
        )
    }

    #[test]
    fn guards_and_the_rows_that_they_let_through_become_one_statement() {
        assert_eq!(
            whole(Shape::Columns),
            "WITH guard AS (UPDATE t SET n = n + list.p2 \
             FROM unnest($1::text[], $2::int8[], $3::text[], $4::int8[]) WITH ORDINALITY \
             AS list (p1, p2, p3, p4, place_in_list) WHERE a = list.p1 \
             RETURNING t.n, list.p3, list.p4, place_in_list), \
             rows0 AS (INSERT INTO u (a, n)  SELECT guard.p3, guard.p4 + guard.n FROM guard) \
             SELECT n, place_in_list, (SELECT fence($5)) AS fence FROM guard"
        );
    }

    #[test]
    fn the_parameters_of_a_few_come_each_for_itself() {
        let two = whole(Shape::Rows(2));
        let list = "FROM (VALUES ($1::text, $2::int8, $3::text, $4::int8, 1::int8), \
                    ($5::text, $6::int8, $7::text, $8::int8, 2::int8)) AS list (p1, p2, p3, p4, place_in_list) WHERE";
        assert!(two.contains(list), "{two}");
        assert!(
            two.ends_with("(SELECT fence($9)) AS fence FROM guard"),
            "{two}"
        );
    }
}
