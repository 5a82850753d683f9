//! Repeated measurements, and what is said of them.

use std::time::{Duration, Instant};

/// Measurements of one thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The lower and the upper quartile.
    pub(crate) fn spread(&self) -> (f64, f64) {
        (self.quantile(0.25), self.quantile(0.75))
    }

    pub(crate) fn largest(&self) -> f64 {
        self.quantile(1.0)
    }

    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(!sorted.is_empty(), "nothing was measured");
        let place = share * (sorted.len() - 1) as f64;
        let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }
}

/// Ours, the same by hand, and the one divided by the other, a value for each round.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) ours: Sample,
    pub(crate) hand: Sample,
    pub(crate) ratio: Sample,
}

/// Microseconds a call takes, in rounds of `each` calls, the two in turn and each first in every second round.
pub(crate) fn in_turn(rounds: usize, each: usize, mut ours: impl FnMut(), mut hand: impl FnMut()) -> Beside {
    for _ in 0..each {
        ours();
        hand();
    }
    let mut beside = Beside::default();
    for round in 0..rounds {
        let ours_first = round % 2 == 0;
        let before = if ours_first { micros(each, &mut ours) } else { micros(each, &mut hand) };
        let after = if ours_first { micros(each, &mut hand) } else { micros(each, &mut ours) };
        let (a, b) = if ours_first { (before, after) } else { (after, before) };
        beside.ours.push(a);
        beside.hand.push(b);
        beside.ratio.push(a / b);
    }
    beside
}

/// Microseconds a call takes, in rounds of `each` calls.
pub(crate) fn alone(rounds: usize, each: usize, mut call: impl FnMut()) -> Sample {
    let mut sample = Sample::default();
    micros(each, &mut call);
    for _ in 0..rounds {
        sample.push(micros(each, &mut call));
    }
    sample
}

fn micros(each: usize, call: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..each {
        call();
    }
    per_call(start.elapsed(), each)
}

pub(crate) fn per_call(elapsed: Duration, calls: usize) -> f64 {
    elapsed.as_secs_f64() * 1e6 / calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values() {
        let sample = Sample(vec![4.0, 1.0, 2.0, 3.0]);
        assert_eq!((sample.median(), sample.spread(), sample.largest()), (2.5, (1.75, 3.25), 4.0));
    }

    #[test]
    fn the_ratio_is_of_the_same_round() {
        let beside = in_turn(
            4,
            2,
            || std::thread::sleep(Duration::from_millis(2)),
            || std::thread::sleep(Duration::from_millis(1)),
        );
        assert!(beside.ratio.median() > 1.2 && beside.ours.median() > beside.hand.median());
    }
}
