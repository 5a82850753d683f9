use super::support::{connect, int, open, settings, table};
use crate::clock::Timestamp;
use crate::db::Value;
use crate::error::{Error, ErrorCode};

#[test]
fn rows_are_streamed_and_come_back_the_same() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("copied", "id int, t text, b bytea, at timestamptz, j jsonb, a text[]");
    let columns = ["id", "t", "b", "at", "j", "a"];
    let row = |id: i64| {
        vec![
            Value::Int(id),
            Value::text("tab\t newline\n back\\slash \\N \r é"),
            Value::Bytes(vec![0, 9, 10, 92].into()),
            Value::Timestamp(Timestamp::from_micros(1_700_000_000_000_001)),
            Value::json("{\"k\": \"a\\nb\"}"),
            Value::Array(vec![Value::text("x\ty"), Value::Null, Value::text("NULL")]),
        ]
    };
    let mut rows = (0..5_000).map(|id| Ok(row(id)));
    connection.begin(true).unwrap();
    assert_eq!(connection.load(&table, &columns, &mut rows).unwrap(), 5_000);
    connection.commit().unwrap();
    let found = connection.query(&format!("SELECT * FROM {table} WHERE id = 4999"), &[]).unwrap();
    assert_eq!(found[0].values(), row(4999));
}

#[test]
fn a_row_that_fails_writes_nothing_and_says_which() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("halfway", "id int2, t text");
    let mut rows = (0..50_000).map(|id| Ok(vec![Value::Int(id), Value::Null]));
    let error = connection.load(&table, &["id", "t"], &mut rows).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().starts_with("row 32769: parameter $1 "), "{error}");
    let mut broken = [Ok(vec![Value::Int(1), Value::Null]), Err(Error::not_found("the source ended"))].into_iter();
    assert_eq!(connection.load(&table, &["id", "t"], &mut broken).unwrap_err().code(), ErrorCode::NotFound);
    let mut short = [Ok(vec![Value::Int(1)])].into_iter();
    assert_eq!(connection.load(&table, &["id", "t"], &mut short).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(int(connection.as_mut(), &format!("SELECT count(*) FROM {table}")), 0);
    assert_eq!(connection.load(&table, &["id"], &mut std::iter::empty()).unwrap(), 0);
}
