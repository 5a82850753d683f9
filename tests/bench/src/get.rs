//! A run by its id.

use sprongus::runs::GetRun;

use crate::Effort;
use crate::by_hand::{Queue, postgres, sqlite};
use crate::ground::{Ground, On};
use crate::places::Places;
use crate::sample::in_turn;
use crate::state::State;
use crate::table::{Table, Target};

/// Runs that are there.
const STORED: usize = 10_000;
/// The project's promise on SQLite, in microseconds.
const MOST: f64 = 10.0;
/// On PostgreSQL: a tenth more than the round trip.
const SHARE: f64 = 1.0 / 1.1;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading(&format!("Get a run by its id, {STORED} in the table: microseconds a call"));
    for on in On::DEFAULT {
        let ground = Ground::new(places, on, State::Empty);
        let (mut ours, mut hand) = ground.sides();
        (0..STORED / 1_000).for_each(|_| {
            [&mut ours as &mut dyn Queue, &mut *hand].map(|queue| queue.enqueue_many(1_000)).into_iter().collect()
        });
        let known = ours.0.runs().list(&sprongus::runs::ListRuns::default()).unwrap();
        let mut ids = known.items.iter().map(|run| GetRun::new(&run.id)).cycle();
        let get = || drop(ours.0.runs().get(&ids.next().unwrap()).unwrap());
        let (count, each) = (effort.rounds, effort.each * 4);
        if on == On::Postgres {
            let mut hand = postgres::Hand::open(&ground.hand, "");
            let known = hand.any();
            let beside = in_turn(count, each, get, || assert_eq!(hand.get(&known), "queued"));
            table.beside(on.name(), &beside, Target::AtLeast(SHARE));
        } else {
            let hand = sqlite::Hand::open(&ground.hand, sqlite::FULL);
            let known = hand.any();
            let beside = in_turn(count, each, get, || assert_eq!(hand.get(&known), "queued"));
            table.beside(on.name(), &beside, Target::None);
            table.line("  in Rust", &beside.ours, Target::AtMost(MOST));
        }
    }
}
