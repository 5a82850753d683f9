//! A host's DB-API connection as an `Executor`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use sprongus::db::{postgres_error, sqlite_error};
use sprongus::{Dialect, Error, ErrorCode, Executor, Result, Row, Value};

use super::statement::{self, Statement};
use super::{from_row, to_driver};
use crate::error::caught;

/// The host's connection, as `sprongus._hosts` adapted it. The GIL is held while it is called.
pub(super) struct Host {
    host: Py<PyAny>,
    dialect: Dialect,
}

/// What a statement gave: column names and type codes, rows, rows changed.
type Answer<'py> = (Vec<String>, Vec<Option<u32>>, Bound<'py, PyList>, i64);

impl Host {
    pub(super) fn new(host: &Bound<'_, PyAny>) -> PyResult<Self> {
        let dialect: String = host.getattr("dialect")?.extract()?;
        let dialect = if dialect == "sqlite" { Dialect::Sqlite } else { Dialect::Postgres };
        Ok(Self { host: host.clone().unbind(), dialect })
    }

    fn run<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        take: impl FnOnce(Python<'_>, Answer<'_>) -> Result<T>,
    ) -> Result<T> {
        let statement = statement::read(sql, self.dialect)?;
        statement.takes(params.len())?;
        Python::attach(|py| {
            self.check_open(py)?;
            let answer = self.answer(py, &statement, params).map_err(|raised| self.failed(py, raised))?;
            take(py, answer)
        })
    }

    fn answer<'py>(&self, py: Python<'py>, statement: &Statement, params: &[Value<'_>]) -> PyResult<Answer<'py>> {
        let named = PyDict::new(py);
        for (index, value) in params.iter().enumerate() {
            let object = match self.dialect {
                Dialect::Sqlite => to_driver::sqlite(py, value)?,
                Dialect::Postgres => to_driver::postgres(py, value)?,
            };
            named.set_item(statement::name(self.dialect, index + 1), object)?;
        }
        self.host.bind(py).call_method1(intern!(py, "run"), (&statement.sql, named))?.extract()
    }

    /// Outside a transaction a savepoint of ours would begin one, and end it, behind the host's back.
    fn check_open(&self, py: Python<'_>) -> Result<()> {
        let open = self.host.bind(py).call_method0(intern!(py, "is_open")).and_then(|open| open.extract());
        match open {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::misuse(
                "no transaction is open on the connection: begin one before it is attached, and use what attach() returned \
                 within it",
            )),
            Err(raised) => Err(self.failed(py, raised)),
        }
    }

    fn failed(&self, py: Python<'_>, raised: PyErr) -> Error {
        let told = self.host.bind(py).call_method1(intern!(py, "failure"), (raised.value(py),));
        let told = told.and_then(|told| told.extract::<(Bound<'_, PyAny>, String, bool)>());
        let Ok((code, message, misused)) = told else {
            return caught(py, ErrorCode::Storage, "the connection failed", raised);
        };
        let error = match self.dialect {
            Dialect::Sqlite => code.extract().ok().map(|code: i32| sqlite_error(code, &message)),
            Dialect::Postgres => code.extract().ok().map(|state: String| postgres_error(Some(&state), &message)),
        };
        let other = if misused { ErrorCode::Misuse } else { ErrorCode::Unavailable };
        error.unwrap_or_else(|| Error::new(other, message)).with_source(raised)
    }
}

impl Executor for Host {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.run(sql, params, |_, (_, _, _, changed)| Ok(u64::try_from(changed).unwrap_or(0)))
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        let dialect = self.dialect;
        self.run(sql, params, |py, (names, types, rows, _)| {
            let names: std::sync::Arc<[String]> = names.into();
            let row = |row: Bound<'_, PyAny>| {
                let row = row.cast_into::<PyTuple>().map_err(PyErr::from)?;
                let values = row.iter().zip(&types).map(|(value, code)| from_row::value(&value, *code, dialect));
                Ok(Row::new(names.clone(), values.collect::<PyResult<_>>()?))
            };
            let rows: PyResult<Vec<Row>> = rows.iter().map(row).collect();
            rows.map_err(|raised| caught(py, ErrorCode::Storage, "a row could not be read", raised))
        })
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        for one in statement::split(sql, self.dialect) {
            self.execute(one, &[])?;
        }
        Ok(())
    }
}
