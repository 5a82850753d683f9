//! Durations as they stand in JSON: seconds, a number, fractions down to the microsecond. For `#[serde(with = "…")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// A hundred years: what is longer is a mistake, and would leave the range of times.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Writes seconds.
pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Reads seconds: a number from 0 to a hundred years.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    read(f64::deserialize(deserializer)?).ok_or_else(|| de::Error::custom(WRONG))
}

const WRONG: &str = "a duration is a number of seconds, 0 to 3153600000";

fn read(seconds: f64) -> Option<Duration> {
    if !(0.0..=LONGEST.as_secs_f64()).contains(&seconds) {
        return None;
    }
    // Rounded, so that 0.1 is a hundred thousand microseconds and not one less.
    Some(Duration::from_micros((seconds * 1e6).round() as u64))
}

/// The same for a duration that may be missing or null.
pub mod opt {
    use super::{Deserialize, Deserializer, Duration, Serializer, WRONG, de, read};

    /// Writes seconds or null.
    pub fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads seconds or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let Some(seconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
        read(seconds).map(Some).ok_or_else(|| de::Error::custom(WRONG))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_microseconds() {
        assert_eq!(read(0.1), Some(Duration::from_micros(100_000)));
        assert_eq!(read(60.0), Some(Duration::from_secs(60)));
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(read(wrong), None);
        }
    }
}
