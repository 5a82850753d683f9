//! SQLite's result codes as ours.

use rusqlite::ErrorCode as Sqlite;
use serde_json::json;

use crate::error::{Error, ErrorCode};

/// The error of a statement. SQLite's messages name tables and columns, never values.
pub(super) fn from_sqlite(error: rusqlite::Error) -> Error {
    let (code, message) = match &error {
        rusqlite::Error::SqliteFailure(failure, text) => {
            let message = text.clone().unwrap_or_else(|| failure.to_string());
            (code_of(failure.code, failure.extended_code), message)
        }
        rusqlite::Error::SqlInputError { error: failure, msg, offset, .. } => {
            (code_of(failure.code, failure.extended_code), format!("{msg} (at byte {offset} of the SQL)"))
        }
        rusqlite::Error::MultipleStatement => (ErrorCode::InvalidArgument, "one statement at a time".to_owned()),
        rusqlite::Error::InvalidParameterCount(given, wanted) => {
            (ErrorCode::InvalidArgument, format!("the SQL takes {wanted} parameters, {given} were given"))
        }
        rusqlite::Error::NulError(_) => (ErrorCode::InvalidArgument, "the SQL holds a NUL".to_owned()),
        other => (ErrorCode::Storage, other.to_string()),
    };
    let details = error.sqlite_error().map(|failure| json!({ "sqlite": failure.extended_code }));
    let mut ours = Error::new(code, message).with_source(error);
    if let Some(details) = details {
        ours = ours.with_details(details);
    }
    ours
}

/// What an extended result code of SQLite's means here, for hosts that lend a connection through functions of their own.
pub fn sqlite_error(extended: i32, message: &str) -> Error {
    let code = code_of(rusqlite::ffi::Error::new(extended).code, extended);
    Error::new(code, message).with_details(json!({ "sqlite": extended }))
}

fn code_of(code: Sqlite, extended: i32) -> ErrorCode {
    match code {
        Sqlite::DatabaseBusy | Sqlite::DatabaseLocked | Sqlite::FileLockingProtocolFailed => ErrorCode::Busy,
        Sqlite::DiskFull => ErrorCode::StorageFull,
        Sqlite::DatabaseCorrupt | Sqlite::NotADatabase => ErrorCode::Corrupt,
        Sqlite::ReadOnly | Sqlite::PermissionDenied | Sqlite::AuthorizationForStatementDenied => {
            ErrorCode::PermissionDenied
        }
        Sqlite::CannotOpen => ErrorCode::Unavailable,
        Sqlite::TooBig => ErrorCode::TooLarge,
        Sqlite::OperationInterrupted => ErrorCode::Timeout,
        Sqlite::TypeMismatch | Sqlite::ParameterOutOfRange => ErrorCode::InvalidArgument,
        Sqlite::ConstraintViolation => match extended {
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
            | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | rusqlite::ffi::SQLITE_CONSTRAINT_ROWID => ErrorCode::Conflict,
            rusqlite::ffi::SQLITE_CONSTRAINT_COMMITHOOK => ErrorCode::Storage,
            rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorCode::Referenced,
            // As PostgreSQL has it: a value that is none of the column's type is a bad argument.
            rusqlite::ffi::SQLITE_CONSTRAINT_DATATYPE => ErrorCode::InvalidArgument,
            _ => ErrorCode::Validation,
        },
        Sqlite::Unknown => ErrorCode::InvalidArgument,
        _ => ErrorCode::Storage,
    }
}
