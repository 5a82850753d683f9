//! How fast a scoped handle may enqueue and cancel (DESIGN.md §10).

use std::time::Duration;

use crate::clock::seconds;
use crate::error::{Error, Result};

/// The largest count: what is larger is a mistake.
const MOST: i64 = 1_000_000_000;

/// How many in how long: all at once, or spread. What was taken comes back evenly, all of it within `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// 1 to 1,000,000,000.
    pub count: i64,
    /// More than 0 seconds, up to a hundred years; counted in microseconds.
    pub per: Duration,
}

impl Rate {
    /// `count` in `per`.
    pub const fn new(count: i64, per: Duration) -> Self {
        Self { count, per }
    }

    fn check(self, operation: Limited) -> Result<()> {
        let name = operation.as_str();
        if !(1..=MOST).contains(&self.count) {
            return Err(Error::invalid(format!("the count of the rate of {name} lies between 1 and {MOST}")));
        }
        if self.per < Duration::from_micros(1) || self.per > seconds::LONGEST {
            return Err(Error::invalid(format!(
                "the rate of {name} is per more than 0 seconds and at most a hundred years"
            )));
        }
        Ok(())
    }

    pub(crate) fn micros(self) -> i64 {
        i64::try_from(self.per.as_micros()).unwrap_or(i64::MAX)
    }

    /// The smaller burst and the slower refill of two: what it lets through, both let through.
    fn tighter(self, other: Self) -> Self {
        let slower = match self.slowness(other) >= other.slowness(self) {
            true => self,
            false => other,
        };
        let count = self.count.min(other.count);
        let (per, of) = (i128::from(slower.micros()) * i128::from(count), i128::from(slower.count));
        let per = u64::try_from((per + of - 1) / of).unwrap_or(u64::MAX);
        Self { count, per: Duration::from_micros(per) }
    }

    /// What one takes to come back, times both counts.
    fn slowness(self, other: Self) -> i128 {
        i128::from(self.micros()) * i128::from(other.count)
    }
}

/// What a handle may have a rate for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    Enqueue,
    Cancel,
}

impl Limited {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Cancel => "cancel",
        }
    }
}

/// The rates of a scoped handle; none: as fast as the database can.
///
/// ```
/// use std::time::Duration;
/// use sprongus::{Rate, Rates};
/// let rates = Rates::default().with("enqueue", Rate::new(100, Duration::from_secs(1)))?;
/// assert!(rates.enqueue.is_some() && rates.cancel.is_none());
/// assert!(rates.with("delete", Rate::new(1, Duration::from_secs(1))).is_err());
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of runs that are put into the queue.
    pub enqueue: Option<Rate>,
    /// Of runs that are canceled.
    pub cancel: Option<Rate>,
}

impl Rates {
    /// The same with a rate for the operation of that name. Errors: `invalid_argument` names those there are.
    pub fn with(self, operation: &str, rate: Rate) -> Result<Self> {
        match operation {
            "enqueue" => Ok(Self { enqueue: Some(rate), ..self }),
            "cancel" => Ok(Self { cancel: Some(rate), ..self }),
            _ => Err(Error::invalid("a handle has rates for enqueue and cancel, and for nothing else")),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        [Limited::Enqueue, Limited::Cancel]
            .into_iter()
            .filter_map(|operation| self.of(operation).map(|rate| rate.check(operation)))
            .collect()
    }

    pub(crate) fn of(&self, operation: Limited) -> Option<Rate> {
        match operation {
            Limited::Enqueue => self.enqueue,
            Limited::Cancel => self.cancel,
        }
    }

    /// The tighter of both, for each operation.
    pub(super) fn narrowed(self, other: Self) -> Self {
        let both = |one: Option<Rate>, other: Option<Rate>| match (one, other) {
            (Some(one), Some(other)) => Some(one.tighter(other)),
            (one, other) => one.or(other),
        };
        Self { enqueue: both(self.enqueue, other.enqueue), cancel: both(self.cancel, other.cancel) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: i64, seconds: u64) -> Rate {
        Rate::new(count, Duration::from_secs(seconds))
    }

    #[test]
    fn the_tighter_of_two_lets_through_what_both_do() {
        for (one, other, tighter) in [
            (rate(100, 1), rate(10, 1), rate(10, 1)),
            (rate(100, 1), rate(100, 60), rate(100, 60)),
            // A hundred at once, and a thousand in a minute from then on.
            (rate(100, 1), rate(1_000, 60), rate(100, 6)),
            (rate(5, 5), rate(5, 5), rate(5, 5)),
        ] {
            assert_eq!(one.tighter(other), tighter);
            assert_eq!(other.tighter(one), tighter);
        }
        let odd = rate(3, 1).tighter(rate(2, 1).tighter(rate(7, 2)));
        assert_eq!(odd, rate(2, 1));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        let sound = Rates { enqueue: Some(rate(1, 1)), cancel: None };
        assert!(sound.check().is_ok());
        for wrong in [rate(0, 1), rate(-1, 1), rate(MOST + 1, 1), rate(1, 0), rate(1, 4_000_000_000)] {
            assert!(Rates { cancel: Some(wrong), ..sound }.check().is_err());
        }
    }
}
