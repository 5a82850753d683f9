//! After a COMMIT without an answer: the work's event says whether it took effect (DESIGN.md §2 "Commits").

use std::time::Instant;

use crate::db::{Db, Dialect, Executor, Seat, Unit, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::events;
use crate::session::{After, Witness};

/// How the work turned out to have ended.
pub(crate) enum Settled {
    /// It is durable.
    Committed,
    /// It took no effect and cannot any more; the error that hid it.
    Lost(Error),
}

/// Looks for the work's event on another connection; `outcome_unknown` where that cannot tell.
pub(crate) fn settle(
    db: &Db,
    seat: Seat<'_>,
    after: &After,
    unit: Unit,
    error: Error,
    deadline: Instant,
) -> Result<Settled> {
    let Some(witness) = &after.witness else {
        return Err(unknown(&error));
    };
    let there = match db.dialect() {
        Dialect::Sqlite => look(db, seat, witness, deadline),
        Dialect::Postgres => probe(db, seat, witness, deadline),
    };
    match there {
        Ok(true) => Ok(Settled::Committed),
        // A statement that was its own COMMIT may still be on its way to a server that did not end it.
        Ok(false) if unit == Unit::Statement && db.dialect() == Dialect::Postgres && !ended_by_server(&error) => {
            Err(unknown(&error))
        }
        Ok(false) => Ok(Settled::Lost(error)),
        Err(_) => Err(unknown(&error)),
    }
}

fn look(db: &Db, seat: Seat<'_>, witness: &Witness, deadline: Instant) -> Result<bool> {
    let mut there = false;
    db.read(seat, false, deadline, &mut |exec| events::committed(exec, witness).map(|answer| there = answer))?;
    Ok(there)
}

/// Tries to write an event of the same key: that waits for a server still committing ours, and succeeds only where ours
/// is gone for good.
fn probe(db: &Db, seat: Seat<'_>, witness: &Witness, deadline: Instant) -> Result<bool> {
    let mut connection = db.hold(seat, deadline)?;
    connection.begin(true)?;
    let tried = insert(&mut *connection, witness);
    connection.rollback();
    drop(connection);
    match tried {
        Ok(()) => Ok(false),
        Err(error) if error.code() == ErrorCode::Conflict => look(db, seat, witness, deadline),
        Err(error) => Err(error),
    }
}

fn insert(exec: &mut dyn Executor, witness: &Witness) -> Result<()> {
    let sql = "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) \
               VALUES ($1, $2, $3, 'probe', statement_timestamp(), 'probe', $4)";
    let params = [(&witness.id).into(), (&witness.subject).into(), witness.seq.into(), Value::json("{}")];
    exec.execute(sql, &params).map(drop)
}

/// Whether the server itself said that it ended the session: nothing of it runs on.
fn ended_by_server(error: &Error) -> bool {
    let sqlstate = error.details().and_then(|details| details.get("sqlstate")).and_then(|state| state.as_str());
    sqlstate.is_some_and(|state| state.starts_with("57P0"))
}

fn unknown(error: &Error) -> Error {
    let message = format!("the answer to COMMIT was lost ({}); look before you do it again", error.message());
    Error::new(ErrorCode::OutcomeUnknown, message)
}
