//! The words of SQL: what can be told of a statement without parsing it, and text as it stands in one.

use super::Dialect;

/// Text as it stands in SQL, for statements that take no parameters and those that people run.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The words of a statement, comments left out, up to the first that is none: a bracket, a quote, an operator.
pub(crate) fn words(sql: &str, dialect: Dialect) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        rest = skip(rest, dialect);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

/// Whether there is nothing in it but comments, white space and semicolons.
pub(crate) fn is_empty(sql: &str, dialect: Dialect) -> bool {
    skip(sql, dialect).is_empty()
}

/// Whether the word is one of those, in whatever case.
pub(crate) fn is_one_of(word: Option<&str>, words: &[&str]) -> bool {
    word.is_some_and(|word| words.iter().any(|other| other.eq_ignore_ascii_case(word)))
}

/// Whether the needle, in small letters, stands anywhere, in whatever case.
pub(crate) fn contains(sql: &str, needle: &str) -> bool {
    let (sql, needle) = (sql.as_bytes(), needle.as_bytes());
    // Every statement passes here: most places are told by one letter.
    sql.windows(needle.len()).any(|at| at[0].to_ascii_lowercase() == needle[0] && at.eq_ignore_ascii_case(needle))
}

fn skip(mut sql: &str, dialect: Dialect) -> &str {
    // A carriage return ends a line on PostgreSQL alone; a byte order mark is white space on SQLite.
    let line_ends: &[char] = if dialect == Dialect::Postgres { &['\n', '\r'] } else { &['\n'] };
    loop {
        sql = sql.trim_start_matches(|c: char| c.is_whitespace() || c == ';' || c == '\u{feff}');
        sql = if sql.starts_with("--") {
            sql.find(line_ends).map_or("", |at| &sql[at..])
        } else if sql.starts_with("/*") {
            after_comment(sql, dialect)
        } else {
            return sql;
        };
    }
}

/// What follows a block comment. PostgreSQL nests them, SQLite does not.
fn after_comment(sql: &str, dialect: Dialect) -> &str {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = sql[at..].find(['/', '*']) {
        at += found;
        let here = &sql[at..];
        if here.starts_with("/*") && (depth == 0 || dialect == Dialect::Postgres) {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &sql[at..];
            }
        } else {
            at += 1;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_a_literal() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("'"), "''''");
    }

    #[test]
    fn words_end_where_something_else_begins() {
        for (sql, expected) in [
            ("select a, b", vec!["select", "a"]),
            ("  -- a\n /* b */ commit -- c", vec!["commit"]),
            (";;COMMIT;", vec!["COMMIT"]),
            ("/* open", vec![]),
            ("/*/ x */ y", vec!["y"]),
            ("(select 1)", vec![]),
        ] {
            assert_eq!(words(sql, Dialect::Postgres).collect::<Vec<_>>(), expected, "{sql:?}");
        }
        assert!(is_empty(" ; -- x", Dialect::Sqlite) && !is_empty("(select 1)", Dialect::Sqlite));
    }

    #[test]
    fn lines_end_as_the_database_has_it() {
        let sql = "-- a\rCOMMIT /*\n SELECT */";
        assert_eq!(words(sql, Dialect::Postgres).collect::<Vec<_>>(), ["COMMIT"]);
        assert_eq!(words(sql, Dialect::Sqlite).collect::<Vec<_>>(), ["SELECT"]);
        assert_eq!(words("\u{feff}COMMIT", Dialect::Sqlite).collect::<Vec<_>>(), ["COMMIT"]);
    }

    #[test]
    fn comments_nest_on_postgres_alone() {
        let sql = "/* a /* b */ COMMIT -- */ SELECT";
        assert_eq!(words(sql, Dialect::Sqlite).collect::<Vec<_>>(), ["COMMIT"]);
        assert_eq!(words(sql, Dialect::Postgres).collect::<Vec<_>>(), ["SELECT"]);
    }
}
