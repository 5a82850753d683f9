//! The areas of the suite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod places;
mod presets;

fn main() -> std::process::ExitCode {
    let areas = [places::cases(), presets::cases()];
    sprongus_conformance::run(&areas.concat())
}
