//! The small pool of reading connections.

use std::sync::Arc;
use std::time::Instant;

use super::connection::SqliteConnection;
use super::open::{Role, open};
use super::{Place, SqliteSettings};
use crate::db::pool::{Manage, Pool};
use crate::db::{Connection, Executor};
use crate::error::Result;

/// Opens readers.
pub(super) struct Readers {
    pub(super) place: Place,
    pub(super) settings: Arc<SqliteSettings>,
}

impl Manage for Readers {
    type Connection = SqliteConnection;

    fn connect(&self, _: Instant) -> Result<SqliteConnection> {
        open(&self.place, Role::Reader, &self.settings, Instant::now() + self.settings.busy_timeout)
    }

    fn is_clean(&self, connection: &mut SqliteConnection) -> bool {
        connection.rollback();
        !connection.broken
    }
}

/// The pool of so many readers.
pub(super) fn pool(readers: Readers, size: u32) -> Pool<Readers> {
    let interrupt = readers.settings.interrupt.clone();
    Pool::new(readers, size, interrupt, None)
}

/// Begins to read: one snapshot for all statements until the connection goes back.
pub(super) fn begin(connection: &mut SqliteConnection) -> Result<()> {
    connection.execute("BEGIN DEFERRED", &[]).map(drop)
}
