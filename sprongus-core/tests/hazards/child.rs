//! This test binary again, as another process that runs one of its tests.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

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

/// In a child: says that it is ready, and waits until all are, however long their start takes on a busy machine.
pub(crate) fn arrive(folder: &str, name: &str) {
    let folder = Path::new(folder);
    std::fs::write(folder.join(format!("ready-{name}")), "").unwrap();
    wait_for(|| folder.join("go").exists());
}

/// In the parent: lets so many go, once all are there.
pub(crate) fn let_go(folder: &Path, count: usize) {
    wait_for(|| std::fs::read_dir(folder).unwrap().count() == count);
    std::fs::write(folder.join("go"), "").unwrap();
}

fn wait_for(there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(120), "the others do not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}
