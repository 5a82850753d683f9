//! Many at once: a thousand enqueued, a hundred claimed and then completed.

use crate::Effort;
use crate::by_hand::{Queue, postgres};
use crate::ground::{Ground, On};
use crate::places::Places;
use crate::sample::{Beside, micros, rounds};
use crate::state::State;
use crate::table::{Table, Target};

const ENQUEUED: usize = 1_000;
const CLAIMED: usize = 100;
/// Batches claimed in a round.
const EACH: usize = 5;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading(&format!(
        "In batches: microseconds a run; {ENQUEUED} enqueued, {CLAIMED} claimed and {CLAIMED} completed"
    ));
    for on in On::ALL {
        on_ground(on.name(), &Ground::new(places, on, State::Empty), effort, table);
    }
}

pub(super) fn on_ground(name: &str, ground: &Ground, effort: Effort, table: &mut Table) {
    enqueue(name, ground, effort, table);
    let (mut ours, mut hand) = ground.sides();
    let [ours, hand] = rounds(effort.rounds / 3, [&mut || round(&mut ours), &mut || round(&mut *hand)]);
    table.beside(&format!("{name}: claim {CLAIMED} and complete {CLAIMED}"), &Beside::of(ours, hand), super::PROMISE);
}

/// On PostgreSQL the yardstick is the better of one statement over arrays and of COPY.
fn enqueue(name: &str, ground: &Ground, effort: Effort, table: &mut Table) {
    let what = format!("{name}: enqueue {ENQUEUED}");
    let (mut ours, mut hand) = ground.sides();
    let mut ours = || per_run(|| ours.enqueue_many(ENQUEUED));
    let mut hand = || per_run(|| hand.enqueue_many(ENQUEUED));
    let count = effort.rounds / 3;
    if ground.on != On::Postgres {
        let [ours, hand] = rounds(count, [&mut ours, &mut hand]);
        return table.beside(&what, &Beside::of(ours, hand), super::PROMISE);
    }
    let mut other = postgres::Hand::open(&ground.hand, "");
    let mut copy = || per_run(|| other.copy_many(ENQUEUED));
    let [ours, unnest, copy] = rounds(count, [&mut ours, &mut hand, &mut copy]);
    let (slower, better, ways) = match unnest.median() < copy.median() {
        true => (copy, unnest, ["unnest", "COPY"]),
        false => (unnest, copy, ["COPY", "unnest"]),
    };
    table.beside(&format!("{what}, by hand {}", ways[0]), &Beside::of(ours.clone(), better), super::PROMISE);
    table.beside(&format!("{what}, by hand {}", ways[1]), &Beside::of(ours, slower), Target::None);
}

fn per_run(mut call: impl FnMut()) -> f64 {
    micros(1, &mut call) / ENQUEUED as f64
}

/// Microseconds a run, of claims and reports; they are enqueued before the clock runs.
fn round(queue: &mut dyn Queue) -> f64 {
    queue.enqueue_many(EACH * CLAIMED);
    let batch = || {
        let held = queue.claim(CLAIMED);
        assert_eq!(held.len(), CLAIMED);
        queue.complete(&held);
    };
    micros(EACH, batch) / CLAIMED as f64
}
