//! The slots of a cron expression in a time zone: croner reads the expression and finds its wall-clock times, jiff knows
//! the zone, and here stands what becomes of times that a zone leaves out or repeats (docs/schedules.md).

use croner::Cron;
use croner::parser::{CronParser, Year};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::text::{check_name, truncate};

/// A cron expression and the zone it is read in.
pub(super) struct CronSlots {
    cron: Cron,
    zone: TimeZone,
    /// Names its hours and minutes, rather than going by a wildcard or a step: it means times of day, not a rhythm.
    fixed: bool,
}

impl CronSlots {
    pub(super) fn parse(text: &str, zone: TimeZone) -> Result<Self> {
        check_name("cron", text)?;
        let cron = CronParser::builder().year(Year::Disallowed).build().parse(text).map_err(|error| {
            let why = error.to_string();
            Error::invalid(format!(
                "cron is five fields (minute hour day month weekday), six with seconds first, or @hourly, @daily, @weekly, \
                 @monthly, @yearly: {}",
                truncate(&why, 200)
            ))
        })?;
        let pattern = &cron.pattern;
        let fixed = [&pattern.seconds, &pattern.minutes, &pattern.hours]
            .iter()
            .all(|field| !field.from_wildcard && field.step == 1);
        Ok(Self { cron, zone, fixed })
    }

    /// The first slot after that time; none where there is none before the year 5000.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_microsecond(after.as_micros()).ok()?;
        let mut offset = self.zone.to_offset(after);
        let mut found = self.find(self.begin(after, offset), false)?;
        for change in self.zone.following(after) {
            let (before, behind) =
                (offset.to_datetime(change.timestamp()), change.offset().to_datetime(change.timestamp()));
            if found < before {
                break;
            }
            offset = change.offset();
            if behind > before {
                // A gap: a time of day in it comes right after it, a rhythm goes on with its next beat.
                if found < behind && self.fixed {
                    return time(change.timestamp());
                }
                found = if found < behind { self.find(behind, true)? } else { found };
            } else if !self.fixed {
                // A repeat: a rhythm beats through it again, a time of day has been.
                found = self.find(behind, true)?;
            }
        }
        time(offset.to_timestamp(found).ok()?)
    }

    /// Where the search begins on the wall clock: a time of day that has been in this zone's repeated hour is behind it.
    fn begin(&self, after: jiff::Timestamp, offset: Offset) -> DateTime {
        let local = offset.to_datetime(after);
        // The last change at or before that time.
        let Ok(next) = after.checked_add(jiff::SignedDuration::from_nanos(1)) else { return local };
        let Some(change) = self.zone.preceding(next).next().filter(|_| self.fixed) else { return local };
        let Ok(earlier) = change.timestamp().checked_sub(jiff::SignedDuration::from_nanos(1)) else { return local };
        let been = self.zone.to_offset(earlier).to_datetime(earlier);
        local.max(been)
    }

    fn find(&self, from: DateTime, inclusive: bool) -> Option<DateTime> {
        // croner counts whole seconds: what is past one is after it.
        let whole = from.with().subsec_nanosecond(0).build().ok()?;
        self.cron.find_next_occurrence(&whole, inclusive && whole == from).ok()
    }
}

fn time(at: jiff::Timestamp) -> Option<Timestamp> {
    Some(Timestamp::from_micros(at.as_microsecond()))
}

/// The zone of that name, from the database that is built in, so that every host has the same one.
pub(super) fn zone(name: &str) -> Result<TimeZone> {
    check_name("tz", name)?;
    let zone = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown());
    zone.ok_or_else(|| {
        Error::invalid("tz is an IANA time zone, such as UTC or Europe/Berlin; there is none of that name")
    })
}

#[cfg(test)]
mod tests;
