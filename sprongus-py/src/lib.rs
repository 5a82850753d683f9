//! The Python module `sprongus._sprongus`: thin classes over the library; `python/sprongus` is the face users import.

use pyo3::prelude::*;

mod approvals;
mod args;
mod artifacts;
mod attach;
mod aux_table;
mod block;
mod call;
mod cells;
mod config;
mod context;
mod desk;
mod enqueue_item;
mod error;
mod events;
mod fork;
mod ground;
mod handler;
mod host_sql;
mod inbox;
mod items;
mod json_in;
mod json_out;
mod lease;
mod log;
mod open;
mod outcome;
mod pages;
mod presets;
mod projects;
mod providers;
mod records;
mod runs;
mod schedules;
mod secrets;
mod store;
mod tables;
mod time;
mod transaction;
mod worker;

#[pymodule]
fn _sprongus(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(open::open, module)?)?;
    module.add_function(wrap_pyfunction!(open::migration_sql, module)?)?;
    module.add_function(wrap_pyfunction!(attach::attach, module)?)?;
    module.add_class::<store::Store>()?;
    module.add_class::<transaction::Transaction>()?;
    module.add_class::<runs::Runs>()?;
    module.add_class::<approvals::Approvals>()?;
    module.add_class::<events::Events>()?;
    module.add_class::<events::Follow>()?;
    module.add_class::<events::Subscription>()?;
    module.add_class::<inbox::Inbox>()?;
    module.add_class::<schedules::Schedules>()?;
    module.add_class::<presets::Presets>()?;
    module.add_class::<aux_table::AuxTable>()?;
    module.add_class::<artifacts::Artifacts>()?;
    module.add_class::<tables::Tables>()?;
    module.add_class::<projects::Projects>()?;
    module.add_class::<config::Config>()?;
    module.add_class::<providers::Providers>()?;
    module.add_class::<lease::Lease>()?;
    module.add_class::<worker::Worker>()?;
    module.add_class::<context::Context>()?;
    records::register(module)?;
    fork::register(module)?;
    // The face says what is exported.
    module.delattr("__all__")
}
