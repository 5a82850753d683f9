//! An instant and its text.

mod text;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::DateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;

use crate::error::{Error, ErrorCode, Result, Violation};

pub(crate) use text::TimeText;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// An instant, UTC, in whole microseconds; years 0001 to 9999.
///
/// Its text has a fixed width, so text order is time order. It is read from RFC 3339 with any offset: digits below the
/// microsecond are cut off, and a leap second (`23:59:60` UTC) is the last microsecond of its minute.
///
/// ```
/// use sprongus::clock::Timestamp;
/// let time: Timestamp = "2024-02-29T12:00:00.5+02:00".parse()?;
/// assert_eq!(time.to_string(), "2024-02-29T10:00:00.500000Z");
/// assert!("2024-02-29T12:00:00".parse::<Timestamp>().is_err());
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// From microseconds since 1970-01-01T00:00:00Z; outside the range, the nearer end of it.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// That much later, or `None` past the range. What is below a microsecond is cut off.
    pub fn checked_add(self, time: Duration) -> Option<Self> {
        Self::within(self.0.checked_add(i64::try_from(time.as_micros()).ok()?)?)
    }

    /// That much earlier, or `None` past the range. What is below a microsecond is cut off.
    pub fn checked_sub(self, time: Duration) -> Option<Self> {
        Self::within(self.0.checked_sub(i64::try_from(time.as_micros()).ok()?)?)
    }

    /// That much later, at most [`MAX`](Self::MAX).
    #[must_use]
    pub fn saturating_add(self, time: Duration) -> Self {
        self.checked_add(time).unwrap_or(Self::MAX)
    }

    /// That much earlier, at least [`MIN`](Self::MIN).
    #[must_use]
    pub fn saturating_sub(self, time: Duration) -> Self {
        self.checked_sub(time).unwrap_or(Self::MIN)
    }

    /// The time from `earlier` until this; zero where `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Its text, without a place on the heap.
    pub(crate) fn text(self) -> TimeText {
        TimeText::of(self)
    }

    fn within(micros: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&micros).then_some(Self(micros))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// RFC 3339 §5.6 and nothing looser; `validation` otherwise.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(time) = text::read(text.as_bytes()) {
            return Ok(time);
        }
        let mut input = Input(text.as_bytes());
        let civil = input.date_time().ok_or_else(malformed)?;
        if input.0.is_empty() {
            return Err(invalid("a time needs an offset from UTC, such as Z or +02:00"));
        }
        let offset = input.offset().ok_or_else(malformed)?;
        if !input.0.is_empty() {
            return Err(malformed());
        }
        civil.at(offset)
    }
}

/// What stands before the offset, second 60 included.
struct Civil {
    time: DateTime,
    leap: bool,
}

impl Civil {
    fn at(&self, offset: i64) -> Result<Timestamp> {
        let micros = self.time.duration_since(EPOCH).as_micros() - i128::from(offset) * 1_000_000;
        let micros = i64::try_from(micros).ok().and_then(Timestamp::within);
        let time = micros.ok_or_else(|| invalid("a time lies between the years 0001 and 9999"))?;
        if self.leap && (time.0 + 1).rem_euclid(86_400_000_000) != 0 {
            return Err(invalid("a leap second stands at 23:59:60 UTC only"));
        }
        Ok(time)
    }
}

/// The bytes not read yet.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn date_time(&mut self) -> Option<Civil> {
        let year = self.number(4)?;
        self.one_of(b"-")?;
        let month = self.number(2)?;
        self.one_of(b"-")?;
        let day = self.number(2)?;
        self.one_of(b"Tt")?;
        let hour = self.number(2)?;
        self.one_of(b":")?;
        let minute = self.number(2)?;
        self.one_of(b":")?;
        let second = self.number(2)?;
        let micros = self.fraction()?;
        let leap = second == 60;
        let (second, micros) = if leap { (59, 999_999) } else { (second, micros) };
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let (hour, minute, second) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?);
        let nanos = i32::try_from(micros * 1_000).ok()?;
        let time = DateTime::new(i16::try_from(year).ok()?, month, day, hour, minute, second, nanos).ok()?;
        Some(Civil { time, leap })
    }

    /// Microseconds; none without a point, further digits cut off.
    fn fraction(&mut self) -> Option<u32> {
        if self.one_of(b".").is_none() {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let micros = self.number(digits.min(6))? * 10_u32.pow(6 - u32::try_from(digits.min(6)).ok()?);
        self.0 = self.0.get(digits.saturating_sub(6)..)?;
        (digits > 0).then_some(micros)
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2).filter(|hours| *hours < 24)?;
        self.one_of(b":")?;
        let minutes = self.number(2).filter(|minutes| *minutes < 60)?;
        Some(sign * i64::from(hours * 3_600 + minutes * 60))
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        self.0 = tail;
        head.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    }

    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| allowed.contains(first))?;
        self.0 = rest;
        Some(*first)
    }
}

fn malformed() -> Error {
    invalid("a time is RFC 3339 text with seconds and an offset, such as 2024-02-29T12:00:00Z")
}

fn invalid(message: &str) -> Error {
    let errors = [Violation::new("", "format", message)];
    Error::new(ErrorCode::Validation, message).with_details(json!({ "errors": errors }))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| de::Error::custom(error.message()))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests;
