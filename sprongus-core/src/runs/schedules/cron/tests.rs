//! Times that zones leave out or repeat, leap days, and what is no cron expression. The expected times were reckoned with
//! another library (Python's zoneinfo).
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The slots after that time.
fn slots(cron: &str, tz: &str, after: &str, count: usize) -> Vec<String> {
    let slots = CronSlots::parse(cron, zone(tz).unwrap()).unwrap();
    let all = std::iter::successors(slots.next(at(after)), |slot| slots.next(*slot));
    all.take(count).map(|slot| slot.to_string().replace(":00.000000Z", "Z")).collect()
}

#[track_caller]
fn check(cron: &str, tz: &str, after: &str, expected: &[&str]) {
    assert_eq!(slots(cron, tz, after, expected.len()), expected, "{cron} in {tz} after {after}");
}

#[test]
fn a_time_of_day_in_a_gap_comes_right_after_it_once() {
    let berlin = "2026-03-28T12:00:00Z";
    check("30 2 * * *", "Europe/Berlin", berlin, &["2026-03-29T01:00Z", "2026-03-30T00:30Z"]);
    check("0 2,14 * * *", "Europe/Berlin", "2026-03-28T13:00:00Z", &["2026-03-29T01:00Z", "2026-03-29T12:00Z"]);
    // Two of a list that fall together are one.
    check("0 2,3 * * *", "Europe/Berlin", berlin, &["2026-03-29T01:00Z", "2026-03-30T00:00Z", "2026-03-30T01:00Z"]);
    check("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-08T07:00Z", "2026-03-09T06:30Z"]);
    // Half an hour is left out.
    check("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:30Z", "2026-10-04T15:15Z"]);
    check("30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00:00Z", &["2026-03-22T02:00Z", "2026-03-23T01:30Z"]);
    // A whole day is left out: 30 December 2011.
    check(
        "0 9 * * *",
        "Pacific/Apia",
        "2011-12-29T00:00:00Z",
        &["2011-12-29T19:00Z", "2011-12-30T10:00Z", "2011-12-30T19:00Z"],
    );
}

#[test]
fn a_time_of_day_in_a_repeated_hour_comes_once() {
    let berlin = "2026-10-24T12:00:00Z";
    check("30 2 * * *", "Europe/Berlin", berlin, &["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
    // Also where one asks within the repeat, or right at its beginning.
    check("30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", &["2026-10-26T01:30Z"]);
    check("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", &["2026-10-26T01:30Z"]);
    check("0 3 * * *", "Europe/Berlin", "2026-10-25T00:59:59Z", &["2026-10-25T02:00Z"]);
    check("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", &["2026-11-01T05:30Z", "2026-11-02T06:30Z"]);
    check("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", &["2026-04-04T14:45Z", "2026-04-05T15:15Z"]);
    check("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00:00Z", &["2026-02-15T01:30Z", "2026-02-16T02:30Z"]);
}

#[test]
fn a_rhythm_goes_by_the_time_that_passes() {
    let gap = ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"];
    check("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", &gap);
    check("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &["2026-03-29T00:30Z", "2026-03-29T01:30Z"]);
    let repeat = ["2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"];
    check("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", &repeat);
    check(
        "@hourly",
        "America/New_York",
        "2026-11-01T04:30:00Z",
        &["2026-11-01T05:00Z", "2026-11-01T06:00Z", "2026-11-01T07:00Z"],
    );
    check("*/20 * * * *", "Australia/Lord_Howe", "2026-10-03T15:00:00Z", &["2026-10-03T15:10Z", "2026-10-03T15:40Z"]);
}

#[test]
fn days_are_found() {
    check("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00Z", "2032-02-29T00:00Z"]);
    check("0 0 29 2 *", "Europe/Berlin", "2096-03-01T00:00:00Z", &["2104-02-28T23:00Z"]);
    check("0 0 L * *", "UTC", "2028-01-01T00:00:00Z", &["2028-01-31T00:00Z", "2028-02-29T00:00Z"]);
    check("0 9 * * MON#2", "UTC", "2026-11-01T00:00:00Z", &["2026-11-09T09:00Z", "2026-12-14T09:00Z"]);
    check("0 9 * * FRI#L", "UTC", "2026-11-01T00:00:00Z", &["2026-11-27T09:00Z", "2026-12-25T09:00Z"]);
    check("0 9 15W * *", "UTC", "2026-11-01T00:00:00Z", &["2026-11-16T09:00Z", "2026-12-15T09:00Z"]);
    // Either of day and weekday, or both where the weekday has a plus.
    check("0 0 13 * FRI", "UTC", "2026-11-12T12:00:00Z", &["2026-11-13T00:00Z", "2026-11-20T00:00Z"]);
    check("0 0 13 * +FRI", "UTC", "2026-11-14T00:00:00Z", &["2027-08-13T00:00Z"]);
    check("@weekly", "UTC", "2026-11-21T00:00:00Z", &["2026-11-22T00:00Z"]);
    assert_eq!(
        slots("*/20 30 2 * * *", "UTC", "2026-11-21T02:30:01.5Z", 2),
        ["2026-11-21T02:30:20.000000Z", "2026-11-21T02:30:40.000000Z"]
    );
    check("0 12 * * *", "UTC", "2026-11-21T12:00:00.000001Z", &["2026-11-22T12:00Z"]);
}

#[test]
fn what_never_comes_is_found_out_soon() {
    for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "* * 30 2 *"] {
        let begun = std::time::Instant::now();
        assert!(slots(never, "Europe/Berlin", "2026-01-01T00:00:00Z", 1).is_empty(), "{never}");
        assert!(begun.elapsed().as_secs() < 20, "{never} took {:?}", begun.elapsed());
    }
    let begun = std::time::Instant::now();
    check("* * 29 2 +MON", "Europe/Berlin", "2097-01-01T00:00:00Z", &["2112-02-28T23:00Z"]);
    assert!(begun.elapsed().as_secs() < 20, "it took {:?}", begun.elapsed());
}

#[test]
fn what_is_no_expression_is_refused() {
    let utc = || zone("UTC").unwrap();
    let long = "*".repeat(10_000);
    for bad in [
        "",
        " ",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "a b c d e",
        "@reboot",
        "* * * * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 0 * * MON#6",
        "\u{1f600} * * * *",
        "0 0 * * *\n0",
        &long,
    ] {
        let error = CronSlots::parse(bad, utc()).err().map(|error| error.code());
        assert_eq!(error, Some(crate::ErrorCode::InvalidArgument), "{bad:?}");
    }
    for bad in ["", "Berlin", "Europe/Nowhere", "Etc/Unknown", "+02:00", "../../etc/passwd", "UTC\n", &long] {
        assert_eq!(zone(bad).err().map(|error| error.code()), Some(crate::ErrorCode::InvalidArgument), "{bad:?}");
    }
    assert_eq!(zone("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
}

proptest! {
    /// Slots rise, stand where asking between them finds them too, and no text makes the reader panic.
    #[test]
    fn slots_rise(minute in 0..60_i64, hour in 0..24_i64, start in 1_700_000_000_i64..1_900_000_000, back in 1..3_600_i64) {
        for tz in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"] {
            let slots = CronSlots::parse(&format!("{minute} {hour} * * *"), zone(tz).unwrap()).unwrap();
            let start = Timestamp::from_micros(start * 1_000_000);
            let first = slots.next(start).unwrap();
            let second = slots.next(first).unwrap();
            let day = second.since(first).as_secs();
            prop_assert!(first > start && (82_000..91_000).contains(&day), "{tz}: {first}, {second}");
            let between = Timestamp::from_micros(second.as_micros() - back * 1_000_000);
            prop_assert_eq!(slots.next(between), Some(second));
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,40}", cron in "[0-9*/,LW#?@+ A-Za-z-]{0,40}") {
        for text in [text, cron] {
            if let Ok(slots) = CronSlots::parse(&text, zone("Europe/Berlin").unwrap()) {
                let _ = slots.next(at("2026-10-24T12:00:00Z"));
            }
        }
    }
}
