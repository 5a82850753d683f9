use super::support::{connect, open, settings};
use crate::clock::Timestamp;
use crate::db::Value;
use crate::error::ErrorCode;

fn text_of(ty: &str, value: Value<'_>) -> String {
    let db = open(settings());
    let rows = connect(&db)
        .query(&format!("SELECT ($1::{ty})::text"), &[value])
        .unwrap_or_else(|error| panic!("{ty}: {error}"));
    rows[0].text(0).unwrap()
}

#[test]
fn parameters_become_the_type_the_server_infers() {
    let instant = Value::Timestamp(Timestamp::from_micros(1_709_168_523_500_000));
    for (ty, value, expected) in [
        ("int2", Value::Int(-3), "-3"),
        ("numeric", Value::Int(i64::MIN), "-9223372036854775808"),
        ("float8", Value::Int(2), "2"),
        ("float8", Value::Float(1e300), "1e+300"),
        ("float8", Value::Float(f64::NAN), "NaN"),
        ("numeric", Value::Decimal("1.500".into()), "1.500"),
        ("text", Value::Int(5), "5"),
        ("text", Value::Bool(true), "true"),
        ("bool", Value::Int(1), "true"),
        ("date", Value::text("2024-01-01"), "2024-01-01"),
        ("date", Value::Date(jiff::civil::date(2024, 2, 29)), "2024-02-29"),
        ("time", Value::Time(jiff::civil::time(1, 2, 3, 4_000)), "01:02:03.000004"),
        ("timestamp", Value::DateTime(jiff::civil::date(2024, 2, 29).at(1, 2, 3, 0)), "2024-02-29 01:02:03"),
        ("timestamptz", instant.clone(), "2024-02-29 01:02:03.5+00"),
        ("timestamp", instant.clone(), "2024-02-29 01:02:03.5"),
        ("text", instant, "2024-02-29T01:02:03.500000Z"),
        ("timestamptz", Value::text("2024-02-29T02:02:03+01:00"), "2024-02-29 01:02:03+00"),
        ("uuid", Value::Uuid([0xab; 16]), "abababab-abab-abab-abab-abababababab"),
        ("bytea", Value::Bytes(vec![0, 39, 255].into()), "\\x0027ff"),
        ("jsonb", Value::json("{\"a\":\"\\u00e9\"}"), "{\"a\": \"é\"}"),
        ("jsonb", Value::text("[1]"), "[1]"),
        ("jsonb", Value::Array(vec![Value::Int(1), Value::text("a\"b"), Value::Null]), "[1, \"a\\\"b\", null]"),
        ("text", Value::Array(vec![Value::Int(1), Value::text("x")]), "[1,\"x\"]"),
        ("int4[]", Value::Array(vec![Value::Int(1), Value::Null]), "{1,NULL}"),
        (
            "text[]",
            Value::Array(vec![Value::text("NULL"), Value::text("a,\"\\b"), Value::text("")]),
            "{\"NULL\",\"a,\\\"\\\\b\",\"\"}",
        ),
        ("text[]", Value::Array(vec![Value::Null, Value::json("{}"), Value::text("é")]), "{NULL,\"{}\",é}"),
        ("text[]", Value::Array(vec![]), "{}"),
        ("text[]", Value::Array(vec![Value::text("a"), Value::Int(1)]), "{a,1}"),
        ("int8[]", Value::Array(vec![Value::Int(i64::MIN), Value::Null]), "{-9223372036854775808,NULL}"),
        ("int8[]", Value::Array(vec![Value::Int(7), Value::Decimal("8".into())]), "{7,8}"),
        (
            "int4[]",
            Value::Array(vec![Value::Array(vec![Value::Int(1)]), Value::Array(vec![Value::Int(2)])]),
            "{{1},{2}}",
        ),
        ("inet", Value::text("10.0.0.1"), "10.0.0.1/32"),
    ] {
        assert_eq!(text_of(ty, value), expected, "{ty}");
    }
}

#[test]
fn what_cannot_be_is_refused_by_number_and_leaves_the_transaction_whole() {
    let db = open(settings());
    let mut connection = connect(&db);
    connection.begin(true).unwrap();
    for (ty, value) in [
        ("int2", Value::Int(40_000)),
        ("int4", Value::Int(i64::MAX)),
        ("oid", Value::Int(-1)),
        ("int8", Value::Float(1.0)),
        ("int8", Value::Bool(true)),
        ("bool", Value::Int(2)),
        ("text", Value::text("a\0b")),
        ("text", Value::Bytes(vec![1].into())),
        ("text[]", Value::Array(vec![Value::text("\0")])),
        ("int2[]", Value::Array(vec![Value::Int(1), Value::Int(40_000)])),
        ("date", Value::Int(1)),
        ("uuid", Value::Bool(true)),
        ("bytea", Value::Int(1)),
        ("jsonb", Value::Bytes(vec![1].into())),
    ] {
        let error = connection.query(&format!("SELECT $1::int, $2::{ty}"), &[Value::Null, value]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{ty}");
        assert!(error.message().contains("$2"), "{error}");
    }
    let error = connection.query("SELECT $1::int", &[]).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::InvalidArgument, "the SQL takes 1 parameters, 0 were given")
    );
    assert_eq!(super::support::int(connection.as_mut(), "SELECT 1"), 1);
}

#[test]
fn a_value_the_server_refuses_is_not_quoted() {
    let db = open(settings());
    let error = connect(&db).query("SELECT $1::int", &[Value::text("sec\"ret")]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(!format!("{error:?}").contains("ret"), "{error:?}");
}

#[test]
fn a_number_used_twice_is_one_parameter() {
    let db = open(settings());
    let rows = connect(&db).query("SELECT $2::int - $1::int, $2::int", &[Value::Int(1), Value::Int(5)]).unwrap();
    assert_eq!(rows[0].values(), [Value::Int(4), Value::Int(5)]);
}

#[test]
fn floats_stay_floats_in_json() {
    let db = open(settings());
    let floats = [Value::Float(1.0), Value::Array(vec![Value::Float(1e16), Value::Float(-0.5)])];
    let rows = connect(&db).query("SELECT $1::jsonb, $2::jsonb", &floats).unwrap();
    assert_eq!(rows[0].values(), [Value::json("1.0"), Value::json("[10000000000000000.0, -0.5]")]);
}
