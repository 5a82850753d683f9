//! Brings the store to rest after the last kill: every run must be able to end.

use std::path::Path;
use std::time::{Duration, Instant};

use sprongus::Store;
use sprongus::runs::schedules::ScheduleName;
use sprongus::runs::{Claim, ListRuns, Rescue, RunState, Succeed};

use super::enqueuer::{SCHEDULE, decide};
use super::journal::Journal;

pub(crate) fn drain(store: &Store) {
    store.schedules().pause(&ScheduleName::new(SCHEDULE)).unwrap();
    let mut nowhere = Journal::open(Path::new("/dev/null"));
    let claim = Claim { limit: 100, lease: Duration::from_secs(60), ..Claim::new("drain") };
    let until = Instant::now() + Duration::from_secs(600);
    while !live(store).is_empty() {
        assert!(Instant::now() < until, "these runs never end: {:?}", live(store));
        decide(store, &mut nowhere);
        store.runs().rescue(&Rescue { limit: 1_000 }).unwrap();
        for run in store.runs().claim_next(&claim).unwrap() {
            store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn live(store: &Store) -> Vec<(String, RunState)> {
    let state = Some(RunState::ALL.into_iter().filter(|state| !state.is_final()).collect());
    let runs = store.runs().list(&ListRuns { state, limit: 5, ..ListRuns::default() }).unwrap();
    runs.into_iter().map(|run| (run.id, run.state)).collect()
}
