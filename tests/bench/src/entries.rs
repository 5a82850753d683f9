//! Single documents of a table bound to a preset: created, replaced, read.

use serde_json::{Map, Value, json};
use sprongus::aux_store::{Aux, UpdateOptions};

use crate::Effort;
use crate::by_hand::Entries;
use crate::ground::{Ground, On};
use crate::import::bind;
use crate::places::Places;
use crate::sample::in_turn;
use crate::state::State;
use crate::table::{Table, Target};
use crate::works;

/// The most that reading one may take on SQLite, in microseconds, and the share of the round trip on PostgreSQL.
const READ: f64 = 10.0;
const SHARE: f64 = 1.0 / 1.1;

struct Ours<'s>(Aux<'s>);

impl Entries for Ours<'_> {
    fn create(&mut self, document: Map<String, Value>) {
        self.0.create(Value::Object(document), None).unwrap();
    }

    fn replace(&mut self, mut document: Map<String, Value>) {
        let id = document.remove("id").unwrap();
        let options = UpdateOptions { replace: true, ..UpdateOptions::default() };
        assert!(self.0.update(id.as_str().unwrap(), Value::Object(document), options).unwrap().version > 1);
    }

    fn entry(&mut self, id: &str) -> usize {
        self.0.get(id).unwrap().payload.as_str().len()
    }
}

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Documents of 20 columns, one by one, validated: microseconds a call");
    for on in On::ALL {
        let ground = Ground::new(places, on, State::Empty);
        let (store, mut hand) = (bind(on.open(&ground.ours), &works::preset()), on.connect(&ground.hand));
        let mut ours = Ours(store.aux("demo", "works"));
        let (name, rounds, each) = (on.name(), effort.rounds / 2, effort.each);

        let (mut mine, mut other) = (documents("created"), documents("created"));
        let beside = in_turn(rounds, each, || ours.create(next(&mut mine)), || hand.create(next(&mut other)));
        table.beside(&format!("{name}: create"), &beside, Target::None);

        let (mut mine, mut other) = (documents("replaced"), documents("replaced"));
        let beside = in_turn(rounds, each, || ours.replace(next(&mut mine)), || hand.replace(next(&mut other)));
        table.beside(&format!("{name}: replace"), &beside, Target::None);

        let read = |entries: &mut dyn Entries| assert!(entries.entry("w000007") > 100);
        let beside = in_turn(rounds, each * 4, || read(&mut ours), || read(&mut *hand));
        let share = if on == On::Postgres { Target::AtLeast(SHARE) } else { Target::None };
        table.beside(&format!("{name}: get by id"), &beside, share);
        if on != On::Postgres {
            table.line("  in Rust", &beside.ours, Target::AtMost(READ));
        }
    }
}

fn next(documents: &mut impl Iterator<Item = Map<String, Value>>) -> Map<String, Value> {
    documents.next().unwrap()
}

/// One after the other, the same each time but for their ids and the note.
fn documents(note: &str) -> impl Iterator<Item = Map<String, Value>> {
    let mut random = fastrand::Rng::with_seed(7);
    let cells = works::record(7, &mut random);
    let cells = works::COLUMNS.iter().zip(&cells);
    let one: Map<String, Value> =
        cells.filter_map(|(column, cell)| Some((column.0.to_owned(), works::typed(*column, cell)?))).collect();
    let note = note.to_owned();
    (1..).map(move |number| {
        let mut document = one.clone();
        document.extend([("id".to_owned(), json!(format!("w{number:06}"))), ("note".to_owned(), json!(note))]);
        document
    })
}
