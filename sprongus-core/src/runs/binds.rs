//! The parameters of a statement that is put together.

use crate::db::Dialect;
use crate::db::Value;
use crate::error::{Error, Result};
use crate::json::Json;
use crate::options::Options;
use crate::session::{Work, now_param};

/// The most values of one filter: SQLite takes 32,766 parameters, PostgreSQL 65,535.
const MOST: usize = 1_000;

/// Refuses a filter of more values than either database is to be asked with.
pub(super) fn check_length<T>(what: &str, values: Option<&[T]>) -> Result<()> {
    match values.map_or(0, <[T]>::len) {
        0..=MOST => Ok(()),
        given => Err(Error::invalid(format!("{what} names {given} values; at most {MOST} are taken"))),
    }
}

/// Parameters, numbered as they come.
#[derive(Default)]
pub(super) struct Binds<'b>(Vec<Value<'b>>);

impl<'b> Binds<'b> {
    /// Binds one more; its number.
    pub(super) fn push(&mut self, value: impl Into<Value<'b>>) -> usize {
        self.0.push(value.into());
        self.0.len()
    }

    /// Binds one more; its `$n`.
    pub(super) fn add(&mut self, value: impl Into<Value<'b>>) -> String {
        format!("${}", self.push(value))
    }

    /// Binds each; a list `($1, $2)` for IN.
    pub(super) fn list<T: Into<Value<'b>>>(&mut self, values: impl IntoIterator<Item = T>) -> String {
        let marks: Vec<String> = values.into_iter().map(|value| self.add(value)).collect();
        format!("({})", marks.join(", "))
    }

    /// Binds a document.
    pub(super) fn json(&mut self, dialect: Dialect, json: &'b Json) -> String {
        self.add(dialect.json(json))
    }

    /// Binds the present; the SQL that reads it.
    pub(super) fn now(&mut self, work: &Work<'_>) -> String {
        self.now_for(work.dialect(), work.options())
    }

    /// The same where nothing is written.
    pub(super) fn now_for(&mut self, dialect: Dialect, options: &Options) -> String {
        self.0.push(now_param(dialect, options));
        dialect.now(self.0.len())
    }

    pub(super) fn values(&self) -> &[Value<'b>] {
        &self.0
    }
}
