//! What both drivers can do: our connection and the host's transaction.

use bytes::Bytes;
use tokio_postgres::{Row, Statement};

use super::encode::Param;
use crate::error::Result;

/// The next piece of a COPY, `None` at its end.
pub(super) type Chunks<'a> = dyn FnMut() -> Result<Option<Bytes>> + 'a;

/// A PostgreSQL session that answers one request at a time.
pub(super) trait Driver {
    /// Parses and describes a statement.
    fn prepare(&mut self, sql: &str) -> Result<Statement>;

    /// Runs it: its rows, and the number of rows it changed or gave.
    fn run(&mut self, statement: &Statement, params: &[Param<'_>]) -> Result<(Vec<Row>, u64)>;

    /// Runs statements separated by semicolons.
    fn batch(&mut self, sql: &str) -> Result<()>;

    /// Feeds `COPY … FROM STDIN`; the number of rows written.
    fn copy_in(&mut self, sql: &str, chunks: &mut Chunks<'_>) -> Result<u64>;
}
