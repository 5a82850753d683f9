//! What is printed: a line per figure, as soon as it is known; as text, or as the tables of a Markdown page.

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
    markdown: bool,
    missed: Vec<String>,
    heading: String,
}

/// What a figure is of, ours and what it is measured against, their ratio, the promise.
type Cells<'c> = [&'c str; 5];

impl Table {
    pub(crate) fn new(markdown: bool) -> Self {
        Self { markdown, ..Self::default() }
    }

    pub(crate) fn heading(&mut self, what: &str) {
        self.heading = what.to_owned();
        let columns = ["", "sprongus", "beside", "ratio", "target"];
        match self.markdown {
            true => println!("\n### {what}\n\n| | {} |\n|---|---:|---:|---:|---|", columns[1..].join(" | ")),
            false => {
                println!("\n{what}");
                self.print(columns);
            }
        }
    }

    /// Words between the figures.
    pub(crate) fn note(&self, what: &str) {
        match self.markdown {
            true => println!("| {what} | | | | |"),
            false => println!("{what}"),
        }
    }

    /// A figure with nothing beside it.
    pub(crate) fn line(&mut self, what: &str, sample: &Sample, target: Target) {
        let judged = self.judge(what, sample.median(), target);
        self.print([what, &told(sample), "", "", &judged]);
    }

    /// A figure that is a maximum, not a median.
    pub(crate) fn most(&mut self, what: &str, value: f64, target: Target) {
        let judged = self.judge(what, value, target);
        self.print([what, &format!("{} most", short(value)), "", "", &judged]);
    }

    /// Ours, by hand, and the ratio of their speeds, which has the target.
    pub(crate) fn beside(&mut self, what: &str, beside: &Beside, target: Target) {
        self.row(what, [&beside.ours, &beside.hand, &beside.ratio], target);
    }

    /// Two speeds of the same rounds, and the ratio, which has the target.
    pub(crate) fn times(&mut self, what: &str, [ours, other]: [&Sample; 2], target: Target) {
        self.row(what, [ours, other, &ours.over(other)], target);
    }

    fn row(&mut self, what: &str, [ours, other, ratio]: [&Sample; 3], target: Target) {
        let judged = self.judge(what, ratio.median(), target);
        self.print([what, &told(ours), &told(other), &told(ratio), &judged]);
    }

    fn print(&self, cells: Cells<'_>) {
        match self.markdown {
            true => println!("| {} |", cells.join(" | ")),
            false => {
                let [what, ours, other, ratio, target] = cells;
                println!("{}", format!("{what:<60} {ours:>24} {other:>24} {ratio:>20}  {target}").trim_end());
            }
        }
    }

    fn judge(&mut self, what: &str, value: f64, target: Target) -> String {
        let (said, met) = match target {
            Target::None => return String::new(),
            Target::AtMost(limit) => (format!("≤ {limit}"), value <= limit),
            Target::AtLeast(limit) => (format!("≥ {limit:.2}"), value >= limit),
        };
        if !met {
            self.missed.push(format!("{}: {what}", self.heading));
        }
        format!("{said}: {}", if met { "met" } else { "MISSED" })
    }

    /// Names what was missed, at the end; whether it is nothing.
    pub(crate) fn all_met(&self) -> bool {
        if !self.missed.is_empty() {
            println!("\nMissed: {}", self.missed.len());
            self.missed.iter().for_each(|missed| println!("- {missed}"));
        }
        self.missed.is_empty()
    }
}

/// The median, and the quartiles where it was measured more than once.
fn told(sample: &Sample) -> String {
    let (low, high) = sample.spread();
    match low == high {
        true => short(low),
        false => format!("{} ({}–{})", short(sample.median()), short(low), short(high)),
    }
}

/// Three digits that tell.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_median() {
        let mut table = Table::default();
        let sample: Sample = [1.0, 2.0, 30.0].into_iter().collect();
        assert_eq!(told(&sample), "2.00 (1.50–16.0)");
        table.line("two", &sample, Target::AtMost(2.0));
        assert!(table.all_met());
        table.line("two", &sample, Target::AtLeast(2.5));
        assert!(!table.all_met());
    }
}
