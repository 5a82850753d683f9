//! A run by its id.

use crate::Effort;
use crate::by_hand::Queue;
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
        let fill = |queue: &mut dyn Queue| {
            (0..STORED / 1_000).for_each(|_| queue.enqueue_many(1_000));
            queue.enqueue()
        };
        let (mine, other) = (fill(&mut ours), fill(&mut *hand));
        let get = |queue: &mut dyn Queue, id: &str| assert_eq!(queue.get(id), "queued");
        let beside = in_turn(effort.rounds, effort.each * 4, || get(&mut ours, &mine), || get(&mut *hand, &other));
        let share = if on == On::Postgres { Target::AtLeast(SHARE) } else { Target::None };
        table.beside(on.name(), &beside, share);
        if on != On::Postgres {
            table.line("  in Rust", &beside.ours, Target::AtMost(MOST));
        }
    }
}
