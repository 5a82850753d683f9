//! What is printed: a line per figure, as soon as it is known.

use crate::sample::{Beside, Sample};

/// What the project has promised of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    None,
    AtMost(f64),
    AtLeast(f64),
}

/// The figures printed so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    missed: usize,
}

impl Table {
    pub(crate) fn heading(&self, what: &str) {
        println!("\n{what}\n{:<46} {:>10}  {:>21}", "", "median", "quartiles");
    }

    pub(crate) fn line(&mut self, what: &str, sample: &Sample, digits: usize, target: Target) {
        let (low, high) = sample.spread();
        let spread = format!("{low:.digits$} – {high:.digits$}");
        println!("{what:<46} {:>10.digits$}  {spread:>21}{}", sample.median(), self.judge(sample.median(), target));
    }

    /// A figure that is a maximum, not a median.
    pub(crate) fn most(&mut self, what: &str, value: f64, target: Target) {
        println!("{what:<46} {value:>10.0}  {:>21}{}", "most", self.judge(value, target));
    }

    /// Ours, by hand, and the ratio, which has the target.
    pub(crate) fn beside(&mut self, what: &str, beside: &Beside, target: Target) {
        self.line(&format!("{what}, sprongus"), &beside.ours, 0, Target::None);
        self.line(&format!("{what}, by hand"), &beside.hand, 0, Target::None);
        self.line("  ratio", &beside.ratio, 2, target);
    }

    fn judge(&mut self, value: f64, target: Target) -> String {
        let (said, met) = match target {
            Target::None => return String::new(),
            Target::AtMost(limit) => (format!("≤ {limit}"), value <= limit),
            Target::AtLeast(limit) => (format!("≥ {limit}"), value >= limit),
        };
        self.missed += usize::from(!met);
        format!("  target {said}: {}", if met { "met" } else { "MISSED" })
    }

    pub(crate) fn all_met(&self) -> bool {
        self.missed == 0
    }
}
