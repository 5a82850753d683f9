//! One `enqueue` after another, beside the same rows written by hand.

use sprongus::json::Json;
use sprongus::runs::Enqueue;
use sprongus::{Dialect, Options, Store, migration_sql};

use crate::Effort;
use crate::by_hand::{self, INPUT, KIND};
use crate::places::Places;
use crate::sample::in_turn;
use crate::table::{Table, Target};

/// The project's promise on SQLite.
const AT_MOST: Target = Target::AtMost(1.6);

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Single enqueue: microseconds a call, each its own commit");
    let (ours, file) = (places.file("db"), places.file("db"));
    let store = open(ours.to_str().unwrap());
    let hand = by_hand::sqlite::open(file.to_str().unwrap(), &migration_sql(Dialect::Sqlite));
    let beside = in_turn(effort.rounds, effort.each, || enqueue(&store), || drop(by_hand::sqlite::enqueue(&hand)));
    table.beside("SQLite, synchronous=FULL", &beside, AT_MOST);

    let store = open(&places.database());
    let mut hand = by_hand::postgres::Hand::open(&places.database(), &migration_sql(Dialect::Postgres));
    let beside = in_turn(effort.rounds, effort.each, || enqueue(&store), || drop(hand.enqueue()));
    table.beside("PostgreSQL", &beside, Target::None);
}

pub(crate) fn open(url: &str) -> Store {
    Store::open(url, Options { actor: Some("bench".to_owned()), ..Options::default() }).unwrap()
}

/// The input is parsed in each call, as one that comes from a program is.
pub(crate) fn enqueue(store: &Store) {
    store.runs().enqueue(&Enqueue::new(KIND, Json::parse(INPUT).unwrap())).unwrap();
}
