//! A worker with two handlers, until nothing is left to do: `worker [URL]`.

use std::time::Duration;

use sprongus::json::Json;
use sprongus::runs::Enqueue;
use sprongus::worker::{Context, HandlerError, Outcome, WorkerOptions};
use sprongus::{Options, Result, Store};

fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "app.db".to_owned());
    let store = Store::open(&url, Options::default())?;
    for name in ["harbour.jpg", "mill.jpg"] {
        let input = Json::from_serialize(&serde_json::json!({ "file": name }))?;
        store.runs().enqueue(&Enqueue::new("thumbnail.make", input))?;
    }

    let mut worker = store.worker(WorkerOptions { concurrency: 2, ..WorkerOptions::default() })?;
    worker.handle("thumbnail.make", thumbnail)?;
    worker.run_until_idle(Duration::from_secs(5))
}

/// Fails once and is tried again: a run is executed until one attempt reports.
fn thumbnail(ctx: &Context) -> std::result::Result<Outcome, HandlerError> {
    if ctx.run().attempt == 1 {
        return Err(HandlerError::retry("the picture is still being written"));
    }
    println!("made a thumbnail of {}", ctx.run().input.as_str());
    Ok(Outcome::done())
}
