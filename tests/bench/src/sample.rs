//! Repeated measurements, and what is said of them.

use std::time::{Duration, Instant};

/// Measurements of one thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Divided by another, round by round.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, that)| this / that).collect())
    }

    /// What is more than in another, round by round.
    pub(crate) fn less(&self, other: &Self) -> Self {
        self.0.iter().zip(&other.0).map(|(this, that)| this - that).collect()
    }

    /// Of microseconds: milliseconds.
    pub(crate) fn millis(&self) -> Self {
        self.0.iter().map(|micros| micros / 1e3).collect()
    }

    /// Of microseconds a call: calls a second.
    pub(crate) fn rates(&self) -> Self {
        Self(self.0.iter().map(|micros| 1e6 / micros).collect())
    }

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

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Ours, the same by hand, and the share of the speed by hand that ours has, a value for each round.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) ours: Sample,
    pub(crate) hand: Sample,
    pub(crate) ratio: Sample,
}

impl Beside {
    /// Of microseconds, of the same rounds.
    pub(crate) fn of(ours: Sample, hand: Sample) -> Self {
        let ratio = hand.over(&ours);
        Self { ours, hand, ratio }
    }
}

/// What several ways of the same work take, in turn: each is done once a round, and begins a round as often as the others.
pub(crate) fn rounds<const N: usize>(rounds: usize, ways: [&mut dyn FnMut() -> f64; N]) -> [Sample; N] {
    let mut samples = [const { Sample::new() }; N];
    for round in 0..rounds {
        for place in 0..N {
            let way = (round + place) % N;
            samples[way].push(ways[way]());
        }
    }
    samples
}

/// Microseconds a call takes, in rounds of `each` calls, the two in turn and each first in every second round.
pub(crate) fn in_turn(count: usize, each: usize, mut ours: impl FnMut(), mut hand: impl FnMut()) -> Beside {
    for _ in 0..each {
        ours();
        hand();
    }
    let [ours, hand] = rounds(count, [&mut || micros(each, &mut ours), &mut || micros(each, &mut hand)]);
    Beside::of(ours, hand)
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

/// Microseconds a call takes, of so many.
pub(crate) fn micros(each: usize, mut call: impl FnMut()) -> f64 {
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
        // A neighbour that slows a round slows both.
        let (mut mine, mut other) = ([20.0, 200.0, 20.0].into_iter(), [10.0, 100.0, 10.0].into_iter());
        let [ours, hand] = rounds(3, [&mut || mine.next().unwrap(), &mut || other.next().unwrap()]);
        let beside = Beside::of(ours, hand);
        assert_eq!((beside.ratio.spread(), beside.ours.largest()), ((0.5, 0.5), 200.0));
    }

    #[test]
    fn both_take_turns_and_are_timed_by_the_call() {
        let turns = std::cell::RefCell::new(String::new());
        let nap = |whose| {
            turns.borrow_mut().push(whose);
            std::thread::sleep(Duration::from_millis(1));
        };
        let beside = in_turn(2, 1, || nap('o'), || nap('h'));
        assert_eq!(turns.take(), "ohohho", "once beforehand, then each first in every second round");
        assert!(beside.ours.median() >= 1_000.0 && beside.hand.median() >= 1_000.0);
    }
}
