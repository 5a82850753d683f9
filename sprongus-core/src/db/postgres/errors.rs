//! PostgreSQL's errors as ours, without the values they quote.

use serde_json::{Map, Value as Json, json};
use tokio_postgres::error::{DbError, Severity};

use crate::error::{Error, ErrorCode};

/// The code for a SQLSTATE (PostgreSQL manual, appendix A).
pub(super) fn code_of(sqlstate: &str) -> ErrorCode {
    match sqlstate {
        "23505" | "23P01" => ErrorCode::Conflict,
        "23503" | "23001" => ErrorCode::Referenced,
        "55P03" | "40001" | "40P01" => ErrorCode::Busy,
        "57014" => ErrorCode::Timeout,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => ErrorCode::Unavailable,
        "53100" => ErrorCode::StorageFull,
        "25P02" | "25001" | "25P01" => ErrorCode::Misuse,
        "42501" | "25006" => ErrorCode::PermissionDenied,
        "3D000" => ErrorCode::NotFound,
        "XX001" | "XX002" => ErrorCode::Corrupt,
        "0A000" => ErrorCode::Unsupported,
        "54000" | "54001" | "54011" | "54023" => ErrorCode::TooLarge,
        _ => match sqlstate.get(..2) {
            Some("23") => ErrorCode::Validation,
            Some("08") => ErrorCode::Unavailable,
            Some("28") => ErrorCode::PermissionDenied,
            Some("21" | "22" | "26" | "34" | "3F" | "42") => ErrorCode::InvalidArgument,
            _ => ErrorCode::Storage,
        },
    }
}

/// The error as ours; `details` hold the SQLSTATE and, where the server names them, table, column and constraint.
pub(super) fn from_driver(error: &tokio_postgres::Error) -> Error {
    if let Some(db) = error.as_db_error() {
        return from_server(db);
    }
    let cause = std::error::Error::source(error);
    if error.is_closed() || cause.is_some_and(|cause| cause.is::<std::io::Error>()) {
        let reason = cause.map_or_else(|| "it was closed".to_owned(), ToString::to_string);
        return lost(format!("the connection to PostgreSQL broke: {reason}"));
    }
    Error::new(ErrorCode::Storage, format!("the PostgreSQL driver failed: {error}"))
}

/// What a SQLSTATE means here, for hosts that lend a connection through functions of their own; `None`: it is gone.
pub fn postgres_error(sqlstate: Option<&str>, message: &str) -> Error {
    let Some(sqlstate) = sqlstate else { return lost(message.to_owned()) };
    Error::new(code_of(sqlstate), message).with_details(json!({ "sqlstate": sqlstate }))
}

fn from_server(db: &DbError) -> Error {
    if db.routine() == Some("RevalidateCachedQuery") {
        return plan_changed(db.code().code());
    }
    let sqlstate = db.code().code();
    let code = code_of(sqlstate);
    let fatal = matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    let mut details = Map::from_iter([("sqlstate".to_owned(), json!(sqlstate))]);
    for (key, value) in [("table", db.table()), ("column", db.column()), ("constraint", db.constraint())] {
        if let Some(value) = value {
            details.insert(key.to_owned(), json!(value));
        }
    }
    if fatal || is_lost(sqlstate) {
        details.insert("connection".to_owned(), json!("lost"));
    }
    // The source is not kept: its DETAIL quotes the row.
    Error::new(code, message(db, sqlstate)).with_details(Json::Object(details))
}

/// "cached plan must not change result type", in whatever language: the same work may succeed when it is done again.
fn plan_changed(sqlstate: &str) -> Error {
    let message = "a table was changed while this connection had the statement prepared: run the transaction again";
    outdated(&Error::new(ErrorCode::Busy, message).with_details(json!({ "sqlstate": sqlstate })))
}

fn message(db: &DbError, sqlstate: &str) -> String {
    let text = if sqlstate.starts_with("22") { without_quoted(db.message()) } else { db.message().to_owned() };
    match sqlstate {
        "57014" => "PostgreSQL cancelled the statement: it ran longer than the call may wait".to_owned(),
        "25P02" => "an earlier statement of this transaction failed: it can only be rolled back".to_owned(),
        "3D000" => format!("PostgreSQL: {text}; create it first, or name another in the URL"),
        _ => format!("PostgreSQL: {text} (SQLSTATE {sqlstate})"),
    }
}

/// Data exceptions quote the value they refuse.
fn without_quoted(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}\"…\"{}", &message[..first], &message[last + 1..]),
        _ => message.to_owned(),
    }
}

fn is_lost(sqlstate: &str) -> bool {
    sqlstate.starts_with("08") || matches!(sqlstate, "57P01" | "57P02" | "57P03" | "57P05" | "25P03")
}

/// `unavailable` for a connection that is gone.
pub(super) fn lost(message: String) -> Error {
    Error::new(ErrorCode::Unavailable, message).with_details(json!({ "connection": "lost" }))
}

/// The error of a statement that may have been prepared before a table changed, so that [`is_outdated`](crate::db::is_outdated) knows it.
pub(super) fn outdated(error: &Error) -> Error {
    let mut details = error.details().cloned().unwrap_or_default();
    details["prepared"] = json!("outdated");
    Error::new(error.code(), error.message()).with_details(details)
}

/// The SQLSTATE an error carries, if it came from the server.
pub(super) fn sqlstate(error: &Error) -> Option<&str> {
    error.details()?.get("sqlstate")?.as_str()
}

/// Whether the connection is gone: what it was asked last may have taken effect, an open transaction has not.
///
/// `unavailable` may be tried again on another connection; `timeout` is a silence that used up the time of the call.
pub(crate) fn is_connection_lost(error: &Error) -> bool {
    error.details().and_then(|details| details.get("connection")).and_then(Json::as_str) == Some("lost")
}

/// A write of COPY data that failed; the driver hides its own error in an `io::Error`.
pub(super) fn from_io(error: &std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<tokio_postgres::Error>()) {
        Some(inner) => from_driver(inner),
        None => lost(format!("the connection to PostgreSQL broke: {}", error.kind())),
    }
}
