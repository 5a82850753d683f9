#![allow(clippy::unwrap_used)]

mod round_trip;
mod suite;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::error::{Error, ErrorCode};

/// Path and message of the one violation there must be.
fn refused(result: Result<Json, Error>) -> (String, String) {
    let error = result.unwrap_err();
    let [violation] = error.violations_list().try_into().unwrap();
    assert_eq!((error.code(), violation.keyword.as_str()), (ErrorCode::Validation, "json"));
    (violation.path, violation.message)
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn keys_are_sorted_and_numbers_keep_their_kind() {
    for (text, canonical) in [
        (r#" { "b" : 1e2 , "a" : [ ] } "#, r#"{"a":[],"b":100.0}"#),
        ("[1,1.0,-0,-0.0,-0e5,1e16,1E-7]", "[1,1.0,0,0.0,0.0,1e16,1e-7]"),
        ("[-9223372036854775808,18446744073709551615]", "[-9223372036854775808,18446744073709551615]"),
        ("[9223372036854775808.0,1e300,-0]", "[9.223372036854776e18,1e300,0]"),
        ("[123456789012345678901.5]", "[1.2345678901234568e20]"),
        ("5e-324", "5e-324"),
        ("1e-999", "0.0"),
        (r#""\u00e9\/\uD83D\uDE42\u007f""#, "\"é/🙂\u{7f}\""),
        ("{\"\u{ff5e}\":1,\"🙂\":2,\"z\":3,\"\":4,\"Z\":5}", "{\"\":4,\"Z\":5,\"z\":3,\"\u{ff5e}\":1,\"🙂\":2}"),
    ] {
        assert_eq!(Json::parse(text).unwrap().as_str(), canonical);
        assert_eq!(Json::parse(canonical).unwrap().as_str(), canonical);
    }
}

#[test]
fn an_error_names_its_place() {
    for (text, path, part) in [
        (r#"{"a":{"b":1,"c":2,"b":3}}"#, "/a/b", "more than once"),
        (r#"{"a":{"\u0062":1,"b":3}}"#, "/a/b", "more than once"),
        (r#"["x",{"k":"a\u0000b"}]"#, "/1/k", "NUL"),
        (r#"{"a\u0000/~":1}"#, "/a\0~1~0", "NUL"),
        (r#"{"a/b":{"~":18446744073709551616}}"#, "/a~1b/~0", "an integer lies between"),
        ("[1e300,-0.0,{\"1\":-9223372036854775809}]", "/2/1", "an integer lies between"),
        ("[\"10000000000000000000000\",[10000000000000000000000]]", "/1/0", "an integer lies between"),
        ("[0,1e999]", "/1", "number out of range"),
        ("[0,NaN]", "/1", "not JSON"),
        ("[0,-Infinity]", "/1", "not JSON"),
        (r#"{"a":["\ud800"]}"#, "/a/0", "not JSON"),
        (r#"{"a":"\udc00\ud800"}"#, "/a", "not JSON"),
        ("{} {}", "", "trailing"),
        ("\u{feff}{}", "", "not JSON"),
        ("", "", "EOF"),
    ] {
        let (at, message) = refused(Json::parse(text));
        assert_eq!(at, path, "{text}");
        assert!(message.contains(part), "{text}: {message}");
    }
    assert!(refused(Json::parse(b"[\"\xff\"]")).1.contains("at byte 2"));
}

#[test]
fn nesting_ends_at_128() {
    Json::parse(nested(128)).unwrap();
    let (path, message) = refused(Json::parse(nested(129)));
    assert_eq!((path.as_str(), message.as_str()), ("/0".repeat(128).as_str(), TOO_DEEP));
    refused(Json::parse("[".repeat(1_000_000)));
    refused(Json::parse(r#"{"a":"#.repeat(1_000_000)));
    let deep = (0..129).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(refused(Json::from_value(&deep)).0, "/a".repeat(128));
    Json::from_value(&deep["a"]).unwrap();
}

#[test]
fn values_in_memory_obey_the_same_rules() {
    assert_eq!(Json::from_value(&json!({ "b": -0.0, "a": 1 })).unwrap().as_str(), r#"{"a":1,"b":0.0}"#);
    assert_eq!(refused(Json::from_value(&json!(["a", { "b": "\0" }]))).0, "/1/b");
    assert_eq!(refused(Json::from_value(&json!({ "\0": 1 }))).0, "/\0");
    assert_eq!(refused(Json::from_serialize(&[i128::MAX])).0, "/0");
    assert_eq!(Json::from_serialize(&(1, "a", None::<u8>)).unwrap().as_str(), r#"[1,"a",null]"#);
}

#[test]
fn floats_that_are_not_finite_are_refused() {
    #[derive(Serialize)]
    enum Shape {
        Named { size: (u8, f64) },
        Listed(u8, f32),
        One(Option<f64>),
    }
    for (value, path) in [
        (Shape::Named { size: (1, f64::NAN) }, "/a~1b/0/Named/size/1"),
        (Shape::Listed(1, f32::INFINITY), "/a~1b/0/Listed/1"),
        (Shape::One(Some(f64::NEG_INFINITY)), "/a~1b/0/One"),
    ] {
        let map = std::collections::BTreeMap::from([("a/b", [value])]);
        assert_eq!(refused(Json::from_serialize(&map)), (path.to_owned(), NOT_FINITE.to_owned()));
    }
    let numbered = std::collections::BTreeMap::from([(7, f64::NAN)]);
    assert_eq!(refused(Json::from_serialize(&numbered)).0, "/7");
    assert_eq!(Json::from_serialize(&Shape::One(None)).unwrap().as_str(), r#"{"One":null}"#);
}

#[test]
fn a_document_crosses_serde_as_it_stands() {
    #[derive(Serialize, Deserialize)]
    struct Row {
        payload: Json,
    }
    let row = Row { payload: Json::parse(r#"{"b":1e16,"a":1.0}"#).unwrap() };
    let text = serde_json::to_string(&row).unwrap();
    assert_eq!(text, r#"{"payload":{"a":1.0,"b":1e16}}"#);
    assert_eq!(serde_json::to_value(&row).unwrap(), json!({ "payload": { "a": 1.0, "b": 1e16 } }));
    let value: Value = serde_json::from_str(&text).unwrap();
    for back in [serde_json::from_str::<Row>(&text).unwrap(), serde_json::from_value(value).unwrap()] {
        assert_eq!(back.payload, row.payload);
    }
    assert!(serde_json::from_str::<Row>(r#"{"payload":{"a":1,"a":2}}"#).is_err());
    assert_eq!(decode::<Row>(r#"{"payload":1e30}"#).unwrap().payload.as_str(), "1e30");
    let error = decode::<Row>(format!("{{\"payload\":1{}}}", "0".repeat(30))).err().unwrap();
    assert_eq!(error.violations_list()[0].path, "/payload");
    let error = decode::<u8>(r#""hush, expected""#).unwrap_err();
    assert_eq!(error.message(), "expected an integer in the range of u8");
    assert_eq!(decode::<Row>("{}").err().unwrap().code(), ErrorCode::InvalidArgument);
}

#[test]
fn the_hash_is_that_of_the_canonical_text() {
    let hash = |text| Json::parse(text).unwrap().hash_hex();
    assert_eq!(hash("{}"), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(hash(r#"{"a":1,"b":2}"#), hash(r#"{ "b": 2, "a": 1 }"#));
    assert_ne!(hash("1"), hash("1.0"));
    assert_eq!(Json::default(), Json::parse(" null").unwrap());
}
