//! Rows in one parameter: a statement about many things has the same text for any number of them.

use super::{DbError, Dialect, Row, Value};

/// Rows as one parameter: a JSON array of arrays. [`rows_of`] reads it.
pub(crate) fn rows<const WIDTH: usize>(rows: impl IntoIterator<Item = [Value; WIDTH]>) -> Value {
    wide_rows(rows.into_iter().map(Vec::from))
}

/// The same for rows of any width.
pub(crate) fn wide_rows(rows: impl IntoIterator<Item = Vec<Value>>) -> Value {
    let rows = rows
        .into_iter()
        .map(|row| row.into_iter().map(json).collect::<serde_json::Value>());
    rows.collect::<serde_json::Value>().to_string().into()
}

fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Int(value) => value.into(),
        Value::Text(value) => value.into(),
        Value::Null => serde_json::Value::Null,
    }
}

/// The rows of a parameter, for a `FROM` clause: a table `item`, whose columns [`column`] reads.
pub(crate) fn rows_of(dialect: Dialect, parameter: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("json_each({parameter}) AS item"),
        // The parameter itself is text, not jsonb.
        Dialect::Postgres => {
            format!("jsonb_array_elements(CAST(CAST({parameter} AS TEXT) AS jsonb)) AS item(value)")
        }
    }
}

/// A column of [`rows_of`].
pub(crate) fn column(index: usize, sql_type: &str) -> String {
    format!("CAST(item.value ->> {index} AS {sql_type})")
}

impl Row {
    /// A number that says yes or no.
    pub(crate) fn flag(&self, column: usize) -> Result<bool, DbError> {
        Ok(self.int(column)? != 0)
    }
}

/// A condition as a column, which [`Row::flag`] reads.
pub(crate) fn flag(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 1 ELSE 0 END")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_arrays_of_an_array() {
        let value = rows([
            ["it's \"so\"".into(), Value::Int(i64::MAX)],
            [Value::Null, 1_i64.into()],
        ]);
        assert_eq!(
            value,
            Value::Text(r#"[["it's \"so\"",9223372036854775807],[null,1]]"#.to_owned())
        );
        assert_eq!(rows::<1>([]), Value::Text("[]".to_owned()));
    }
}
