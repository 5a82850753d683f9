//! The small pool of reading connections.

use std::sync::Arc;
use std::time::Instant;

use super::connection::SqliteConnection;
use super::open::{Role, open};
use super::{Place, SqliteSettings};
use crate::db::pool::Pool;
use crate::db::{Connection, Executor};
use crate::error::{Error, Result};

/// Opens readers for r2d2.
pub(super) struct Readers {
    pub(super) place: Place,
    pub(super) settings: Arc<SqliteSettings>,
}

impl r2d2::ManageConnection for Readers {
    type Connection = SqliteConnection;
    type Error = Error;

    fn connect(&self) -> Result<SqliteConnection> {
        open(&self.place, Role::Reader, &self.settings, Instant::now() + self.settings.busy_timeout)
    }

    fn is_valid(&self, _: &mut SqliteConnection) -> Result<()> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut SqliteConnection) -> bool {
        connection.rollback();
        connection.broken
    }
}

/// The pool of so many readers.
pub(super) fn pool(readers: Readers, size: u32) -> Pool<Readers> {
    let builder = r2d2::Pool::builder().max_size(size).idle_timeout(None).max_lifetime(None).test_on_check_out(false);
    let interrupt = readers.settings.interrupt.clone();
    Pool::new(builder, readers, interrupt)
}

/// Begins to read: one snapshot for all statements until the connection goes back.
pub(super) fn begin(connection: &mut SqliteConnection) -> Result<()> {
    connection.execute("BEGIN DEFERRED", &[]).map(drop)
}
