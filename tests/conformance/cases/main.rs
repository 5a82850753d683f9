//! The areas of the suite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod host;
mod places;
mod presets;

fn main() -> std::process::ExitCode {
    let areas = [host::cases(), places::cases(), presets::cases()];
    sprongus_conformance::run(&areas.concat())
}
