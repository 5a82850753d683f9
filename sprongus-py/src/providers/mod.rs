//! `Providers`.

mod bridge;

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sprongus::aux_store::providers::{Factory, Provider};
use sprongus::aux_store::{ProfileName, PutProfile};

use crate::args::Text;
use crate::ground::Ground;
use crate::{json_in, json_out, pages};

pub(crate) use bridge::PyProvider;

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

    /// Makes providers of a kind known to this store, until it is closed: profiles of that kind are then served by what
    /// `factory(config)` returns, an object with `pull`, `push` or both.
    ///
    /// `pull(project, table)` gives every document the source has, by an iterable, each with its `id` (and `lastUpdated` where
    /// the source knows it); a generator is drawn from as they are needed. `push(project, table, changes)` takes `created` and
    /// `updated` documents and `deleted` ids. `read` and `write` say which of them are meant to be used; without them, those
    /// that are there. No transaction of ours is open while they work. What they raise is the failure of the sync's run, which
    /// is tried again unless it is `Fatal` or an error of this library's that is not `retryable`.
    ///
    /// >>> class Shelf:
    /// ...     def __init__(self, config):
    /// ...         self.title = config["title"]
    /// ...     def pull(self, project, table):
    /// ...         yield {"id": "a", "title": self.title}
    /// >>> store.providers.register("shelf", Shelf)
    /// >>> store.providers.put("mine", "shelf", {"title": "Coburg"})
    /// >>> run = store.aux("p13", "assets").sync("mine")
    /// >>> store.aux("p13", "assets").get("a").payload
    /// {'title': 'Coburg'}
    fn register(&self, py: Python<'_>, kind: Text, factory: &Bound<'_, PyAny>) -> PyResult<()> {
        if !factory.is_callable() {
            return Err(PyTypeError::new_err("a factory is a function or class that takes a config"));
        }
        let factory = factory.clone().unbind();
        let factory: Arc<Factory> =
            Arc::new(move |config| PyProvider::made(&factory, config).map(|made| Box::new(made) as Box<dyn Provider>));
        self.ground.providers(py, |providers| providers.register(&kind.0, factory))
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
