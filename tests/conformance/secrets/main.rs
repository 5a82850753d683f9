//! Secrets go in by every way there is, features run and fail, and then they are looked for wherever a store leaves a trace
//! (DESIGN.md §10, docs/secrets.md). Prints the places it looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../telemetry/capture.rs"]
mod capture;
mod grep;
mod planted;
mod refused;
mod used;
mod whereabouts;

use std::process::Command;

use capture::Capture;
use grep::Grep;
use sprongus_conformance::{Backend, Env};

/// Set in the process whose standard output and error are looked at too; its value is a secret of the environment.
const IN_CHILD: &str = "SPRONGUS_PLANTED_SECRET";

#[test]
fn a_secret_is_found_nowhere() {
    if std::env::var_os(IN_CHILD).is_some() {
        return plant_and_look();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "a_secret_is_found_nowhere", "--nocapture"]).env(IN_CHILD, planted::secret("environment"));
    let output = child.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}");
    assert!(output.status.success(), "{err}");
    let mut grep = Grep::default();
    grep.text("standard output of the process", &out);
    grep.text("standard error of the process", &err);
    grep.found_none();
    println!("{grep}");
}

fn plant_and_look() {
    let log = Capture::install();
    for backend in [Backend::SqliteFile, Backend::SqliteMemory, Backend::Postgres] {
        let env = Env::fresh(backend);
        let mut grep = Grep::default();
        let store = planted::store(&env, &mut grep);
        refused::all(&store, &mut grep);
        used::all(&store, &mut grep);
        planted::control(&store);
        whereabouts::all(&env, &store, &mut grep);
        let lines = log.take();
        assert!(lines.iter().any(|line| line.contains("a run ended")), "the log is listened to");
        grep.text("log lines and spans at all levels", &lines.join("\n"));
        println!("{}: {grep}", backend.as_str());
        grep.found_none();
        grep.control_found_where_it_lies();
    }
}
