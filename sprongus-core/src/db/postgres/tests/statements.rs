use super::support::{connect, int, open, settings, table};
use crate::db::Value;

#[test]
fn a_table_that_changes_under_a_statement_is_read_again() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("changing", "id int");
    let sql = format!("SELECT * FROM {table}");
    connection.execute(&format!("INSERT INTO {table} VALUES (1)"), &[]).unwrap();
    assert_eq!(connection.query(&sql, &[]).unwrap()[0].columns().len(), 1);
    connect(&db).batch(&format!("ALTER TABLE {table} ADD name text DEFAULT 'n'")).unwrap();
    assert_eq!(connection.query(&sql, &[]).unwrap()[0].values(), [Value::Int(1), Value::text("n")]);
}

#[test]
fn a_column_that_changes_its_type_is_written_again() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("retyped", "id text");
    let sql = format!("INSERT INTO {table} VALUES ($1)");
    connection.execute(&sql, &[Value::text("1")]).unwrap();
    connection.batch(&format!("ALTER TABLE {table} ALTER id TYPE bigint USING id::bigint")).unwrap();
    connection.execute(&sql, &[Value::Int(2)]).unwrap();
    connection.batch(&format!("ALTER TABLE {table} ALTER id TYPE bytea USING NULL")).unwrap();
    connection.execute(&sql, &[Value::Bytes(vec![3].into())]).unwrap();
}

#[test]
fn a_statement_that_is_outdated_costs_one_transaction() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("outdated", "id int");
    let sql = format!("SELECT * FROM {table}");
    connection.query(&sql, &[]).unwrap();
    connect(&db).batch(&format!("ALTER TABLE {table} ADD name text")).unwrap();
    connection.begin(true).unwrap();
    let error = connection.query(&sql, &[]).unwrap_err();
    assert!(error.retryable() && crate::db::is_outdated(&error), "{error:?}");
    connection.rollback();
    connection.begin(true).unwrap();
    assert_eq!(connection.query(&sql, &[]).unwrap(), []);
}

#[test]
fn statements_the_server_forgot_are_prepared_again() {
    let db = open(settings());
    let mut connection = connect(&db);
    assert_eq!(int(connection.as_mut(), "SELECT 41 + 1"), 42);
    connection.batch("DEALLOCATE ALL").unwrap();
    assert_eq!(int(connection.as_mut(), "SELECT 41 + 1"), 42);
}

#[test]
fn only_so_many_statements_are_kept() {
    let db = open(settings());
    let mut connection = connect(&db);
    for n in 0..300 {
        assert_eq!(int(connection.as_mut(), &format!("SELECT {n}")), n);
    }
    let kept = int(connection.as_mut(), "SELECT count(*) FROM pg_prepared_statements");
    assert!((250..=257).contains(&kept), "{kept}");
}
