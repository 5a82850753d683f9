#![allow(clippy::unwrap_used)]
use super::*;

fn text(input: &str) -> String {
    input.parse::<Timestamp>().map_or_else(|error| error.message().to_owned(), |time| time.to_string())
}

#[test]
fn offsets_fractions_and_cases_are_read() {
    for (input, expected) in [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
        ("1970-01-01t00:00:00z", "1970-01-01T00:00:00.000000Z"),
        ("1987-07-05T17:45:56.600+08:00", "1987-07-05T09:45:56.600000Z"),
        ("1987-07-05T17:45:56-00:00", "1987-07-05T17:45:56.000000Z"),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ("2000-02-29T00:00:00.000001000000000000000000001-23:59", "2000-02-29T23:59:00.000001Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31T15:59:60.5-08:00", "2016-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(text(input), expected);
        assert_eq!(text(expected), expected);
    }
}

#[test]
fn what_rfc_3339_does_not_have_is_validation() {
    for input in [
        "",
        "T",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00,5Z",
        "2024-01-01T00:00:00+0200",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+02:60",
        "2024-01-01T00:00:00Z ",
        " 2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z[UTC]",
        "+2024-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0000-12-31T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2024-01-01T12:00:60Z",
        "２024-01-01T00:00:00Z",
        "2024-01-01T00:00:61Z",
        "1704067200",
    ] {
        let error = input.parse::<Timestamp>().unwrap_err();
        assert_eq!((error.code(), error.violations_list().len()), (ErrorCode::Validation, 1), "{input}");
    }
    assert!(text("2024-01-01T00:00:00").contains("needs an offset"));
}

#[test]
fn every_microsecond_of_the_range_reads_back() {
    let (first, last) = (Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
    assert_eq!(Timestamp::from_micros(i64::MIN).to_string(), "0001-01-01T00:00:00.000000Z");
    assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9999-12-31T23:59:59.999999Z");
    for micros in (first..last).step_by(7_777_777_777_777) {
        let time = Timestamp::from_micros(micros);
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        assert_eq!(time.to_string().len(), 27);
    }
}

#[test]
fn arithmetic_stays_within_the_range() {
    let time = Timestamp::from_micros(10);
    assert_eq!(time.saturating_add(Duration::from_nanos(1_999)).as_micros(), 11);
    assert_eq!(time.saturating_sub(Duration::MAX), Timestamp::MIN);
    assert_eq!(time.saturating_add(Duration::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MAX.checked_add(Duration::from_micros(1)), None);
    assert_eq!(time.since(Timestamp::from_micros(4)), Duration::from_micros(6));
    assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
}

#[test]
fn json_is_the_text() {
    let time = Timestamp::from_micros(1);
    let json = serde_json::to_string(&time).unwrap();
    assert_eq!(json, "\"1970-01-01T00:00:00.000001Z\"");
    assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
    assert!(serde_json::from_str::<Timestamp>("1").is_err());
}

/// The vectors of toml-test, where they are at hand. TOML also takes a space for the T; RFC 3339 §5.6 is held here.
#[test]
fn the_vectors_are_answered_as_rfc_3339_does() {
    let data = std::env::var_os("SPRONGUS_TEST_DATA").map(std::path::PathBuf::from);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = data.unwrap_or_else(|| root.join("../../shared/data")).join("timestamps");
    for (file, valid) in [("toml-test.valid.json", true), ("toml-test.invalid.json", false)] {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            println!("timestamps/{file} is not here: our own samples alone are tested");
            continue;
        };
        for vector in serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap() {
            let (kind, value) = (vector["type"].as_str().unwrap(), vector["value"].as_str().unwrap());
            assert_eq!(value.parse::<Timestamp>().is_ok(), valid && kind == "datetime", "{value}");
        }
    }
}
