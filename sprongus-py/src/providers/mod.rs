//! `Providers`.

use pyo3::prelude::*;
use sprongus::aux_store::{ProfileName, PutProfile};

use crate::args::Text;
use crate::ground::Ground;
use crate::{json_in, json_out, pages};

/// What tables can be synced with: profiles kept in the database, and the kinds that this store knows. Reading takes the scope
/// `aux:read`, writing `admin`.
///
/// >>> store.providers.put("studio", "csv", {"path": "assets.csv"})
/// >>> store.providers.get("studio")["kind"]
/// 'csv'
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Providers {
    ground: Ground,
}

impl Providers {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Providers {
    /// Keeps a profile, in the place of the one of that name: `sync("name")` uses it from then on.
    ///
    /// kind: "csv", "json", "notion", or one that is registered. config: what its provider needs; secrets only as
    /// `{"$secret": name}`, resolved when a sync begins and never stored. Raises `SecretDetectedError` for others.
    #[pyo3(signature = (name, kind, config))]
    fn put(&self, py: Python<'_>, name: Text, kind: Text, config: &Bound<'_, PyAny>) -> PyResult<()> {
        let config = json_in::object(config, "config")?;
        let put = PutProfile { name: name.0, kind: kind.0, config };
        self.ground.providers(py, |providers| providers.put(&put)).map(drop)
    }

    /// A profile: `name`, `kind`, `config`, `updatedAt`; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, name: Text) -> PyResult<Bound<'py, PyAny>> {
        let name = ProfileName { name: name.0 };
        let profile = self.ground.providers(py, |providers| providers.get(&name))?;
        json_out::serialized(py, &profile)
    }

    /// All profiles, by name.
    fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let profiles = self.ground.providers(py, |providers| providers.list())?;
        pages::dicts(py, &profiles)
    }

    /// Removes a profile; `NotFoundError` where there is none.
    fn delete(&self, py: Python<'_>, name: Text) -> PyResult<()> {
        let name = ProfileName { name: name.0 };
        self.ground.providers(py, |providers| providers.delete(&name))
    }
}
