//! One `enqueue` after another, each its own commit.

use crate::Effort;
use crate::by_hand::Queue;
use crate::ground::{Ground, On};
use crate::places::Places;
use crate::sample::in_turn;
use crate::state::State;
use crate::table::Table;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Enqueue one by one: microseconds a call, each its own commit");
    for on in On::ALL {
        on_ground(on.name(), &Ground::new(places, on, State::Empty), effort, table);
    }
}

pub(super) fn on_ground(name: &str, ground: &Ground, effort: Effort, table: &mut Table) {
    let (mut ours, mut hand) = ground.sides();
    let (ours, hand) = (|| drop(ours.enqueue()), || drop(hand.enqueue()));
    let beside = in_turn(effort.rounds, effort.each, ours, hand);
    table.beside(name, &beside, super::PROMISE);
}
