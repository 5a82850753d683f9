//! Remembers that a claim looked and found nothing to be done first: of a queue with work enough, not every claim looks.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::session::{Session, locked};

/// For so long what falls due may wait for a look, while claims get all that they ask for.
const WHILE: Duration = Duration::from_millis(50);
/// For so long no claim goes without a look after one that had to look all the same: kinds have limits.
const IN_VAIN: Duration = Duration::from_secs(1);

/// Projects that are remembered at most.
const MOST: usize = 1_000;

/// The looks of a store's claims, by the project that the handle is confined to.
#[derive(Default)]
pub(super) struct Looked(Mutex<HashMap<Box<str>, Look>>);

#[derive(Clone, Copy)]
enum Look {
    /// One that found nothing, for a claim that got all it asked for.
    At(Moment),
    InVain(Instant),
}

/// A moment by all clocks: where a test, or an administrator, sets one of them, nothing is known. Nor is it where this store
/// has written what may have fallen due at once, as a run that is to be tried again.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    transactions: u64,
    real: Instant,
    wall: Timestamp,
    monotonic: i64,
}

impl Looked {
    /// The present.
    pub(super) fn now(session: Session<'_>) -> Moment {
        let clock = &session.options().clock;
        let transactions = session.core().transactions();
        Moment { transactions, real: Instant::now(), wall: clock.now(), monotonic: clock.monotonic() }
    }

    /// Whether a claim may go without a look; not within a transaction, which may yet be undone.
    pub(super) fn lately(&self, session: Session<'_>) -> bool {
        if session.in_transaction() {
            return false;
        }
        match locked(&self.0).get(key(session)) {
            Some(Look::At(then)) => Self::now(session).follows(then),
            Some(Look::InVain(_)) | None => false,
        }
    }

    /// A claim looked, at that moment if it found nothing to be done and got all it asked for.
    pub(super) fn note(&self, session: Session<'_>, at: Option<Moment>) {
        let at = at.filter(|_| !session.in_transaction());
        let mut looks = locked(&self.0);
        let key = key(session);
        let in_vain = |look: &Look| matches!(look, Look::InVain(since) if since.elapsed() < IN_VAIN);
        match (looks.get_mut(key), at) {
            (Some(look), _) if in_vain(look) => {}
            (Some(look), Some(at)) => *look = Look::At(at),
            (Some(_), None) => drop(looks.remove(key)),
            (None, Some(at)) => {
                if looks.len() >= MOST {
                    looks.clear();
                }
                looks.insert(key.into(), Look::At(at));
            }
            (None, None) => {}
        }
    }

    /// A claim without a look got nothing where there was something.
    pub(super) fn in_vain(&self, session: Session<'_>) {
        locked(&self.0).insert(key(session).into(), Look::InVain(Instant::now()));
    }
}

impl Moment {
    /// Whether it comes but shortly after that one.
    fn follows(&self, then: &Self) -> bool {
        let micros = i64::try_from(WHILE.as_micros()).unwrap_or(0);
        let wall = self.wall.as_micros() - then.wall.as_micros();
        let shortly = 0..micros;
        self.transactions == then.transactions
            && self.real.duration_since(then.real) < WHILE
            && shortly.contains(&wall)
            && shortly.contains(&(self.monotonic - then.monotonic))
    }
}

fn key<'s>(session: Session<'s>) -> &'s str {
    session.confined().unwrap_or_default()
}
