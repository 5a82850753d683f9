//! A worker whose handler fails once, until nothing is left to do: `worker [URL]`.

use std::time::Duration;

use sprongus::runs::Enqueue;
use sprongus::worker::{Context, HandlerError, Outcome, WorkerOptions};
use sprongus::{Json, Options, Result, Store};

fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "app.db".to_owned());
    let store = Store::open(&url, Options::default())?;
    for file in ["harbour.jpg", "mill.jpg"] {
        let input = Json::from_serialize(&serde_json::json!({ "file": file }))?;
        store.runs().enqueue(&Enqueue::new("thumbnail.make", input))?;
    }

    let worker = store.worker(WorkerOptions { concurrency: 2, ..WorkerOptions::default() })?;
    worker.handle("thumbnail.make", thumbnail)?;
    worker.run_until_idle(Duration::from_secs(5))
}

/// The first attempt fails and is tried again: a run is executed until one attempt reports, or none are left.
fn thumbnail(context: &Context) -> std::result::Result<Outcome, HandlerError> {
    if context.run().attempt == 1 {
        return Err(HandlerError::Retry("the picture is still being written".to_owned()));
    }
    println!("attempt {}: a thumbnail of {}", context.run().attempt, context.input().as_str());
    Ok(Outcome::None)
}
