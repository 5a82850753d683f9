//! `Config`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sprongus::config::{GetConfig, ListConfig, SetConfig, UnsetConfig};

use crate::args::{Text, text};
use crate::ground::Ground;
use crate::{json_in, json_out};

/// Small settings, of the store or of a project. Keys are of `a-z 0-9 . _ : -`. A scoped handle without a project named has its
/// own project's.
///
/// >>> store.config.set("theme", {"dark": True}, project="p1")
/// >>> store.config.get("theme", project="p1")
/// {'dark': True}
/// >>> store.config.get("theme", "none", project="p2")
/// 'none'
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Config {
    ground: Ground,
}

impl Config {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Config {
    /// The value of a setting; `default` where it is not set.
    #[pyo3(signature = (key, default = None, *, project = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: Text,
        default: Option<Bound<'py, PyAny>>,
        project: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = GetConfig { key: key.0, project: text(project) };
        let setting = self.ground.config(py, |config| config.get(&of))?;
        if setting.found {
            return json_out::document(py, &setting.value);
        }
        Ok(default.unwrap_or_else(|| py.None().into_bound(py)))
    }

    /// Sets a setting to any JSON value, None included.
    #[pyo3(signature = (key, value, *, project = None))]
    fn set(&self, py: Python<'_>, key: Text, value: &Bound<'_, PyAny>, project: Option<Text>) -> PyResult<()> {
        let setting = SetConfig { key: key.0, value: json_in::document(value)?, project: text(project) };
        self.ground.config(py, |config| config.set(&setting))
    }

    /// Removes a setting; nothing where it is not set.
    #[pyo3(signature = (key, *, project = None))]
    fn unset(&self, py: Python<'_>, key: Text, project: Option<Text>) -> PyResult<()> {
        let which = UnsetConfig { key: key.0, project: text(project) };
        self.ground.config(py, |config| config.unset(&which))
    }

    /// The settings whose keys begin with `prefix`, by key.
    #[pyo3(signature = (*, prefix = None, project = None), text_signature = "($self, *, prefix='', project=None)")]
    fn list<'py>(&self, py: Python<'py>, prefix: Option<Text>, project: Option<Text>) -> PyResult<Bound<'py, PyDict>> {
        let which = ListConfig { prefix: text(prefix).unwrap_or_default(), project: text(project) };
        let found = self.ground.config(py, |config| config.list(&which))?;
        let settings = PyDict::new(py);
        found.iter().try_for_each(|(key, value)| settings.set_item(key, json_out::document(py, value)?))?;
        Ok(settings)
    }
}
