//! Iterables of the host's, drawn from inside a call, and progress told to it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyIterator};
use serde_json::Value;
use sprongus::tables::Cells;
use sprongus::{Error, ErrorCode, Result, Violation};

use crate::error::passed;
use crate::{cells, json_in};

/// The documents or rows of an iterable, each converted as it is drawn.
pub(crate) struct Items<T = Value> {
    iterator: Py<PyIterator>,
    take: fn(&Bound<'_, PyAny>) -> Result<T>,
    /// How many there are, where that is known.
    left: Option<usize>,
}

impl Items {
    /// Of any iterable; a DataFrame or an Arrow table gives its rows.
    pub(crate) fn of(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::drawn(source, false, json_in::try_value)
    }
}

impl Items<Cells> {
    /// As [`Items::of`], for a custom table.
    pub(crate) fn rows(source: &Bound<'_, PyAny>) -> PyResult<impl Iterator<Item = Result<Cells>> + Send> {
        Ok(Sound { rows: Self::drawn(source, true, cells::row)?, number: 0, faults: Vec::new() })
    }
}

/// The most faults that are told of, as the library itself does.
const MOST_FAULTS: usize = 1_000;

/// Rows as they are drawn. One with a value that no column takes is passed over; behind the last row all that is wrong is told.
struct Sound<I> {
    rows: I,
    number: u64,
    faults: Vec<Violation>,
}

impl<I: Iterator<Item = Result<Cells>>> Iterator for Sound<I> {
    type Item = Result<Cells>;

    fn next(&mut self) -> Option<Result<Cells>> {
        while self.faults.len() < MOST_FAULTS
            && let Some(row) = self.rows.next()
        {
            self.number += 1;
            match row {
                Err(error) if error.code() == ErrorCode::Validation => {
                    let of_row = |one| Violation { row: Some(self.number), ..one };
                    self.faults.extend(error.violations_list().into_iter().map(of_row));
                }
                Ok(_) if !self.faults.is_empty() => {}
                row => return Some(row),
            }
        }
        let faults = std::mem::take(&mut self.faults);
        if faults.is_empty() { None } else { Some(Err(Error::validation(faults))) }
    }
}

impl<T> Items<T> {
    /// metadata: a frame's columns `$version` and `lastUpdated` are columns like any other.
    fn drawn(source: &Bound<'_, PyAny>, metadata: bool, take: fn(&Bound<'_, PyAny>) -> Result<T>) -> PyResult<Self> {
        static ROWS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let named = [("metadata", metadata)].into_py_dict(source.py())?;
        let rows = ROWS.import(source.py(), "sprongus._items", "rows")?.call((source,), Some(&named))?;
        let left = rows.len().ok();
        Ok(Self { iterator: rows.try_iter()?.unbind(), take, left })
    }
}

impl<T> Iterator for Items<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        self.left = self.left.map(|left| left.saturating_sub(1));
        Python::attach(|py| {
            let drawn = py.check_signals().and_then(|()| self.iterator.bind(py).clone().next().transpose());
            Some(drawn.map_err(passed).transpose()?.and_then(|item| (self.take)(&item)))
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.map_or((0, None), |left| (left, Some(left)))
    }
}

/// Who is told how far a call has come: nobody, a bar, or a function of the host's.
pub(crate) struct Progress(Option<Py<PyAny>>);

impl Progress {
    /// Runs `work` with what `progress=` asks for; a bar is closed after it.
    pub(crate) fn shown<T>(
        py: Python<'_>,
        given: Option<&Bound<'_, PyAny>>,
        unit: &str,
        work: impl FnOnce(&Self) -> PyResult<T>,
    ) -> PyResult<T> {
        static BAR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let Some(given) = given else { return work(&Self(None)) };
        if given.is_callable() {
            return work(&Self(Some(given.clone().unbind())));
        }
        if !given.is_truthy()? {
            return work(&Self(None));
        }
        let bar = BAR.import(py, "sprongus._progress", "bar")?.call1((unit,))?;
        let done = work(&Self(Some(bar.clone().unbind())));
        bar.call_method0("close")?;
        done
    }

    /// Tells it; what the host's function raises ends the call, and so does Ctrl-C, whoever is told.
    pub(crate) fn tell(&self, done: u64, total: Option<u64>) -> Result<()> {
        let told = |py: Python<'_>| {
            py.check_signals()?;
            self.0.as_ref().map_or(Ok(()), |told| told.call1(py, (done, total)).map(drop))
        };
        Python::attach(told).map_err(passed)
    }
}
