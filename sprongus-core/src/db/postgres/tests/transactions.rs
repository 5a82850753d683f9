use super::support::{connect, int, open, settings, table};
use crate::db::{Commit, Value};
use crate::error::ErrorCode;

#[test]
fn a_transaction_is_committed_or_rolled_back() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("t", "id int primary key, name text");
    connection.begin(true).unwrap();
    let inserted =
        connection.execute(&format!("INSERT INTO {table} VALUES ($1, $2)"), &[Value::Int(1), Value::text("a")]);
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
    assert_eq!(connection.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(connection.commit().unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(int(connection.as_mut(), "SELECT 1"), 1);
}

#[test]
fn a_savepoint_takes_a_failure_back() {
    let db = open(settings());
    let mut connection = connect(&db);
    connection.begin(true).unwrap();
    connection.batch("SAVEPOINT one").unwrap();
    connection.execute("SELECT 1/0", &[]).unwrap_err();
    connection.batch("ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one").unwrap();
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
}

#[test]
fn a_constraint_that_refuses_the_commit_is_a_definite_no() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("deferred", "id int unique deferrable initially deferred");
    connection.begin(true).unwrap();
    connection.execute(&format!("INSERT INTO {table} VALUES (1), (1)"), &[]).unwrap();
    assert_eq!(connection.commit().unwrap_err().code(), ErrorCode::Conflict);
    assert_eq!(int(connection.as_mut(), &format!("SELECT count(*) FROM {table}")), 0);
}

#[test]
fn a_read_transaction_sees_one_state_and_writes_nothing() {
    let db = open(settings());
    let table = table("seen", "id int");
    let (mut reader, mut writer) = (connect(&db), connect(&db));
    let count = format!("SELECT count(*) FROM {table}");
    reader.begin(false).unwrap();
    assert_eq!(int(reader.as_mut(), &count), 0);
    writer.execute(&format!("INSERT INTO {table} VALUES (1)"), &[]).unwrap();
    assert_eq!(int(reader.as_mut(), &count), 0);
    let refused = reader.execute(&format!("INSERT INTO {table} VALUES (2)"), &[]).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::PermissionDenied);
}

#[test]
fn transactions_are_not_for_statements_to_open_and_end() {
    let db = open(settings());
    let mut connection = connect(&db);
    connection.begin(true).unwrap();
    for sql in ["COMMIT", " /* a */ -- b\n rollback", "begin", "END;", "PREPARE TRANSACTION 'x'", "START TRANSACTION"] {
        assert_eq!(connection.execute(sql, &[]).unwrap_err().code(), ErrorCode::Misuse, "{sql}");
    }
    assert_eq!(connection.begin(true).unwrap_err().code(), ErrorCode::Misuse);
    connection.rollback();
    assert_eq!(connection.commit().unwrap_err().code(), ErrorCode::Misuse);
}
