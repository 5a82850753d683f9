//! The seam against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use self::support::{connect, open, settings};
use crate::db::{Commit, Lane, Value};
use crate::error::ErrorCode;

#[test]
fn a_transaction_is_committed_or_rolled_back() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = support::table("t", "id int primary key, name text");
    connection.begin(true).unwrap();
    let inserted = connection.execute(&format!("INSERT INTO {table} VALUES ($1, $2)"), &[Value::Int(1), Value::text("a")]);
    assert_eq!(inserted.unwrap(), 1);
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    connection.begin(true).unwrap();
    connection.execute(&format!("DELETE FROM {table}"), &[]).unwrap();
    connection.rollback();
    let rows = connection.query(&format!("SELECT id, name FROM {table}"), &[]).unwrap();
    assert_eq!(rows[0].columns(), ["id", "name"]);
    assert_eq!(rows[0].values(), [Value::Int(1), Value::text("a")]);
}

#[test]
fn a_failed_transaction_cannot_be_committed() {
    let db = open(settings());
    let mut connection = connect(&db);
    connection.begin(true).unwrap();
    assert_eq!(connection.execute("SELECT 1/0", &[]).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(connection.commit().unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(connection.query("SELECT 1", &[]).unwrap()[0].values(), [Value::Int(1)]);
}
