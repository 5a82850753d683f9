use super::support::{connect, int, open, settings, unique};
use crate::db::Value;
use crate::error::ErrorCode;

const PID: &str = "SELECT pg_backend_pid()::int8";

#[test]
fn a_session_the_host_marked_is_not_lent_again() {
    let db = open(settings());
    let pid = int(connect(&db).as_mut(), PID);
    assert_eq!(int(connect(&db).as_mut(), PID), pid);
    for sql in [
        "SET search_path = nowhere",
        "LISTEN x",
        "SELECT set_config('timezone', 'Asia/Tokyo', false)",
        "CREATE TEMP TABLE mine (id int)",
        "SELECT pg_advisory_lock(77)",
        "PREPARE p AS SELECT 1",
        "/* a /* b */ */ SET application_name = 'mine'",
        "DO $$BEGIN CREATE TEMP TABLE mine (id int); END$$",
        "CREATE TABLE pg_temp.mine (id int)",
        "SELECT 1 AS id INTO TEMP mine",
        "EXPLAIN ANALYZE CREATE TEMP TABLE mine AS SELECT 1",
    ] {
        let mut marked = connect(&db);
        let before = int(marked.as_mut(), PID);
        marked.batch(sql).unwrap();
        drop(marked);
        assert_ne!(int(connect(&db).as_mut(), PID), before, "{sql}");
    }
}

#[test]
fn an_open_transaction_is_rolled_back_when_its_connection_is_given_back() {
    let db = open(settings());
    let table = super::support::table("left", "id int");
    let mut connection = connect(&db);
    let pid = int(connection.as_mut(), PID);
    connection.begin(true).unwrap();
    connection.execute(&format!("INSERT INTO {table} VALUES (1)"), &[]).unwrap();
    drop(connection);
    let mut again = connect(&db);
    assert_eq!((int(again.as_mut(), PID), int(again.as_mut(), &format!("SELECT count(*) FROM {table}"))), (pid, 0));
}

#[test]
fn the_schema_option_is_where_our_tables_go() {
    let schema = unique("Space");
    let db = open(crate::db::postgres::PostgresSettings { schema: Some(schema.clone()), ..settings() });
    let mut connection = connect(&db);
    connection.batch(&format!("CREATE SCHEMA \"{schema}\"")).unwrap();
    connection.batch("CREATE TABLE ours (id int)").unwrap();
    let rows = connection.query(
        "SELECT schemaname FROM pg_tables WHERE tablename = 'ours' AND schemaname = $1",
        &[Value::text(&schema)],
    );
    assert_eq!(rows.unwrap().len(), 1);
    for bad in ["", "1a", "a b", "a\"b", &"x".repeat(64), "é"] {
        let settings = crate::db::postgres::PostgresSettings { schema: Some(bad.to_owned()), ..settings() };
        let refused = crate::db::postgres::PostgresDb::open(super::support::url(), settings);
        assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidArgument, "{bad}");
    }
}

#[test]
fn a_read_only_store_writes_nothing() {
    let db = open(crate::db::postgres::PostgresSettings { read_only: true, ..settings() });
    let refused = connect(&db).batch(&format!("CREATE TABLE {} (id int)", unique("no"))).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::PermissionDenied);
}

#[test]
fn sessions_say_who_they_are() {
    let db = open(settings());
    let rows =
        connect(&db).query("SELECT current_setting('application_name'), current_setting('timezone')", &[]).unwrap();
    assert_eq!(rows[0].values(), [Value::text("sprongus"), Value::text("UTC")]);
}
