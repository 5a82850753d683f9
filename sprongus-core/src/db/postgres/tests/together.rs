use super::support::{connect, int, open, settings, table};
use crate::db::{Commit, Value};
use crate::error::ErrorCode;

#[test]
fn what_nobody_waits_for_is_written_in_its_order() {
    let db = open(settings());
    let (mut connection, mut other) = (connect(&db), connect(&db));
    let table = table("soon", "id int primary key, name text");
    connection.begin_soon().unwrap();
    connection.execute_soon(&format!("INSERT INTO {table} VALUES ($1, 'a')"), &[Value::Int(1)]).unwrap();
    connection.execute_soon(&format!("UPDATE {table} SET name = $1"), &[Value::text("b")]).unwrap();
    let rows = connection.query(&format!("SELECT name FROM {table}"), &[]).unwrap();
    assert_eq!(rows[0].values(), [Value::text("b")], "what follows sees it");
    connection.execute_soon(&format!("INSERT INTO {table} VALUES (2, 'c')"), &[]).unwrap();
    let count = format!("SELECT count(*) FROM {table}");
    assert_eq!(int(other.as_mut(), &count), 0);
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    assert_eq!(int(other.as_mut(), &count), 2, "the last of it went with the commit");
    assert_eq!(int(connection.as_mut(), &count), 2);
}

#[test]
fn an_error_of_what_waited_is_that_of_what_it_went_with() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("waited", "id int primary key");
    let insert = format!("INSERT INTO {table} VALUES ($1)");
    let twice = |connection: &mut dyn crate::db::Connection| {
        connection.begin_soon().unwrap();
        connection.execute_soon(&insert, &[Value::Int(1)]).unwrap();
        connection.execute_soon(&insert, &[Value::Int(1)]).unwrap();
    };
    twice(connection.as_mut());
    assert_eq!(connection.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Conflict);
    connection.rollback();
    twice(connection.as_mut());
    assert_eq!(connection.commit().unwrap_err().code(), ErrorCode::Conflict, "and a definite no");
    twice(connection.as_mut());
    connection.rollback();
    assert_eq!(int(connection.as_mut(), &format!("SELECT count(*) FROM {table}")), 0);
}

#[test]
fn a_refused_value_leaves_what_waits() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("refused", "id int primary key");
    let insert = format!("INSERT INTO {table} VALUES ($1)");
    connection.begin_soon().unwrap();
    connection.execute_soon(&insert, &[Value::Int(1)]).unwrap();
    let refused = connection.query("SELECT $1::int", &[Value::text("\0")]).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidArgument);
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    assert_eq!(int(connection.as_mut(), &format!("SELECT count(*) FROM {table}")), 1);
}

#[test]
fn nothing_waits_after_a_savepoint() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("saved", "id int primary key");
    let insert = format!("INSERT INTO {table} VALUES (1)");
    connection.begin_soon().unwrap();
    connection.execute_soon(&insert, &[]).unwrap();
    connection.batch("SAVEPOINT one").unwrap();
    assert_eq!(connection.execute_soon(&insert, &[]).unwrap_err().code(), ErrorCode::Conflict);
    connection.batch("ROLLBACK TO SAVEPOINT one").unwrap();
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    assert_eq!(int(connection.as_mut(), &format!("SELECT count(*) FROM {table}")), 1);
}

#[test]
fn what_is_expected_is_what_a_question_would_find() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("expected", "id int primary key, name text");
    connection.execute(&format!("INSERT INTO {table} VALUES (1, 'a')"), &[]).unwrap();
    let find = format!("SELECT name FROM {table} WHERE id = $1 FOR UPDATE");
    let mut name = |id: i64, write: &str| {
        connection.begin_soon().unwrap();
        connection.expect(&find, &[Value::Int(1)]).unwrap();
        connection.query("SELECT 1", &[]).unwrap();
        if !write.is_empty() {
            connection.execute_soon(write, &[]).unwrap();
        }
        let rows = connection.query(&find, &[Value::Int(id)]).unwrap();
        connection.rollback();
        rows.first().map(|row| row.text(0).unwrap())
    };
    assert_eq!(name(1, "").as_deref(), Some("a"));
    assert_eq!(name(2, ""), None, "another question");
    assert_eq!(name(1, &format!("UPDATE {table} SET name = 'b'")).as_deref(), Some("b"), "written since");
}

#[test]
fn a_transaction_that_does_nothing_is_none() {
    let db = open(settings());
    let mut connection = connect(&db);
    connection.begin_soon().unwrap();
    assert_eq!(connection.begin_soon().unwrap_err().code(), ErrorCode::Misuse);
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    assert_eq!(connection.commit().unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(int(connection.as_mut(), "SELECT 1"), 1);
}
