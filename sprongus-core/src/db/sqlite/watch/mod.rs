//! Sees that somebody committed to the file: `PRAGMA data_version` on a connection of its own, which reads no table.
//!
//! On Linux a bell on the write-ahead log says when to ask; elsewhere it is asked every few milliseconds.

mod bell;
mod pace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::bell::{Bell, Heard};
use self::pace::Pace;
use super::connection::SqliteConnection;
use super::errors::from_sqlite;
use super::open::{Role, open};
use super::wal::side_file;
use super::{Place, SqliteSettings};
use crate::db::Signals;
use crate::db::watch::{Desk, LINGER, Watcher};
use crate::error::Result;
use crate::fork::visit;

/// Before it is tried again to open the file.
const AGAIN: Duration = Duration::from_secs(1);

/// Watches a file for commits.
pub(super) struct FileWatcher {
    place: Place,
    settings: Arc<SqliteSettings>,
}

impl FileWatcher {
    /// For a file; a database in memory is written by nobody else.
    pub(super) fn new(place: &Place, settings: &SqliteSettings) -> Option<Self> {
        // The host's interrupt is for calls of the host's.
        let settings = Arc::new(SqliteSettings { interrupt: None, ..settings.clone() });
        matches!(place, Place::File(_)).then(|| Self { place: place.clone(), settings })
    }

    fn session(&self, desk: &Desk, bell: &mut Bell) -> Result<()> {
        let connection = open(&self.place, Role::Reader, &self.settings, Instant::now() + self.settings.busy_timeout)?;
        let mut version = data_version(&connection)?;
        if let Place::File(path) = &self.place {
            bell.hang(&side_file(path, "-wal"));
        }
        // What was committed since somebody first looked, and before this thread did.
        desk.set_complete(true);
        desk.wake().signal(Signals::ANY);
        let mut pace = Pace::new(bell.hangs());
        loop {
            let orders = desk.orders(&bell.waker());
            if orders.close {
                return Ok(());
            }
            if !orders.listen {
                bell.sleep(LINGER);
                if !desk.orders(&bell.waker()).listen {
                    return Ok(());
                }
            }
            // Nobody sleeps who would have to be woken: a worker has much to do.
            let heard = match desk.may_rest(&bell.waker()) {
                true => {
                    bell.sleep(LINGER);
                    Heard::Unknown
                }
                false => pace.wait(bell),
            };
            let now = data_version(&connection)?;
            let changed = now != version;
            version = now;
            if changed {
                desk.wake().signal(Signals::ANY);
            }
            pace.saw(heard, changed);
        }
    }
}

impl Watcher for FileWatcher {
    fn posts(&self) -> bool {
        false
    }

    fn watch(&self, desk: &Desk) {
        let mut bell = Bell::new();
        while !desk.retire() {
            if let Err(error) = self.session(desk, &mut bell) {
                desk.set_complete(false);
                tracing::debug!(code = %error.code(), "the file could not be watched for commits; it is tried again");
                desk.orders(&bell.waker());
                bell.sleep(AGAIN);
            }
        }
    }
}

/// Another value each time another connection has committed (SQLite manual, "PRAGMA data_version").
fn data_version(connection: &SqliteConnection) -> Result<i64> {
    connection.patience.until(Instant::now() + AGAIN);
    let _visit = visit();
    let mut statement = connection.raw.prepare_cached("PRAGMA data_version").map_err(from_sqlite)?;
    statement.query_row([], |row| row.get(0)).map_err(from_sqlite)
}
