//! A provider written in Python, as the library sees it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use serde_json::{Map, Value, json};
use sprongus::aux_store::providers::{Capabilities, Changes, Provider, Pulled, bad_document};

use sprongus::{ErrorCode, Result};

use crate::desk::Desk;
use crate::{json_in, json_out};

/// An object of the host's with `pull`, `push` or both.
pub(crate) struct PyProvider {
    desk: Desk,
    object: Py<PyAny>,
    able: Capabilities,
}

impl PyProvider {
    /// Of an object that is at hand.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let able = helper(object.py(), "able")?.call1((object,))?;
        Self::taken(Desk::Here, &able)
    }

    /// What a function of the host's makes of that config, in which secrets are resolved.
    pub(crate) fn made(factory: &Py<PyAny>, config: &Map<String, Value>) -> Result<Self> {
        let desk = Desk::open()?;
        let config = Value::Object(config.clone());
        let (object, able) = desk.call(
            |py| Ok((helper(py, "made")?, (factory, json_out::value(py, &config)?).into_pyobject(py)?)),
            |able| Self::taken(Desk::Here, able).map(|made| (made.object, made.able)),
        )?;
        Ok(Self { desk, object, able })
    }

    fn taken(desk: Desk, able: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (object, read, write) = able.extract()?;
        Ok(Self { desk, object, able: Capabilities { read, write } })
    }
}

impl Provider for PyProvider {
    fn capabilities(&self) -> Capabilities {
        self.able
    }

    fn pull(&mut self, project: &str, table: &str) -> Result<Pulled<'_>> {
        let rows = self.desk.call(
            |py| Ok((helper(py, "Pull")?, (&self.object, project, table).into_pyobject(py)?)),
            |rows| Ok(rows.clone().unbind()),
        )?;
        Ok(Box::new(Rows { desk: &self.desk, rows, drawn: Vec::new().into_iter(), given: 0, ended: false }))
    }

    fn push(&mut self, project: &str, table: &str, changes: &Changes) -> Result<()> {
        let Changes { created, updated, deleted } = changes;
        let changes = json!({ "created": created, "updated": updated, "deleted": deleted });
        self.desk.call(
            |py| {
                let arguments = (project, table, json_out::value(py, &changes)?).into_pyobject(py)?;
                Ok((self.object.bind(py).getattr(intern!(py, "push"))?, arguments))
            },
            |_| Ok(()),
        )
    }
}

/// The documents that a `pull` gives, drawn many at a time.
struct Rows<'p> {
    desk: &'p Desk,
    /// A `Pull` of `sprongus._providers`.
    rows: Py<PyAny>,
    drawn: std::vec::IntoIter<Result<Value>>,
    /// How many were given.
    given: u64,
    ended: bool,
}

impl Rows<'_> {
    fn draw(&mut self) -> Result<()> {
        let drawn: Vec<_> = self.desk.call(
            |py| Ok((self.rows.bind(py).getattr(intern!(py, "batch"))?, ().into_pyobject(py)?)),
            |rows| rows.try_iter()?.map(|row| Ok(json_in::try_value(&row?))).collect(),
        )?;
        self.ended = drawn.is_empty();
        self.drawn = drawn.into_iter();
        Ok(())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Value>;

    fn next(&mut self) -> Option<Result<Value>> {
        if self.drawn.len() == 0 && !self.ended {
            let drawn = self.draw();
            self.ended |= drawn.is_err();
            if let Err(error) = drawn {
                return Some(Err(error));
            }
        }
        let next = self.drawn.next()?;
        self.given += 1;
        Some(next.map_err(|error| match error.code() {
            ErrorCode::Validation | ErrorCode::TooLarge => bad_document(self.given, &error),
            _ => error,
        }))
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // A generator's `finally` runs where its other code ran; what it raises matters to nobody any more.
            let _ = self
                .desk
                .call(|py| Ok((self.rows.bind(py).getattr(intern!(py, "close"))?, ().into_pyobject(py)?)), |_| Ok(()));
        }
    }
}

/// A function or class of `sprongus._providers`.
fn helper<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || py.import("sprongus._providers").map(Bound::unbind))?.bind(py).getattr(name)
}
