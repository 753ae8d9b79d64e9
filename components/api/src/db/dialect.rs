//! Differences between the two SQL dialects, for expressions that statements and indexes share.

/// The SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Priorities as lists compare them, as the index is defined.
pub(crate) const PRIORITY: &str =
    "CAST(CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END AS BIGINT)";

/// Titles as lists compare them: bytes, ASCII letters without case. The same on both databases, whatever PostgreSQL's locale.
pub(crate) fn title(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "LOWER(title)",
        Dialect::Postgres => "LOWER(title COLLATE \"C\")",
    }
}
