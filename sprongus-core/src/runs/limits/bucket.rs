//! A token bucket, kept as the time it takes until it is full again: nothing is written while it fills.

/// A bucket of `rate` tokens that is refilled in `per` microseconds. Whatever is rounded is rounded against the taker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    rate: i64,
    per: i64,
    /// Microseconds until it is full.
    debt: i64,
}

impl Bucket {
    /// More than a whole refill is no debt that could have been made: a clock was set back, and the bucket counts as empty.
    pub(super) fn new(rate: i64, per: i64, debt: i64) -> Self {
        let (rate, per) = (rate.max(1), per.max(1));
        Self { rate, per, debt: debt.clamp(0, per) }
    }

    pub(super) fn debt(self) -> i64 {
        self.debt
    }

    /// The tokens there are.
    pub(super) fn tokens(self) -> i64 {
        let refilled = i128::from(self.per - self.debt) * i128::from(self.rate) / i128::from(self.per);
        i64::try_from(refilled).unwrap_or(i64::MAX)
    }

    /// Without so many tokens, of those there are.
    pub(super) fn take(self, tokens: i64) -> Self {
        Self::new(self.rate, self.per, self.debt.saturating_add(self.time_for(tokens)))
    }

    /// The bucket of another limit, out of which as much was taken as out of this one.
    pub(super) fn resized(self, rate: i64, per: i64) -> Self {
        let full = Self::new(rate, per, 0);
        full.take((self.rate - self.tokens()).min(full.rate))
    }

    /// Microseconds in which so many tokens are refilled.
    pub(super) fn time_for(self, tokens: i64) -> i64 {
        let (tokens, per, rate) = (i128::from(tokens.max(0)), i128::from(self.per), i128::from(self.rate));
        i64::try_from((tokens * per + rate - 1) / rate).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn tokens_are_taken_and_refilled_at_the_rate() {
        let full = Bucket::new(10, SECOND, 0);
        assert_eq!(full.tokens(), 10);
        let empty = full.take(10);
        assert_eq!((empty.tokens(), empty.debt()), (0, SECOND));
        let later = |micros: i64| Bucket::new(10, SECOND, empty.debt() - micros).tokens();
        assert_eq!(
            [later(99_999), later(100_000), later(250_000), later(SECOND), later(5 * SECOND)],
            [0, 1, 2, 10, 10]
        );
    }

    #[test]
    fn rounding_never_gives_a_token_too_many() {
        for (rate, per) in [(3, SECOND), (7, 1), (1_000_000_000, SECOND), (1, i64::MAX / 2), (999_983, 1_000_003)] {
            let mut bucket = Bucket::new(rate, per, 0);
            let mut taken = 0;
            for _ in 0..1_000 {
                let tokens = bucket.tokens().min(2);
                bucket = bucket.take(tokens);
                taken += tokens;
            }
            assert!(taken <= rate && bucket.debt() <= per, "{rate} per {per}");
        }
    }

    #[test]
    fn a_debt_that_cannot_be_is_an_empty_bucket() {
        assert_eq!(Bucket::new(5, SECOND, 3_600 * SECOND), Bucket::new(5, SECOND, 0).take(5));
        assert_eq!(Bucket::new(5, SECOND, -7).tokens(), 5);
    }

    #[test]
    fn another_size_keeps_what_was_taken() {
        let used = Bucket::new(10, SECOND, 0).take(4);
        assert_eq!(used.resized(20, SECOND).tokens(), 16);
        assert_eq!(used.resized(5, 60 * SECOND).tokens(), 1);
        assert_eq!(used.resized(3, SECOND).tokens(), 0);
    }
}
