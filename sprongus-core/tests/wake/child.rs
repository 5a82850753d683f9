//! This test binary again, as another process that does one job by lines on its standard input and output.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Set in a child: its job, the URL and the schema, a line each.
const TOLD: &str = "SPRONGUS_WAKE_CHILD";
/// Before each line that is meant for the parent: the test harness prints as well.
const MARK: &str = "child: ";

/// What this process was told, if it is a child: job, URL, schema.
pub(crate) fn told() -> Option<[String; 3]> {
    let told = std::env::var(TOLD).ok()?;
    let mut lines = told.lines().map(str::to_owned);
    Some(std::array::from_fn(|_| lines.next().unwrap_or_default()))
}

/// Says a line to the parent.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{MARK}{line}").unwrap();
    out.flush().unwrap();
}

/// The lines that the parent says, until it is gone.
pub(crate) fn orders() -> impl Iterator<Item = String> {
    std::io::stdin().lines().map_while(Result::ok)
}

/// A child at work; killed when it is dropped.
pub(crate) struct Other {
    process: Child,
    orders: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
}

impl Other {
    /// Starts the test `children::works` of this binary with that job.
    pub(crate) fn start(job: &str, url: &str, schema: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "works_as_a_child", "--nocapture", "--test-threads=1"])
            .env(TOLD, format!("{job}\n{url}\n{schema}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { orders: process.stdin.take(), said, process }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Gives it an order.
    pub(crate) fn order(&mut self, line: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line it says.
    pub(crate) fn hear(&mut self) -> String {
        let marked = |line: std::io::Result<String>| line.unwrap().strip_prefix(MARK).map(str::to_owned);
        self.said.by_ref().find_map(marked).expect("the child said nothing more")
    }

    /// Ends its orders and waits for its end, which must be a good one.
    pub(crate) fn end(mut self) {
        self.orders = None;
        assert!(self.process.wait().unwrap().success(), "the child failed");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
