//! One behaviour that must hold on every backend.

use crate::{Backend, Env};

/// A case: a name, what it speaks for, and the test itself.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `area::what_holds`; unique.
    pub name: &'static str,
    /// The operations of the table of operations it exercises, as `runs.enqueue`.
    pub covers: &'static [&'static str],
    /// Whether it needs no more than one transaction, and so runs through the host's own as well.
    pub transactional: bool,
    /// Panics where the behaviour does not hold.
    pub run: fn(&Env),
}

impl Case {
    /// Whether it runs on that backend.
    pub fn on(&self, backend: Backend) -> bool {
        self.transactional || !backend.lent()
    }
}
