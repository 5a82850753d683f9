//! The storage seam: "a connection or an open transaction", whoever made it.

use super::{Dialect, Row, Value};
use crate::error::Result;

/// Runs SQL on one connection, in whatever transaction is open there (DESIGN.md §2 "Storage seam").
///
/// Implemented for each driver, and by hosts that lend a connection of their own. One SQL text with `$1..$n` serves both
/// databases wherever it can. An implementation binds by number: `$2` used twice is one parameter.
pub trait Executor: Send {
    /// Which database this is.
    fn dialect(&self) -> Dialect;

    /// Runs one statement; the number of rows it changed.
    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64>;

    /// Runs one statement of which nobody asks what it changed: together with the next one, or with the commit, where that
    /// spares a round trip; theirs is its error then.
    fn execute_soon(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.execute(sql, params).map(drop)
    }

    /// Says that the transaction will ask this before it writes anything: it may be asked with the next statement, where that
    /// spares a round trip. Only for what may be asked whatever comes of that one.
    fn expect(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        let _ = (sql, params);
        Ok(())
    }

    /// Runs one statement; its rows in the database's own shapes ([`Row`]'s readers take either database's).
    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>>;

    /// Runs one statement of the host's; its rows in the shapes of DESIGN.md §2 "Host SQL", the same from both databases.
    fn query_host(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.query(sql, params)
    }

    /// Runs statements separated by semicolons, without parameters: migrations, savepoints.
    fn batch(&mut self, sql: &str) -> Result<()>;

    /// Writes rows into a table by the fastest way the driver has (COPY on PostgreSQL); the number of rows written.
    fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        let marks: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), marks.join(", "));
        let mut written = 0;
        for row in rows {
            written += self.execute(&sql, &row?)?;
        }
        Ok(written)
    }

    /// Writes rows whose key is not there yet; the numbers, from 0 and ascending, of those whose key is.
    fn load_new(&mut self, table: &str, columns: &[&str], rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        let marks: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let (columns, marks) = (columns.join(", "), marks.join(", "));
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING");
        let mut there = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            if self.execute(&sql, row)? == 0 {
                there.push(number);
            }
        }
        Ok(there)
    }
}

/// A connection of ours: an [`Executor`] that can also begin and end transactions.
pub(crate) trait Connection: Executor {
    /// Opens a transaction: `BEGIN IMMEDIATE` on SQLite where it writes, read-only where it does not.
    fn begin(&mut self, write: bool) -> Result<()>;

    /// Opens a transaction that writes, together with its first statement where that spares a round trip; then
    /// [`Executor::execute_soon`] may wait too, but for what comes after a savepoint.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite has no round trips to spare"))]
    fn begin_soon(&mut self) -> Result<()> {
        self.begin(true)
    }

    /// Commits. An error that is not a definite refusal is [`Commit::Unknown`], and the connection is not used again.
    fn commit(&mut self) -> Result<Commit>;

    /// Rolls back; a connection that cannot is not used again.
    fn rollback(&mut self);

    /// How long this connection was waited for: a claimer that waited long rescues nobody (DESIGN.md §2 "Waiting and working").
    fn waited(&self) -> std::time::Duration;
}

/// How a COMMIT ended.
#[derive(Debug)]
pub(crate) enum Commit {
    /// It is durable.
    Done,
    /// The answer was lost or was an error: it may or may not have taken effect.
    Unknown(crate::error::Error),
}
