//! An executor that has each statement explained before it is run.

use std::sync::{Arc, Mutex};

use sprongus::{Dialect, Executor, Result, Row, Value};

/// The plan of each statement that ran: its SQL, then the lines.
pub(crate) type Plans = Arc<Mutex<Vec<(String, Vec<String>)>>>;

/// An executor that has each statement of ours explained before it is run.
pub(crate) struct Explaining<E> {
    pub(crate) inner: E,
    pub(crate) plans: Plans,
    /// Only statements that name this.
    pub(crate) about: &'static str,
}

impl<E: Executor> Explaining<E> {
    fn explain(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        if !sql.contains(self.about) {
            return Ok(());
        }
        let (explain, column) = match self.inner.dialect() {
            Dialect::Sqlite => ("EXPLAIN QUERY PLAN", 3),
            Dialect::Postgres => ("EXPLAIN (COSTS OFF)", 0),
        };
        let rows = self.inner.query(&format!("{explain} {sql}"), params)?;
        let line = |row: &Row| match &row.values()[column] {
            Value::Text(line) => line.to_string(),
            other => panic!("a line of a plan is {other:?}"),
        };
        self.plans.lock().unwrap().push((sql.to_owned(), rows.iter().map(line).collect()));
        Ok(())
    }
}

impl<E: Executor> Executor for Explaining<E> {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.explain(sql, params)?;
        self.inner.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.explain(sql, params)?;
        self.inner.query(sql, params)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.inner.batch(sql)
    }
}
