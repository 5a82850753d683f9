//! The queue again, with what gathers in its tables: nothing of it may make a call slower.

use super::{batches, claims, enqueue};
use crate::Effort;
use crate::ground::{Ground, On};
use crate::places::Places;
use crate::state::State;
use crate::table::Table;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    for state in [State::Finished(effort.finished), State::Tomorrow(200_000), State::OldTransaction] {
        table.heading(&format!("The queue with {}: microseconds a call or run", state.name()));
        for on in On::DEFAULT.into_iter().filter(|on| state != State::OldTransaction || *on == On::Postgres) {
            let (name, ground) = (on.name(), Ground::new(places, on, state));
            enqueue::on_ground(&format!("{name}: enqueue"), &ground, effort, table);
            claims::on_ground(name, &ground, effort, table);
            batches::on_ground(name, &ground, effort, table);
        }
    }
}
