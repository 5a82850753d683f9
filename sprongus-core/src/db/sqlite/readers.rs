//! The small pool of reading connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::SqliteConnection;
use super::open::{Role, open};
use super::{Place, SqliteSettings};
use crate::db::{Connection, Executor};
use crate::error::{Error, ErrorCode, Result};

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

/// Says what went wrong instead of "timed out waiting for connection".
#[derive(Debug)]
struct Silent;

impl r2d2::HandleError<Error> for Silent {
    fn handle_error(&self, error: Error) {
        tracing::debug!(code = %error.code(), "a reading connection could not be opened");
    }
}

/// A pool that opens its connections when they are asked for.
pub(super) fn pool(readers: Readers, size: u32) -> Result<r2d2::Pool<Readers>> {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_on_check_out(false)
        .connection_timeout(Duration::from_secs(30))
        .error_handler(Box::new(Silent))
        .build(readers)
        .map_err(|error| Error::new(ErrorCode::Unavailable, error.to_string()))
}

/// Begins to read: one snapshot for all statements until the connection goes back.
pub(super) fn begin(connection: &mut SqliteConnection) -> Result<()> {
    connection.execute("BEGIN DEFERRED", &[]).map(drop)
}
