//! One pooled connection: where it is in a transaction, and whether another caller may have it next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use super::driver::Driver;
use super::settings::PostgresSettings;
use super::statements::Statements;
use super::together::{Ahead, Known, Last};
use super::wire::Wire;
use super::{copy, errors, words};
use crate::db::words::literal;
use crate::db::{Commit, Row, Value};
use crate::error::{Error, ErrorCode, Result};

/// Idle for longer, a connection is asked before it is handed out: a firewall may have forgotten it.
const STALE: Duration = Duration::from_secs(30);
/// Used this moment, it is not even looked at: what ends it now might as well end it during the call.
const FRESH: Duration = Duration::from_millis(1);

/// A session of ours with the server.
pub(super) struct PgConnection {
    wire: Wire,
    statements: Statements,
    settings: Arc<PostgresSettings>,
    in_transaction: bool,
    /// What goes to the server with the next statement: the BEGIN, and statements of which nobody waits for the answer.
    ahead: Vec<Ahead>,
    /// What was expected to be asked, with its answer.
    known: Option<Known>,
    /// Whether statements may wait: not once there was a savepoint, which their errors must not outlive.
    patient: bool,
    marked: bool,
    used: Instant,
    /// Whether its last statement went well.
    sound: bool,
    /// When the call that uses it now has waited long enough; none for a transaction that its caller ends.
    deadline: Option<Instant>,
    /// The one project that row-level security shows; said in every transaction, so nothing of it is left in the session.
    project: Option<String>,
}

impl PgConnection {
    pub(super) fn connect(config: &Config, settings: &Arc<PostgresSettings>, until: Instant) -> Result<Self> {
        let mut wire = Wire::connect(config, until, settings.call_timeout, settings.asked.clone())?;
        if settings.statement_cache {
            wire.batch(&settings.set("SET"))?;
        }
        let statements = Statements::new(settings.statement_cache);
        Ok(Self {
            wire,
            statements,
            settings: settings.clone(),
            in_transaction: false,
            ahead: Vec::new(),
            known: None,
            patient: false,
            marked: false,
            used: Instant::now(),
            sound: true,
            deadline: None,
            project: None,
        })
    }

    /// Whether it may not go back to the pool.
    pub(super) fn is_spoilt(&self) -> bool {
        self.marked || self.in_transaction || self.wire.was_cancelled() || self.wire.is_closed()
    }

    /// Whether the server is still there: free of a round trip unless it was idle for long.
    pub(super) fn verify(&mut self) -> Result<()> {
        let idle = self.used.elapsed();
        if self.sound && idle < FRESH {
            return Ok(());
        }
        self.wire.settle()?;
        if idle > STALE {
            self.wire.batch("")?;
        }
        Ok(())
    }

    /// Bounds the statements to come by one deadline; COMMIT and ROLLBACK are not.
    pub(super) fn by(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Of that project are the transactions to come.
    pub(super) fn of(&mut self, project: Option<&str>) {
        self.project = project.map(str::to_owned);
    }

    pub(super) fn run(&mut self, sql: &str, values: &[Value<'_>]) -> Result<(Vec<Row>, u64)> {
        self.note(sql);
        if let Some(known) = self.known.take() {
            if known.sql == sql && known.values == values {
                let given = known.rows.len() as u64;
                return Ok((known.rows, given));
            }
            // What writes may change it.
            self.known = Some(known).filter(|_| words::only_reads(sql));
        }
        self.in_one_session(|this| {
            if this.is_unsent() && !words::only_reads(sql) {
                this.begin_now()?;
            }
            if !this.ahead.is_empty() {
                return this.together(Last::Statement(sql, values));
            }
            let retry = !this.in_transaction;
            this.statements.run(&mut this.wire, sql, values, retry)
        })
    }

    /// Runs a statement with the next one, and keeps its rows until they are asked for, or something is written.
    pub(super) fn expect(&mut self, sql: &str, values: &[Value<'_>]) -> Result<()> {
        if self.patient { self.run_soon(sql, values, true) } else { Ok(()) }
    }

    /// Runs a statement with the next one, if it may wait.
    pub(super) fn run_soon(&mut self, sql: &str, values: &[Value<'_>], expected: bool) -> Result<()> {
        if !self.patient {
            return self.run(sql, values).map(drop);
        }
        self.note(sql);
        if !words::only_reads(sql) {
            self.known = None;
            self.in_time(Self::begin_now)?;
        }
        let values = values.iter().cloned().map(Value::into_owned).collect();
        let one = if expected { Ahead::Expected } else { Ahead::Statement };
        self.ahead.push(one(sql.to_owned(), values));
        Ok(())
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.note(sql);
        self.patient = false;
        self.in_one_session(|this| {
            this.begin_now()?;
            match this.ahead.is_empty() {
                true => this.wire.batch(sql),
                false => this.together(Last::Batch(sql)).map(drop),
            }
        })
    }

    /// Begins the transaction, if that waits still. Only what reads may go with it: where it failed, what writes would be
    /// committed all the same.
    fn begin_now(&mut self) -> Result<()> {
        if self.is_unsent() {
            self.together(Last::Batch(""))?;
        }
        Ok(())
    }

    /// Sends what waited, and the last of it; the first error of all.
    fn together(&mut self, last: Last<'_>) -> Result<(Vec<Row>, u64)> {
        self.statements.run_all(&mut self.wire, &mut self.ahead, last, &mut self.known).map_err(|(_, error)| error)
    }

    pub(super) fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        self.in_one_session(|this| {
            if !this.ahead.is_empty() {
                this.together(Last::Batch(""))?;
            }
            copy::load(&mut this.wire, &mut this.statements, table, columns, rows)
        })
    }

    pub(super) fn begin(&mut self, write: bool) -> Result<()> {
        let sql = self.beginning(write)?;
        self.in_transaction = true;
        self.wire.batch(&sql).inspect_err(|_| self.rollback())
    }

    /// Begins a transaction that writes with its first statement.
    pub(super) fn begin_soon(&mut self) -> Result<()> {
        if !self.settings.statement_cache {
            return self.begin(true);
        }
        let sql = self.beginning(true)?;
        self.ahead.push(Ahead::Begin(sql));
        (self.in_transaction, self.patient) = (true, true);
        Ok(())
    }

    /// The SQL that opens a transaction.
    fn beginning(&self, write: bool) -> Result<String> {
        if self.in_transaction {
            return Err(Error::misuse("a transaction is open on this connection already"));
        }
        // Readers see one state of the database, as on SQLite.
        let mut sql =
            String::from(if write { "BEGIN READ WRITE" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY" });
        if !self.settings.statement_cache {
            sql.push_str("; ");
            sql.push_str(&self.settings.set("SET LOCAL"));
        }
        if let Some(project) = &self.project {
            sql.push_str(&format!("; SET LOCAL sprongus.project = {}", literal(project)));
        }
        Ok(sql)
    }

    pub(super) fn commit(&mut self) -> Result<Commit> {
        if !self.in_transaction {
            return Err(Error::misuse("no transaction is open on this connection"));
        }
        if self.is_unsent() {
            self.ended();
            return Ok(Commit::Done);
        }
        // COMMIT of a failed transaction rolls back and reports success; a SELECT before it is refused.
        const COMMIT: &str = "SELECT; COMMIT";
        let before = self.ahead.len();
        let sent = match before {
            0 => self.wire.batch(COMMIT).map_err(|error| (0, error)),
            _ => {
                let last = Last::Batch(COMMIT);
                self.statements.run_all(&mut self.wire, &mut self.ahead, last, &mut self.known).map(drop)
            }
        };
        match sent {
            Ok(()) => {
                self.ended();
                Ok(Commit::Done)
            }
            // What was sent before it failed, and the COMMIT with it.
            Err((at, error)) if is_refusal(&error) || at < before && !errors::is_connection_lost(&error) => {
                self.rollback();
                Err(error)
            }
            Err((_, error)) => {
                self.wire.abandon();
                Ok(Commit::Unknown(error))
            }
        }
    }

    pub(super) fn rollback(&mut self) {
        if self.is_unsent() {
            self.ended();
        }
        if !self.in_transaction || self.wire.is_closed() {
            return;
        }
        self.wire.set_limit(Some(self.settings.call_timeout));
        match self.wire.batch("ROLLBACK") {
            Ok(()) => self.ended(),
            Err(error) => {
                tracing::debug!(%error, "a connection to PostgreSQL could not roll back and is dropped");
                self.wire.abandon();
            }
        }
    }

    /// Whether the server has not heard of the transaction yet.
    fn is_unsent(&self) -> bool {
        matches!(self.ahead.first(), Some(Ahead::Begin(_)))
    }

    fn ended(&mut self) {
        (self.in_transaction, self.patient) = (false, false);
        self.ahead.clear();
        self.known = None;
        self.used = Instant::now();
        self.wire.set_limit(Some(self.settings.call_timeout));
    }

    fn note(&mut self, sql: &str) {
        let marks = self.statements.marks(sql);
        self.marked |= marks.session;
        if marks.timeout {
            self.wire.set_limit(None);
        }
    }

    fn in_time<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Error::new(ErrorCode::Timeout, "the time of the call was used up by the statements before"));
        }
        self.wire.set_stop(self.deadline);
        let result = work(self);
        self.wire.set_stop(None);
        (self.used, self.sound) = (Instant::now(), result.is_ok());
        result
    }

    /// Behind a transaction-mode pooler only a transaction keeps the same session from one message to the next, and only a
    /// transaction is of a project.
    fn in_one_session<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.settings.statement_cache && self.project.is_none() || self.in_transaction {
            return self.in_time(work);
        }
        self.begin(!self.settings.read_only)?;
        let value = self.in_time(work).inspect_err(|_| self.rollback())?;
        match self.commit()? {
            Commit::Done => Ok(value),
            // As for a statement that commits by itself: lost with its answer, it may have taken effect.
            Commit::Unknown(error) => Err(errors::lost(error.message().to_owned())),
        }
    }
}

/// Errors after which a COMMIT has certainly not taken effect: a failed transaction, a deferred constraint, a lost race.
fn is_refusal(error: &Error) -> bool {
    let state = errors::sqlstate(error);
    !errors::is_connection_lost(error)
        && state.is_some_and(|state| {
            state == "25P02" || state.starts_with("23") || state.starts_with("40") && state != "40003"
        })
}
