//! What a commit tells to those who wait.

/// A piece of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Signal {
    /// A run became ready to be claimed, or will be at its time.
    RunReady,
    /// A run reached a final state.
    RunEnded,
    /// Something was appended to the event log.
    Event,
    /// Something was committed, and what is not known: the others are guesses.
    Guess,
    /// A worker of this process has a free thread, or is to stop. Never told to other processes.
    Worker,
}

/// How many kinds of news there are.
pub(super) const KINDS: usize = 5;

/// The letters by which other processes are told.
#[cfg(feature = "postgres")]
const LETTERS: [(Signal, char); 3] = [(Signal::RunReady, 'r'), (Signal::RunEnded, 'e'), (Signal::Event, 'v')];

/// A set of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Signals(u8);

impl Signals {
    /// What a commit of another process may have been about.
    pub(crate) const ANY: Self = Self(0b1111);

    pub(crate) fn of(signals: &[Signal]) -> Self {
        Self(signals.iter().fold(0, |bits, signal| bits | 1 << *signal as u8))
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that concern other processes.
    pub(crate) fn abroad(self) -> Self {
        Self(self.0 & 0b111)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, signal: Signal) -> bool {
        self.0 & 1 << signal as u8 != 0
    }

    /// Whether it has one of those.
    pub(crate) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    pub(super) fn numbered(numbers: impl Iterator<Item = usize>) -> Self {
        Self(numbers.fold(0, |bits, number| bits | 1 << number))
    }

    pub(super) fn numbers(self) -> impl Iterator<Item = usize> {
        (0..KINDS).filter(move |number| self.0 & 1 << number != 0)
    }

    /// As a notification carries them.
    #[cfg(feature = "postgres")]
    pub(crate) fn letters(self) -> String {
        LETTERS.iter().filter(|(signal, _)| self.has(*signal)).map(|(_, letter)| *letter).collect()
    }

    /// From a notification; what another version of the library says may be about anything.
    #[cfg(feature = "postgres")]
    pub(crate) fn from_letters(text: &str) -> Self {
        let known = |c| LETTERS.iter().find(|(_, letter)| *letter == c).map(|(signal, _)| Self::of(&[*signal]));
        text.chars().map(|c| known(c).unwrap_or(Self::ANY)).fold(Self::default(), Self::with)
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn letters_there_and_back() {
        let told = Signals::of(&[Signal::RunReady, Signal::Event, Signal::Worker]);
        assert_eq!(told.letters(), "rv", "what concerns this process alone stays here");
        assert_eq!(Signals::from_letters("rv"), told.abroad());
        assert_eq!(Signals::from_letters("r?"), Signals::ANY);
        assert!(Signals::from_letters("").is_empty());
    }
}
