//! This test binary again, as another process that runs one of its tests.

use std::process::{Command, Output};

/// Set in a child: what it is to work on.
const TOLD: &str = "SPRONGUS_HAZARD";

/// What this process was told, if it is a child.
pub(crate) fn told() -> Option<String> {
    std::env::var(TOLD).ok()
}

/// The command that runs `test` in a child, told `what`; `prelude` is run by the shell first (limits, traps).
pub(crate) fn command(test: &str, what: &str, prelude: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{prelude} exec \"$0\" --exact {test} --nocapture --test-threads=1");
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).env(TOLD, what);
    command
}

/// Runs it to its end; what it printed where it failed.
pub(crate) fn run(test: &str, what: &str, prelude: &str) -> Output {
    let output = command(test, what, prelude).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the child failed:\n{text}");
    assert!(text.contains("1 passed"), "the child ran nothing:\n{text}");
    output
}
