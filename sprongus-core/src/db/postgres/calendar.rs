//! PostgreSQL's days and microseconds since 2000-01-01, which reach from 4714 BC to the year 294276.

use jiff::civil::{Date, Time};

use crate::clock::Timestamp;
use crate::db::Value;

/// 2000-01-01T00:00:00Z in microseconds since 1970.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// 2000-01-01 in days since 1970.
const EPOCH_DAYS: i64 = 10_957;
const DAY: i64 = 86_400_000_000;
/// A thousand years about 2000.
const NEAR: std::ops::Range<i64> = -182_500 * DAY..182_500 * DAY;

/// A DATE; infinities and years outside 1 to 9999 as PostgreSQL's text.
pub(super) fn date(days: i32) -> Value<'static> {
    match days {
        i32::MAX => return Value::Text("infinity".into()),
        i32::MIN => return Value::Text("-infinity".into()),
        _ => {}
    }
    let civil = Civil::of(days.into());
    match civil.date() {
        Some(date) => Value::Date(date),
        None => Value::Text(format!("{}{}", civil.text(), civil.era()).into()),
    }
}

/// A TIMESTAMP; infinities and years outside 1 to 9999 as PostgreSQL's text.
pub(super) fn datetime(micros: i64) -> Value<'static> {
    match split(micros) {
        Ok((civil, time)) => match civil.date() {
            Some(date) => Value::DateTime(date.to_datetime(time)),
            None => Value::Text(format!("{} {time}{}", civil.text(), civil.era()).into()),
        },
        Err(infinity) => infinity,
    }
}

/// A TIMESTAMPTZ; infinities and years outside 1 to 9999 as PostgreSQL's text, in UTC.
pub(super) fn instant(micros: i64) -> Value<'static> {
    // Most: no calendar is asked.
    if NEAR.contains(&micros) {
        return Value::Timestamp(Timestamp::from_micros(micros + EPOCH_MICROS));
    }
    match split(micros) {
        Ok((civil, time)) => match civil.date() {
            Some(_) => Value::Timestamp(Timestamp::from_micros(micros + EPOCH_MICROS)),
            None => Value::Text(format!("{} {time}+00{}", civil.text(), civil.era()).into()),
        },
        Err(infinity) => infinity,
    }
}

fn split(micros: i64) -> Result<(Civil, Time), Value<'static>> {
    match micros {
        i64::MAX => return Err(Value::Text("infinity".into())),
        i64::MIN => return Err(Value::Text("-infinity".into())),
        _ => {}
    }
    let rest = micros.rem_euclid(DAY);
    let nanos = jiff::SignedDuration::from_micros(rest);
    Ok((Civil::of(micros.div_euclid(DAY)), Time::midnight().wrapping_add(nanos)))
}

/// A proleptic Gregorian date with a year of any size (year 0 is 1 BC).
struct Civil {
    year: i64,
    month: i8,
    day: i8,
}

impl Civil {
    /// From days since 2000-01-01: jiff counts within one cycle of 400 years (146,097 days), the cycles are added.
    fn of(days: i64) -> Self {
        let days = days + EPOCH_DAYS;
        let (cycles, within) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let date = Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(within));
        Self { year: i64::from(date.year()) + 400 * cycles, month: date.month(), day: date.day() }
    }

    fn date(&self) -> Option<Date> {
        let year = i16::try_from(self.year).ok().filter(|year| (1..=9999).contains(year))?;
        Date::new(year, self.month, self.day).ok()
    }

    fn text(&self) -> String {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        format!("{year:04}-{:02}-{:02}", self.month, self.day)
    }

    fn era(&self) -> &'static str {
        if self.year > 0 { "" } else { " BC" }
    }
}
