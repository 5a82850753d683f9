use super::support::{connect, open, settings, table, unique};
use crate::db::Value;
use crate::db::postgres::errors::{code_of, sqlstate};
use crate::error::ErrorCode;

#[test]
fn constraints_and_mistakes_have_stable_codes() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("strict", "id int primary key check (id < 9), name text not null");
    connection.execute(&format!("INSERT INTO {table} VALUES (1, 'a')"), &[]).unwrap();
    connection.batch(&format!("CREATE TABLE {table}_child (parent int REFERENCES {table})")).unwrap();
    for (sql, code) in [
        (format!("INSERT INTO {table}_child VALUES (5)"), ErrorCode::Referenced),
        (format!("INSERT INTO {table} VALUES (1, 'b')"), ErrorCode::Conflict),
        (format!("INSERT INTO {table} VALUES (2, NULL)"), ErrorCode::Validation),
        (format!("INSERT INTO {table} VALUES (10, 'c')"), ErrorCode::Validation),
        ("SELEC 1".to_owned(), ErrorCode::InvalidArgument),
        ("SELECT * FROM nowhere_at_all".to_owned(), ErrorCode::InvalidArgument),
        (format!("SELECT nothing FROM {table}"), ErrorCode::InvalidArgument),
        ("SELECT 'abc'::int".to_owned(), ErrorCode::InvalidArgument),
    ] {
        assert_eq!(connection.execute(&sql, &[]).unwrap_err().code(), code, "{sql}");
    }
}

#[test]
fn a_conflict_names_its_constraint_and_not_its_row() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = table("once", "secret text primary key");
    let sql = format!("INSERT INTO {table} VALUES ($1)");
    connection.execute(&sql, &[Value::text("hunter2")]).unwrap();
    let error = connection.execute(&sql, &[Value::text("hunter2")]).unwrap_err();
    assert_eq!(sqlstate(&error), Some("23505"));
    assert_eq!(error.details().unwrap()["constraint"], format!("{table}_pkey"));
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn privileges_are_permission_denied() {
    let db = open(settings());
    let role = unique("role");
    let mut connection = connect(&db);
    let table = table("closed", "id int");
    connection.batch(&format!("CREATE ROLE {role}")).unwrap();
    connection.begin(true).unwrap();
    connection.batch(&format!("SET LOCAL ROLE {role}")).unwrap();
    assert_eq!(
        connection.query(&format!("SELECT * FROM {table}"), &[]).unwrap_err().code(),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn codes_follow_the_class_where_nothing_closer_is_known() {
    for (state, code) in [
        ("40P01", ErrorCode::Busy),
        ("55P03", ErrorCode::Busy),
        ("53100", ErrorCode::StorageFull),
        ("08006", ErrorCode::Unavailable),
        ("28P01", ErrorCode::PermissionDenied),
        ("22001", ErrorCode::InvalidArgument),
        ("XX002", ErrorCode::Corrupt),
        ("58030", ErrorCode::Storage),
        ("", ErrorCode::Storage),
    ] {
        assert_eq!(code_of(state), code, "{state}");
    }
}
