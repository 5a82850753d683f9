//! The small pools of reading connections.

use std::sync::Arc;
use std::time::Instant;

use super::connection::SqliteConnection;
use super::open::{Role, open};
use super::{Place, SqliteSettings};
use crate::db::pool::{Manage, Pool};
use crate::db::{Connection, Executor, Lane};
use crate::error::Result;

/// Opens readers.
pub(super) struct Readers {
    place: Place,
    settings: Arc<SqliteSettings>,
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

/// So many readers for workers: what they ask is short.
const FOR_WORKERS: u32 = 2;

/// The host's readers, and those of workers: neither can starve the other.
pub(super) struct Pools {
    host: Pool<Readers>,
    workers: Pool<Readers>,
}

impl Pools {
    pub(super) fn new(place: &Place, settings: &Arc<SqliteSettings>) -> Self {
        let pool = |size| {
            let readers = Readers { place: place.clone(), settings: settings.clone() };
            Pool::new(readers, size, settings.interrupt.clone(), None)
        };
        Self { host: pool(settings.pool_size), workers: pool(FOR_WORKERS) }
    }

    pub(super) fn of(&self, lane: Lane) -> &Pool<Readers> {
        match lane {
            Lane::Host => &self.host,
            Lane::Worker | Lane::Leases => &self.workers,
        }
    }
}

/// Begins to read: one snapshot for all statements until the connection goes back.
pub(super) fn begin(connection: &mut SqliteConnection) -> Result<()> {
    connection.execute("BEGIN DEFERRED", &[]).map(drop)
}
