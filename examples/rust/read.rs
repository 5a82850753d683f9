//! Looks into a store without writing to it: `read URL [KIND]` prints each run, its output and its events.

use sprongus::runs::{ListRuns, RunEvents, RunOutput};
use sprongus::{Error, ErrorCode, Options, Result, Store};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or_else(|| Error::invalid("usage: read URL [KIND]"))?;
    let store = Store::open(&url, Options { read_only: true, ..Options::default() })?;

    let runs = store.runs();
    let wanted = ListRuns { kind: arguments.next().map(|kind| vec![kind]), ..ListRuns::default() };
    for run in runs.list(&wanted)?.items {
        println!("{} {} attempt {} input {}", run.kind, run.state, run.attempt, run.input.as_str());
        match runs.output(&RunOutput::new(&run.id)) {
            Ok(output) => println!("  output {}", output.as_str()),
            Err(error) if error.code() == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
        for event in runs.events(&RunEvents::new(&run.id))? {
            println!("  {} {} by {}", event.seq, event.kind, event.actor);
        }
    }
    Ok(())
}
