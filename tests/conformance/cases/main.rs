//! The areas of the suite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod artifacts;
mod aux_bulk;
mod aux_dialects;
mod aux_entries;
mod aux_files;
mod aux_lists;
mod aux_many;
mod aux_many_keyed;
mod aux_past;
mod aux_queries;
mod aux_random;
mod aux_refs;
mod aux_search;
mod aux_updates;
mod config;
mod doctor;
mod events;
mod files_real;
mod files_trouble;
mod host;
mod inbox;
mod notion;
mod places;
mod plain;
mod presets;
mod projects;
mod real;
mod runs;
mod schedules;
mod scopes;
mod secrets;
mod sync;
mod tables;
mod walk;
mod worker;
mod worker_batches;
mod worker_ends;
mod worker_trouble;
mod workspace;

fn main() -> std::process::ExitCode {
    let areas = [
        artifacts::cases(),
        aux_bulk::cases(),
        aux_dialects::cases(),
        aux_entries::cases(),
        aux_files::cases(),
        aux_lists::cases(),
        aux_many::cases(),
        aux_many_keyed::cases(),
        aux_queries::cases(),
        aux_past::cases(),
        aux_random::cases(),
        aux_refs::cases(),
        aux_search::cases(),
        aux_updates::cases(),
        config::cases(),
        doctor::cases(),
        events::cases(),
        files_real::cases(),
        files_trouble::cases(),
        host::cases(),
        inbox::cases(),
        notion::cases(),
        places::cases(),
        presets::cases(),
        projects::cases(),
        real::cases(),
        runs::cases(),
        schedules::cases(),
        scopes::cases(),
        secrets::cases(),
        sync::cases(),
        tables::cases(),
        worker::cases(),
        worker_batches::cases(),
        worker_ends::cases(),
        worker_trouble::cases(),
        workspace::cases(),
    ];
    let cases = areas.concat();
    // Whoever asks for some cases only is not told what others lack.
    if libtest_mimic::Arguments::from_args().filter.is_none() {
        walk::check(&cases);
    }
    sprongus_conformance::run(&cases)
}
