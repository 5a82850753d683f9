//! Without a statement cache: what a transaction-mode pooler needs.

use super::support::{connect, int, open, settings, table};
use crate::db::postgres::PostgresSettings;
use crate::db::{Commit, Value};

fn without_cache() -> PostgresSettings {
    PostgresSettings { statement_cache: false, ..settings() }
}

#[test]
fn nothing_is_left_in_the_session() {
    let db = open(without_cache());
    let mut connection = connect(&db);
    let table = table("pooled", "id int, tags text[]");
    let tags = Value::Array(vec![Value::text("a")]);
    connection.execute(&format!("INSERT INTO {table} VALUES ($1, $2)"), &[Value::Int(1), tags.clone()]).unwrap();
    let rows = connection.query(&format!("SELECT id, tags, '10.0.0.1'::inet FROM {table}"), &[]).unwrap();
    assert_eq!(rows[0].values(), [Value::Int(1), tags, Value::text("10.0.0.1/32")]);
    let kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared_statements%'";
    assert_eq!(int(connection.as_mut(), kept), 0);
}

#[test]
fn settings_hold_inside_each_transaction() {
    let db = open(without_cache());
    let mut connection = connect(&db);
    connection.begin(true).unwrap();
    let rows = connection
        .query("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')", &[])
        .unwrap();
    assert_eq!(rows[0].values(), [Value::text("5s"), Value::text("off")]);
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    assert!(connection.query("SELECT 1/0", &[]).is_err());
    assert_eq!(int(connection.as_mut(), "SELECT 1"), 1);
}
