//! Where a transaction stands: whose connection it has, its savepoints, whether it is poisoned or over.

use std::time::Duration;

use crate::db::{Connection, Executor};
use crate::error::{Error, Result};
use crate::session::{After, Tallies, Witness};

/// What the handles of a transaction share.
pub(super) struct State<'c> {
    pub(super) held: Held<'c>,
    /// The savepoints that are open, the outermost first.
    pub(super) open: Vec<Savepoint>,
    /// How many there have been: a handle of one that is gone never means a later one.
    pub(super) opened: u64,
    /// How many savepoints were open when a statement failed.
    pub(super) poisoned: Option<usize>,
    /// SQLite: the first position that an event of this transaction may have; none before it wrote anything of ours.
    pub(super) own_events_from: Option<i64>,
    pub(super) after: After,
}

/// An open savepoint, and what is to be forgotten with it.
pub(super) struct Savepoint {
    pub(super) number: u64,
    pub(super) signals: usize,
    pub(super) canceled: usize,
    pub(super) news: usize,
    pub(super) witness: Option<Witness>,
    /// What was done within it, and in no savepoint within that is open.
    pub(super) tallies: Tallies,
}

/// Whose connection it is.
pub(super) enum Held<'c> {
    Ours(Box<dyn Connection>),
    Lent(Box<dyn Executor + 'c>),
    Ended,
}

impl State<'_> {
    pub(super) fn exec(&mut self) -> Result<&mut dyn Executor> {
        match &mut self.held {
            Held::Ours(connection) => Ok(&mut **connection),
            Held::Lent(executor) => Ok(&mut **executor),
            Held::Ended => Err(ended()),
        }
    }

    /// How many savepoints enclose what that handle opened, its own included; none after its end.
    pub(super) fn depth(&self, number: u64) -> Option<usize> {
        match (&self.held, number) {
            (Held::Ended, _) => None,
            (_, 0) => Some(0),
            _ => self.open.iter().position(|savepoint| savepoint.number == number).map(|at| at + 1),
        }
    }

    /// The executor, for a call by that handle: not after its end, not while poisoned.
    pub(super) fn usable(&mut self, number: u64) -> Result<&mut dyn Executor> {
        self.depth(number).ok_or_else(ended)?;
        if self.poisoned.is_some() {
            return Err(poisoned());
        }
        self.exec()
    }

    /// What is forgotten with the innermost savepoint, else with the transaction.
    pub(super) fn tallies(&mut self) -> &mut Tallies {
        self.open.last_mut().map_or(&mut self.after.tallies, |savepoint| &mut savepoint.tallies)
    }

    pub(super) fn waited(&self) -> Duration {
        match &self.held {
            Held::Ours(connection) => connection.waited(),
            _ => Duration::ZERO,
        }
    }
}

pub(super) fn ended() -> Error {
    Error::misuse("the transaction has ended")
}

fn poisoned() -> Error {
    Error::misuse("a statement failed in this transaction: it can only be rolled back, to a savepoint or whole")
}
