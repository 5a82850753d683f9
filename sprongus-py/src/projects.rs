//! `Projects`.

use pyo3::prelude::*;
use sprongus::projects::{CreateProject, DeleteProject, InstallProject, ListProjects, ProjectId, UpdateProject};

use crate::args::{Text, Whole, text};
use crate::ground::Ground;
use crate::pages;
use crate::records::Project;

/// Projects on record. Runs, entries and artifacts may name a project that has none; a record gives it a name, an owner, a
/// place in lists, and an end. Writing takes the scope `admin`.
///
/// >>> project = store.projects.create("Harbour archive", id="harbour", owner="ada")
/// >>> project.slug, project.status
/// ('harbour-archive', 'active')
/// >>> "project_files" in store.projects.install("harbour")
/// True
/// >>> store.projects.delete("harbour", cascade=True)
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Projects {
    ground: Ground,
}

impl Projects {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Projects {
    /// Keeps a record of a project.
    ///
    /// id: a new one where none is given. slug: its name in addresses and paths, unique in the store; made from the name where
    /// none is given. Raises `ConflictError` where the id or the slug is taken.
    #[pyo3(signature = (name, *, id = None, slug = None, owner = None))]
    fn create<'py>(
        &self,
        py: Python<'py>,
        name: Text,
        id: Option<Text>,
        slug: Option<Text>,
        owner: Option<Text>,
    ) -> PyResult<Bound<'py, Project>> {
        let new = CreateProject { name: name.0, id: text(id), slug: text(slug), owner: text(owner) };
        Project::make(py, self.ground.projects(py, |projects| projects.create(&new))?)
    }

    /// The project of that id; `NotFoundError` where it has no record.
    fn get<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Project>> {
        let id = ProjectId { id: id.0 };
        Project::make(py, self.ground.projects(py, |projects| projects.get(&id))?)
    }

    /// Changes what is given of a project's record; an empty `owner` takes the owner away.
    ///
    /// status: "active", or what you call it.
    ///
    /// >>> project = store.projects.create("Old town")
    /// >>> store.projects.update(project.id, status="archived").status
    /// 'archived'
    #[pyo3(signature = (id, *, name = None, slug = None, owner = None, status = None))]
    fn update<'py>(
        &self,
        py: Python<'py>,
        id: Text,
        name: Option<Text>,
        slug: Option<Text>,
        owner: Option<Text>,
        status: Option<Text>,
    ) -> PyResult<Bound<'py, Project>> {
        let change =
            UpdateProject { id: id.0, name: text(name), slug: text(slug), owner: text(owner), status: text(status) };
        Project::make(py, self.ground.projects(py, |projects| projects.update(&change))?)
    }

    /// A page of projects, those last changed first.
    #[pyo3(
        signature = (*, owner = None, limit = Whole(50), cursor = None),
        text_signature = "($self, *, owner=None, limit=50, cursor=None)"
    )]
    fn list<'py>(
        &self,
        py: Python<'py>,
        owner: Option<Text>,
        limit: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let which = ListProjects { owner: text(owner), limit: limit.0, cursor: text(cursor) };
        pages::page(py, self.ground.projects(py, |projects| projects.list(&which))?, Project::make)
    }

    /// Binds the tables of the workspace data model (project_files, file_chunks, chat_threads, …) to the built-in presets of
    /// their names; the names of those that it bound.
    ///
    /// A table that has a preset already is left alone, so a second call gives []. Without a project: for all projects.
    #[pyo3(signature = (project = None))]
    fn install(&self, py: Python<'_>, project: Option<Text>) -> PyResult<Vec<String>> {
        let at = InstallProject { project: text(project) };
        Ok(self.ground.projects(py, |projects| projects.install(&at))?.tables)
    }

    /// Deletes a project's record where nothing belongs to the project any more.
    ///
    /// cascade: the record and everything that belongs to it, in one transaction; whether there is a record does not matter.
    /// Raises `ReferencedError`, what is there as its `referrers`; `NotFoundError` where there is nothing.
    #[pyo3(signature = (id, *, cascade = false))]
    fn delete(&self, py: Python<'_>, id: Text, cascade: bool) -> PyResult<()> {
        let which = DeleteProject { id: id.0, cascade };
        self.ground.projects(py, |projects| projects.delete(&which))
    }
}
