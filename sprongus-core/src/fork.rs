//! Keeps forks out of SQLite: a process is copied only while none of our threads is inside it.
//!
//! A `fork()` copies the memory and the calling thread alone. A lock of SQLite's that another thread held at the time (its
//! memory statistics, its list of open files) stays held in the child for ever, and what next opens a store there hangs.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a fork and a visit wait for one another.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks. No thread is parked here: a parked thread is a note in a lock, which a fork would copy too.
const NAP: Duration = Duration::from_micros(50);

/// A fork is under way.
const HELD: u32 = 1 << 31;
/// Somebody is about to fork: no new visits, lest one follow another without end.
const WANTED: u32 = 1 << 30;

static GATE: Gate = Gate::new();

/// Waits until none of this library's threads is inside SQLite, and keeps them out until the guard is dropped, in the parent
/// and in the child, right after the `fork()`. To be called on the thread that forks.
///
/// It waits for a second at most, for the statements under way; then it warns and goes on, and the child may hang as it opens
/// a store on SQLite. Others wait for the fork as long at most. The Python module does this by itself. A store that was opened
/// before the fork belongs to the parent in any case (`forked`).
///
/// ```
/// let guard = sprongus::before_fork();
/// // fork() here; then, in both processes:
/// drop(guard);
/// ```
#[must_use = "the fork is guarded until this is dropped"]
pub fn before_fork() -> ForkGuard {
    let guard = GATE.close(PATIENCE);
    if !guard.held {
        tracing::warn!("a fork went on while a thread was inside SQLite: its child may hang as it opens a store");
    }
    guard
}

/// Keeps this library's threads out of SQLite; see [`before_fork`].
#[derive(Debug)]
pub struct ForkGuard {
    gate: &'static Gate,
    held: bool,
    process: u32,
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            // Whoever else was at the gate is not in this process.
            self.gate.0.store(0, Ordering::Release);
        } else {
            let ours = if self.held { HELD | WANTED } else { WANTED };
            self.gate.0.fetch_and(!ours, Ordering::Release);
        }
    }
}

/// Announces a visit into SQLite, or to another lock of the whole process, until it is dropped; waits for a fork under way.
/// Short, and never within another.
pub(crate) fn visit() -> Visit {
    GATE.enter(PATIENCE)
}

/// What the whole process shares, made when it is first asked for: a child of a fork that met another thread at it would wait
/// for that thread for ever.
pub(crate) fn made_once<T>(cell: &'static OnceLock<T>, make: impl FnOnce() -> T) -> &'static T {
    if let Some(made) = cell.get() {
        return made;
    }
    let _visit = visit();
    cell.get_or_init(make)
}

/// One thread's stay inside SQLite.
#[derive(Debug)]
pub(crate) struct Visit(Option<&'static Gate>);

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(gate) = self.0 {
            // Nothing to take back where it began before a fork that did not wait for it, and ends in the child.
            let left = |state: u32| (state & !(HELD | WANTED) > 0).then(|| state - 1);
            let _ = gate.0.fetch_update(Ordering::Release, Ordering::Relaxed, left);
        }
    }
}

/// The number of visits, [`HELD`] and [`WANTED`]. Of atomics, for it is copied by the fork like any other lock.
#[derive(Debug)]
struct Gate(AtomicU32);

impl Gate {
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn close(&'static self, patience: Duration) -> ForkGuard {
        let shut = || {
            // Anew each time: another fork's end takes it away.
            self.0.fetch_or(WANTED, Ordering::Relaxed);
            self.0.compare_exchange(WANTED, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
        };
        ForkGuard { gate: self, held: within(patience, shut), process: std::process::id() }
    }

    fn enter(&'static self, patience: Duration) -> Visit {
        let one_more = |state: u32| (state & (HELD | WANTED) == 0).then(|| state + 1);
        let entered = || self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_ok();
        Visit(within(patience, entered).then_some(self))
    }
}

/// Tries until it is done, or the time is over; whether it is done.
fn within(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    if done() {
        return true;
    }
    let until = Instant::now() + patience;
    while Instant::now() < until {
        std::thread::sleep(NAP);
        if done() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread::{scope, sleep};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn a_fork_waits_for_visits_and_visits_for_the_fork() {
        static GATE: Gate = Gate::new();
        let (left, dropped) = (AtomicBool::new(false), AtomicBool::new(false));
        let visits = [GATE.enter(SHORT), GATE.enter(SHORT)];
        scope(|threads| {
            threads.spawn(|| {
                let guard = GATE.close(LONG);
                assert!(guard.held && left.load(Ordering::Acquire), "all have left");
                sleep(SHORT);
                dropped.store(true, Ordering::Release);
                drop(guard);
            });
            sleep(SHORT);
            left.store(true, Ordering::Release);
            drop(visits);
            while GATE.0.load(Ordering::Acquire) & HELD == 0 && !dropped.load(Ordering::Acquire) {
                sleep(NAP);
            }
            let visit = GATE.enter(LONG);
            assert!(visit.0.is_some() && dropped.load(Ordering::Acquire), "the fork is over");
        });
        assert_eq!(GATE.0.load(Ordering::Acquire), 0);
    }

    #[test]
    fn nobody_waits_for_ever() {
        static GATE: Gate = Gate::new();
        let visit = GATE.enter(SHORT);
        let unheard = GATE.close(SHORT);
        assert!(!unheard.held);
        assert!(GATE.enter(SHORT).0.is_none(), "no visit is added while a fork is wanted");
        drop(unheard);
        assert!(GATE.enter(SHORT).0.is_some(), "the gate is open again");
        drop(visit);
        let guard = GATE.close(SHORT);
        assert!(guard.held);
        assert!(GATE.enter(SHORT).0.is_none());
        assert!(!GATE.close(SHORT).held, "one fork at a time");
        drop(guard);
        assert_eq!(GATE.0.load(Ordering::Acquire), 0);
    }

    #[test]
    fn forks_come_through_a_crowd() {
        static GATE: Gate = Gate::new();
        let over = AtomicBool::new(false);
        scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    while !over.load(Ordering::Acquire) {
                        let _visit = GATE.enter(LONG);
                        sleep(NAP);
                    }
                });
            }
            for _ in 0..20 {
                assert!(GATE.close(LONG).held);
            }
            over.store(true, Ordering::Release);
        });
        assert_eq!(GATE.0.load(Ordering::Acquire), 0);
    }

    #[test]
    fn a_child_begins_with_an_open_gate() {
        static GATE: Gate = Gate::new();
        let visit = GATE.enter(SHORT);
        let mut guard = GATE.close(SHORT);
        guard.process += 1;
        drop(guard);
        assert_eq!(GATE.0.load(Ordering::Acquire), 0, "as a child sees it");
        drop(visit);
        assert_eq!(GATE.0.load(Ordering::Acquire), 0);
    }
}
