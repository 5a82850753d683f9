//! The fixed text of an instant, written and read digit by digit: every row that is written or read has some times.

use super::Timestamp;

/// `YYYY-MM-DDTHH:MM:SS.ffffffZ`
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeText([u8; WIDTH]);

const WIDTH: usize = 27;
const PATTERN: &[u8; WIDTH] = b"0000-00-00T00:00:00.000000Z";
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl TimeText {
    pub(super) fn of(time: Timestamp) -> Self {
        let (days, micros) = (time.as_micros().div_euclid(DAY), time.as_micros().rem_euclid(DAY));
        let (year, month, day) = civil(days);
        let (seconds, fraction) = (micros / SECOND, micros % SECOND);
        let mut text = *PATTERN;
        put(&mut text[..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], seconds / 3_600);
        put(&mut text[14..16], seconds / 60 % 60);
        put(&mut text[17..19], seconds % 60);
        put(&mut text[20..26], fraction);
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        // Digits and the signs of the pattern.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The last digits of a number, as many as there is room for.
fn put(place: &mut [u8], number: i64) {
    let mut number = number.unsigned_abs() as u32;
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// An instant in its fixed text; `None` of any other text, which may be a time all the same.
pub(super) fn read(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; WIDTH] = text.try_into().ok()?;
    let mut digits = true;
    let mut number = |from: usize, to: usize| {
        text[from..to].iter().fold(0, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            digits &= digit < 10;
            number * 10 + i64::from(digit)
        })
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second, micros) = (number(11, 13), number(14, 16), number(17, 19), number(20, 26));
    let signs = [text[4], text[7], text[10], text[13], text[16], text[19], text[26]] == *b"--T::.Z";
    if !(digits && signs && hour < 24 && minute < 60 && second < 60) {
        return None;
    }
    Timestamp::within(DAY * days(year, month, day)? + SECOND * (3_600 * hour + 60 * minute + second) + micros)
}

/// Years of the calendar are counted from March, whose months then have lengths that repeat, in eras of 400 years.
const ERA: i64 = 146_097;
/// Days from March 1 of the year 0 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Year, month and day, so many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to that day; `None` where there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > last_day(year, month) {
        return None;
    }
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (years.div_euclid(400), years.rem_euclid(400));
    let of_year = (153 * months + 2) / 5 + day - 1;
    Some(era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH)
}

fn last_day(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::SignedDuration;
    use jiff::civil::DateTime;

    use super::*;

    #[test]
    fn every_day_is_as_the_calendar_has_it() {
        let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let (first, last) = (Timestamp::MIN.as_micros().div_euclid(DAY), Timestamp::MAX.as_micros().div_euclid(DAY));
        for day in first..=last {
            let micros = day * DAY + (day * 7_919_123_457).rem_euclid(DAY);
            let time = Timestamp::from_micros(micros);
            let civil = epoch + SignedDuration::from_micros(micros);
            assert_eq!(time.text().as_str(), civil.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string());
            assert_eq!(read(time.text().as_str().as_bytes()), Some(time));
        }
    }

    #[test]
    fn what_is_no_such_text_is_left_to_others() {
        for text in [
            "",
            "2024-02-30T00:00:00.000000Z",
            "2023-02-29T00:00:00.000000Z",
            "2024-00-01T00:00:00.000000Z",
            "2024-13-01T00:00:00.000000Z",
            "2024-01-00T00:00:00.000000Z",
            "2024-01-32T00:00:00.000000Z",
            "2024-01-01T24:00:00.000000Z",
            "2024-01-01T00:60:00.000000Z",
            "2024-01-01T23:59:60.000000Z",
            "0000-01-01T00:00:00.000000Z",
            "2024-01-01 00:00:00.000000Z",
            "2024-01-01T00:00:00.000000z",
            "2024-01-01T00:00:00,000000Z",
            "2024-01-01T00:00:00.00000Z",
            "2024-01-01T00:00:00.00000:Z",
            "2024-01-01T00:00:00.000000+",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
