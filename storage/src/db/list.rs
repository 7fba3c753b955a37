//! Lists: statements for one row that run for many at once, on Postgres.

use postgres_types::Type;

/// The column that tells which item of the list gave a row, from one.
pub(crate) const PLACE: &str = "place_in_list";

/// A statement for one row as one for a list of rows: `INSERT … VALUES ($1, …)`, or `UPDATE … SET … WHERE … RETURNING …`
/// without a condition before its own.
pub(crate) fn of(sql: &str, types: &[Type]) -> String {
    let columns: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(index, column)| format!("${}::{}[]", index + 1, column.name()))
        .collect();
    let columns = columns.join(", ");
    if let Some((insert, _)) = sql.split_once("VALUES") {
        return format!("{insert} SELECT * FROM unnest({columns})");
    }
    let names: Vec<_> = (1..=types.len()).map(|place| format!("p{place}")).collect();
    let list = format!(
        "FROM unnest({columns}) WITH ORDINALITY AS list ({}, {PLACE}) WHERE",
        names.join(", ")
    );
    let update = sql.replace('$', "list.p").replacen("WHERE", &list, 1);
    format!("{update}, {PLACE}")
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
}
