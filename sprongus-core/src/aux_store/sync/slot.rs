//! One sync at a time of a table with a provider: another one would act on what this one is about to change.

use std::time::{Duration, Instant};

use serde_json::json;

use super::state::Pair;
use crate::db::{Dialect, interrupted};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::{Rescue, Run, Runs};
use crate::session::{Session, Work};

/// Between two looks at a sync that is under way.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// Waits until no other sync of the pair is under way, for so long at most, and takes its place. A run whose lease has run out
/// is rescued, and holds up nobody.
///
/// # Errors
/// `busy`, as [`held`] has it; `timeout` where the host's interrupt ends the wait.
pub(super) fn take(session: Session<'_>, pair: Pair<'_>, run: &Run, patience: Duration) -> Result<()> {
    let until = Instant::now() + patience;
    loop {
        let Some(other) = session.write(|work| take_now(work, pair, run))? else { return Ok(()) };
        Runs::new(session).rescue(&Rescue::default())?;
        if Instant::now() >= until {
            let message =
                format!("the run {other} syncs this table with the same provider; try again when it has ended");
            return Err(held(Error::new(ErrorCode::Busy, message)));
        }
        if session.options().interrupt.as_ref().is_some_and(|asked| asked()) {
            return Err(interrupted());
        }
        std::thread::sleep(crate::id::jitter(LOOK));
    }
}

/// An error that says what others are doing, and nothing of the provider: what is to be done is done later.
pub(super) fn held(error: Error) -> Error {
    let details = json!({ "heldUp": true });
    Error::new(error.code(), error.message()).with_details(details)
}

/// Whether an error is of that kind: no attempt was made that failed.
pub(crate) fn is_held(error: &Error) -> bool {
    error.details().is_some_and(|details| details["heldUp"] == true)
}

/// The run that has the place, if another one has it.
fn take_now(work: &mut Work<'_>, pair: Pair<'_>, run: &Run) -> Result<Option<String>> {
    let [project, table, provider] = pair.params();
    let mine = [project, table, provider, (&run.id).into(), run.lease.into()];
    let insert = "INSERT INTO sprongus_syncs (project_id, table_name, provider, run_id, lease) \
                  VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    if work.execute(insert, &mine)? > 0 {
        return Ok(None);
    }
    let lock = if work.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let holder = format!(
        "SELECT run_id, lease FROM sprongus_syncs WHERE project_id = $1 AND table_name = $2 AND provider = $3{lock}"
    );
    if let Some(row) = work.query(&holder, &pair.params())?.first() {
        let (holder, lease) = (row.text(0)?, row.int(1)?);
        // A statement of its own: what it sees is newer than the lock.
        let runs = "SELECT 1 FROM sprongus_runs WHERE id = $1 AND lease = $2 AND state = 'running'";
        if holder != run.id && !work.query(runs, &[(&holder).into(), lease.into()])?.is_empty() {
            return Ok(Some(holder));
        }
    }
    let update = "UPDATE sprongus_syncs SET run_id = $4, lease = $5 \
                  WHERE project_id = $1 AND table_name = $2 AND provider = $3";
    work.execute(update, &mine).map(|_| None)
}
