use super::support::{connect, open, settings};
use crate::clock::Timestamp;
use crate::db::Value;
use crate::error::ErrorCode;

fn value(sql: &str) -> Value<'static> {
    let db = open(settings());
    let rows = connect(&db).query(&format!("SELECT {sql}"), &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter().next().unwrap().into_values().remove(0)
}

fn text(text: &str) -> Value<'_> {
    Value::text(text)
}

#[test]
fn every_kind_comes_back_in_its_shape() {
    let date = jiff::civil::date(2024, 2, 29);
    for (sql, expected) in [
        ("NULL::int", Value::Null),
        ("true", Value::Bool(true)),
        ("(-7)::int2", Value::Int(-7)),
        ("7::int4", Value::Int(7)),
        ("9223372036854775807::int8", Value::Int(i64::MAX)),
        ("4294967295::oid", Value::Int(4_294_967_295)),
        ("0.1::float4", Value::Float(0.1)),
        ("'-Infinity'::float8", Value::Float(f64::NEG_INFINITY)),
        ("'é'::varchar", text("é")),
        ("'ab'::char(4)", text("ab  ")),
        ("'x'::\"char\"", text("x")),
        ("''::\"char\"", text("")),
        ("'n'::name", text("n")),
        ("'lit'", text("lit")),
        ("'\\x00ff'::bytea", Value::Bytes(vec![0, 255].into())),
        ("'2024-02-29'::date", Value::Date(date)),
        ("'23:59:59.000001'::time", Value::Time(jiff::civil::time(23, 59, 59, 1_000))),
        ("'24:00'::time", text("24:00:00")),
        ("'2024-02-29 01:02:03.5'::timestamp", Value::DateTime(date.at(1, 2, 3, 500_000_000))),
        ("'1970-01-01T00:00:01+00'::timestamptz", Value::Timestamp(Timestamp::from_micros(1_000_000))),
        ("'1969-12-31T23:59:59.999999Z'::timestamptz", Value::Timestamp(Timestamp::from_micros(-1))),
        ("'00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid", Value::Uuid(std::array::from_fn(|n| n as u8))),
        ("'{\"b\": [1.0]}'::jsonb", Value::json("{\"b\": [1.0]}")),
        ("'{\"b\":1 }'::json", Value::json("{\"b\":1 }")),
        (
            "ARRAY[[1,NULL],[3,4]]",
            Value::Array(vec![
                Value::Array(vec![Value::Int(1), Value::Null]),
                Value::Array(vec![Value::Int(3), Value::Int(4)]),
            ]),
        ),
        ("'{}'::text[]", Value::Array(vec![])),
    ] {
        assert_eq!(value(sql), expected, "{sql}");
    }
}

#[test]
fn times_beyond_the_calendar_are_text_as_the_server_writes_it() {
    for sql in [
        "'infinity'::date",
        "'-infinity'::timestamptz",
        "'infinity'::timestamp",
        "'4714-11-24 BC'::date",
        "'10000-01-01'::date",
        "'5874897-12-31'::date",
        "'0001-12-31 23:59:59.25 BC'::timestamp",
        "'294276-12-31 23:59:59.999999+00'::timestamptz",
    ] {
        let Value::Text(server) = value(&format!("({sql})::text")) else { panic!("{sql}") };
        assert_eq!(value(sql), Value::Text(server), "{sql}");
    }
}

#[test]
fn numerics_keep_every_digit() {
    for number in [
        "0",
        "0.00",
        "1",
        "-1",
        "10000",
        "100000000",
        "0.0001",
        "0.00001",
        "-0.10",
        "12345.6789000",
        "99999999999999999999.999999999",
        "1e20",
        "1e-20",
        "NaN",
        "1000000000000000000000000.00000000000000000001",
    ] {
        let Value::Text(server) = value(&format!("('{number}'::numeric)::text")) else { panic!("{number}") };
        assert_eq!(value(&format!("'{number}'::numeric")), Value::Decimal(server), "{number}");
    }
    assert_eq!(value("'-Infinity'::numeric"), Value::Decimal("-Infinity".into()));
}

#[test]
fn other_types_come_back_as_text_under_their_own_names() {
    let db = open(settings());
    let mut connection = connect(&db);
    let sql = "SELECT 1 AS a, '10.0.0.1'::inet AS a, '1 day'::interval AS \"B c\", ROW(1, 'x') AS r, int4range(1, 3) AS g, $1::int AS p -- end\n;";
    let rows = connection.query(sql, &[Value::Int(5)]).unwrap();
    assert_eq!(rows[0].columns(), ["a", "a", "B c", "r", "g", "p"]);
    let expected = [Value::Int(1), text("10.0.0.1/32"), text("P1D"), text("(1,x)"), text("[1,3)"), Value::Int(5)];
    assert_eq!(rows[0].values(), expected);
}

#[test]
fn changes_that_return_other_types_are_made_once() {
    let db = open(settings());
    let mut connection = connect(&db);
    let table = super::support::table("net", "at inet");
    let sql = format!("INSERT INTO {table} VALUES ('10.0.0.1'), ('10.0.0.2') RETURNING at");
    assert_eq!(connection.query(&sql, &[]).unwrap().len(), 2);
    assert_eq!(super::support::int(connection.as_mut(), &format!("SELECT count(*) FROM {table}")), 2);
    let nested = format!("WITH gone AS (DELETE FROM {table} RETURNING at) SELECT at FROM gone");
    assert_eq!(connection.query(&nested, &[]).unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn enums_and_domains_are_what_they_are_made_of() {
    let db = open(settings());
    let mut connection = connect(&db);
    let name = super::support::unique("kind");
    connection
        .batch(&format!("CREATE TYPE {name}_e AS ENUM ('red'); CREATE DOMAIN {name}_d AS numeric CHECK (value > 0)"))
        .unwrap();
    let sql = format!("SELECT $1::{name}_e, $2::{name}_d, ARRAY['red']::{name}_e[]");
    let rows = connection.query(&sql, &[text("red"), Value::Decimal("1.50".into())]).unwrap();
    assert_eq!(rows[0].values(), [text("red"), Value::Decimal("1.50".into()), Value::Array(vec![text("red")])]);
}
