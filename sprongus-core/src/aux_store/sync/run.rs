//! A sync as a run: worked in place by whoever asks for it, or left to a worker.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::model::SyncTable;
use super::work::{Attempt, work};
use crate::aux_store::providers::Provider;
use crate::aux_store::rows::Place;
use crate::error::{Error, ErrorCode, Result};
use crate::id::new_id;
use crate::runs::{Beat, Enqueue, Fail, Run, Runs, SYNC_KIND};
use crate::session::{Lasting, Session};

/// How long the lease of a sync in place runs, and how often it is extended.
const LEASE: Duration = Duration::from_secs(20);
const BEAT: Duration = Duration::from_secs(5);

/// Syncs a table here and now, or leaves it to a worker; the run. `provider`: instead of the one that the name means.
pub(in crate::aux_store) fn sync(
    session: Session<'_>,
    place: Place<'_>,
    sync: &SyncTable,
    provider: Option<&mut dyn Provider>,
) -> Result<Run> {
    crate::text::check_name("the provider", &sync.provider)?;
    let request = Enqueue {
        project: Some(place.project.to_owned()),
        idempotency_key: sync.idempotency_key.clone(),
        ..Enqueue::new(format!("{SYNC_KIND}{}", place.table), sync.input()?)
    };
    if sync.enqueue {
        if provider.is_some() {
            return Err(Error::invalid("a worker finds providers by name: put a profile, and register its kind"));
        }
        return Runs::new(session).enqueue(&request);
    }
    let Some(lasting) = session.lasting() else {
        return Err(Error::misuse(
            "a sync works outside of transactions: call it on the store, or let it be enqueued with enqueue",
        ));
    };
    let worker = format!("{}-{}", std::process::id(), new_id());
    let run = Runs::new(session).begin(&request, &worker, LEASE)?;
    if run.deduplicated {
        return Ok(run);
    }
    in_place(session, &lasting, &run, provider)
}

/// Works the run; a failure is its end.
fn in_place(session: Session<'_>, lasting: &Lasting, run: &Run, provider: Option<&mut dyn Provider>) -> Result<Run> {
    let told = AtomicBool::new(false);
    let (stop, stopped) = channel::<()>();
    std::thread::scope(|scope| {
        let told = &told;
        scope.spawn(move || {
            loop {
                match stopped.recv_timeout(BEAT) {
                    Err(RecvTimeoutError::Timeout) => beat(Session::new(&**lasting), run, told),
                    _ => return,
                }
            }
        });
        let mut ended = Ended { session, run, error: "the provider panicked".to_owned(), failed: true, _stop: stop };
        let patience = session.options().call_timeout;
        let worked = work(session, &Attempt { run, told: &|| told.load(Relaxed), patience }, provider);
        ended.failed = worked.is_err();
        if let Err(error) = &worked {
            ended.error = error.to_string();
        }
        worked
    })
}

/// Extends the lease; one that is gone is told.
fn beat(session: Session<'_>, run: &Run, told: &AtomicBool) {
    match Runs::new(session).heartbeat_many(&[(run.id.clone(), run.lease)], LEASE) {
        Ok(beats) if beats.iter().any(|beat| matches!(beat, Beat::Gone(_))) => told.store(true, Relaxed),
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(run = %run.id, code = %error.code(), "a lease could not be extended; it is tried again")
        }
    }
}

/// Reports the failure, by a panic too, and stops the heartbeats.
struct Ended<'e> {
    session: Session<'e>,
    run: &'e Run,
    error: String,
    failed: bool,
    _stop: std::sync::mpsc::Sender<()>,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if !self.failed {
            return;
        }
        let fail = Fail { retryable: false, ..Fail::new(&self.run.id, self.run.lease, &self.error) };
        if let Err(error) = Runs::new(self.session).fail(&fail)
            && error.code() != ErrorCode::LeaseLost
        {
            tracing::warn!(run = %self.run.id, code = %error.code(), "a failed sync could not be reported: its lease runs out");
        }
    }
}
