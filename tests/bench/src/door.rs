//! What the way into the library costs from C and from Python: reading a run, which is the shortest call there is.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::Effort;
use crate::by_hand::Queue;
use crate::ground::On;
use crate::ours::Ours;
use crate::places::Places;
use crate::sample::{micros, rounds};
use crate::table::{Table, Target};

/// What `tests/bench/door/build.sh` makes, beside the programs of this build.
pub(crate) const BUILT: &str = "../bench";

/// The most that the door may cost, in microseconds.
const C: f64 = 1.0;
const PYTHON: f64 = 5.0;

const CALLS: usize = 2_000;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading(
        "The door: microseconds to read a run, from Rust, C and Python; sprongus is the language, beside it Rust",
    );
    let url = On::Full.create(places);
    let mut store = Ours(On::Full.open(&url));
    let id = store.enqueue();
    let mut c = Program::start(Command::new(built("door")).args([&url, &id]).arg(CALLS.to_string()));
    let mut python = Program::start(
        python().arg(concat!(env!("CARGO_MANIFEST_DIR"), "/door/door.py")).args([&url, &id]).arg(CALLS.to_string()),
    );
    let mut rust = || micros(CALLS, || drop(store.get(&id)));
    let [rust, c, python] = rounds(effort.rounds, [&mut rust, &mut || c.round(), &mut || python.round()]);
    for (name, sample, most) in [("C", &c, C), ("Python", &python, PYTHON)] {
        table.times(&format!("{name}: a call"), [sample, &rust], Target::None);
        table.line("  more than from Rust", &sample.less(&rust), Target::AtMost(most));
    }
}

/// A path below `target/bench`.
pub(crate) fn built(name: &str) -> std::path::PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.parent().unwrap().join(BUILT).join(name);
    assert!(path.exists(), "{} is missing: tests/bench/door/build.sh makes it", path.display());
    path
}

/// The interpreter of the environment for tests, or the system's, with the package of the release build.
pub(crate) fn python() -> Command {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
    let mut python = Command::new(if own.exists() { own } else { "python3".into() });
    python.env("PYTHONPATH", built("python"));
    python
}

/// A child that measures a round whenever it is told to.
struct Program {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut program = Self { said: BufReader::new(process.stdout.take().unwrap()).lines(), process };
        program.round();
        program
    }

    fn round(&mut self) -> f64 {
        writeln!(self.process.stdin.as_mut().unwrap()).unwrap();
        self.said.next().unwrap().unwrap().parse::<f64>().unwrap() / 1e3
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
