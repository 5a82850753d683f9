//! Serves syncs: works runs of the kinds `sync.aux/*` (DESIGN.md §7 "Sync").

use std::time::Duration;

use super::Worker;
use super::context::Context;
use super::handlers::{HandlerError, Outcome};
use crate::aux_store::sync::{Attempt, is_held, work};
use crate::error::{Error, ErrorCode, Result};
use crate::id::jitter;

/// When a sync is tried again that was held up: another one of the same table and provider is under way, or a bulk write.
const LATER: Duration = Duration::from_secs(1);

impl Worker {
    /// Works `sync.aux/*`: syncs that were enqueued, with this store's profiles and the kinds registered on it.
    ///
    /// A provider that this process does not know is a failure that is tried again: another worker may know it. So is a
    /// failure of the provider in the middle, after which nothing is done twice; an error that no attempt can mend is final.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sprongus::aux_store::SyncTable;
    /// use sprongus::{Options, RunState, Store, WorkerOptions};
    /// use sprongus::runs::GetRun;
    /// let store = Store::open(":memory:", Options::default())?;
    /// let folder = tempfile::tempdir().unwrap();
    /// let file = folder.path().join("assets.csv");
    /// std::fs::write(&file, "id,title\na-1,Coburg\n").unwrap();
    /// let sync = SyncTable { enqueue: true, ..SyncTable::new("assets", format!("csv:{}", file.display())) };
    /// let run = store.aux("p1", "assets").sync(&sync)?;
    /// let worker = store.worker(WorkerOptions::default())?;
    /// worker.serve_sync()?;
    /// worker.run_until_idle(Duration::ZERO)?;
    /// assert_eq!(store.runs().get(&GetRun::new(&run.id))?.state, RunState::Succeeded);
    /// assert_eq!(store.aux("p1", "assets").get("a-1")?.version, 1);
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    ///
    /// Errors: `misuse` while it is at work.
    pub fn serve_sync(&self) -> Result<()> {
        self.handle("sync.aux/*", serve)
    }
}

fn serve(context: &Context) -> Result<Outcome, HandlerError> {
    let told = || context.canceled();
    let attempt = Attempt { run: context.run(), told: &told, patience: Duration::ZERO };
    match work(context.store().session(), &attempt, None) {
        // It is reported already: the same report again is answered with what is stored.
        Ok(run) => Ok(run.output_ref.map_or(Outcome::None, Outcome::Ref)),
        Err(error) if is_held(&error) => Err(HandlerError::Snooze(jitter(LATER))),
        Err(error) if is_final(&error) => Err(HandlerError::Fatal(error.to_string())),
        Err(error) => Err(HandlerError::Retry(error.to_string())),
    }
}

/// Whether another attempt would fail alike.
fn is_final(error: &Error) -> bool {
    use ErrorCode::{
        InvalidArgument, InvalidState, Misuse, PermissionDenied, ReservedField, SecretDetected, TooLarge, Unsupported,
        Validation,
    };
    matches!(
        error.code(),
        InvalidArgument
            | InvalidState
            | Misuse
            | PermissionDenied
            | ReservedField
            | SecretDetected
            | TooLarge
            | Unsupported
            | Validation
    )
}
