//! Names of tables, columns and indexes: which there may be, and how they stand in SQL.

use crate::error::{Error, Result};

/// The longest name, in bytes: PostgreSQL's (manual, "Identifiers and Key Words").
const MAX: usize = 63;

/// Names that begin so, in whatever case, belong to SQLite, to PostgreSQL and to this library.
const PREFIXES: &[&str] = &["sqlite_", "pg_", "sprongus_"];

/// Columns that every table has on one of the databases, or names for them.
const SYSTEM_COLUMNS: &[&str] = &["rowid", "oid", "_rowid_", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// Refuses what is no identifier: `^[A-Za-z_][A-Za-z0-9_]*$`, at most 63 bytes.
pub(super) fn check_form(what: &str, name: &str) -> Result<()> {
    let first = name.bytes().next();
    let fits = first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= MAX;
    if fits {
        return Ok(());
    }
    let problem = match name.len() {
        0 => "is empty".to_owned(),
        length if length > MAX => format!("has {length} bytes"),
        _ => "holds other characters, or begins with a digit".to_owned(),
    };
    let right = format!("a name is a letter or _, then letters, digits and _, at most {MAX} bytes, ASCII alone");
    Err(Error::invalid(format!("the name of {what} {problem}: {right}")))
}

/// Whether the name begins as those of the databases and of this library do.
pub(super) fn is_reserved(name: &str) -> bool {
    let starts = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    PREFIXES.iter().any(starts)
}

/// Refuses what no table, column or index may be called.
pub(super) fn check(what: &str, name: &str) -> Result<()> {
    check_form(what, name)?;
    if is_reserved(name) {
        let taken = PREFIXES.join(", ");
        return Err(Error::invalid(format!("{name} cannot name {what}: names that begin with {taken} are reserved")));
    }
    Ok(())
}

/// Refuses what no column may be called.
pub(super) fn check_column(name: &str) -> Result<()> {
    check("a column", name)?;
    if SYSTEM_COLUMNS.iter().any(|system| system.eq_ignore_ascii_case(name)) {
        return Err(Error::invalid(format!(
            "{name} cannot name a column: the database has a system column of that name"
        )));
    }
    Ok(())
}

/// The name without regard to case: identifiers are ASCII.
pub(super) fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The name as it stands in SQL. It was checked, so it holds no quote.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn hostile_names_are_refused() {
        let long = "a".repeat(64);
        let names = [
            "",
            " ",
            "1a",
            "a b",
            "a\"",
            "a\"; DROP TABLE x --",
            "a;b",
            "a--",
            "a/*x*/",
            "a'b",
            "a.b",
            "a$",
            "a-b",
            "t\u{e4}ble",
            "\u{ff54}able",
            "tab\u{200b}le",
            "t\u{430}ble",
            "a\0",
            "a\n",
            "`a`",
            "[a]",
            "\u{212a}ey",
            "pg_x",
            "PG_x",
            "Sqlite_Sequence",
            "sprongus_runs",
            "SPRONGUS_x",
            &long,
        ];
        for name in names {
            assert_eq!(check("a table", name).unwrap_err().code(), ErrorCode::InvalidArgument, "{name:?}");
        }
        for column in ["rowid", "ROWID", "oid", "_rowid_", "ctid", "Xmin", "xmax", "cmin", "cmax", "tableOID"] {
            assert_eq!(check_column(column).unwrap_err().code(), ErrorCode::InvalidArgument, "{column:?}");
        }
    }

    #[test]
    fn words_of_sql_are_names_like_any_other() {
        let long = "a".repeat(63);
        for name in ["select", "TABLE", "order", "user", "_", "_1", "group", "pg", "pgx_", "sqlite", "null", &long] {
            check_column(name).unwrap();
        }
    }
}
