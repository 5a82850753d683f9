//! Projects: records of what runs, entries and all else belong to (DESIGN.md §9a).

mod model;
mod requests;

pub use model::{ACTIVE, Project};
pub use requests::{CreateProject, DeleteProject, InstallProject, Installed, ListProjects, ProjectId, UpdateProject};

use crate::error::{Error, ErrorCode, Result};
use crate::page::Page;
use crate::session::Session;

/// The projects of a store, or of an open transaction; from [`Store::projects`](crate::Store::projects) or
/// [`Tx::projects`](crate::Tx::projects).
#[derive(Clone, Copy)]
pub struct Projects<'s> {
    session: Session<'s>,
}

impl<'s> Projects<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Keeps a record of a project.
    pub fn create(&self, _project: &CreateProject) -> Result<Project> {
        self.soon()
    }

    /// One project.
    pub fn get(&self, _of: &ProjectId) -> Result<Project> {
        self.soon()
    }

    /// Changes a project's record.
    pub fn update(&self, _change: &UpdateProject) -> Result<Project> {
        self.soon()
    }

    /// Projects, those last changed first.
    pub fn list(&self, _which: &ListProjects) -> Result<Page<Project>> {
        self.soon()
    }

    /// Binds the tables of the workspace data model.
    pub fn install(&self, _at: &InstallProject) -> Result<Installed> {
        self.soon()
    }

    /// Deletes a project.
    pub fn delete(&self, _which: &DeleteProject) -> Result<()> {
        self.soon()
    }

    fn soon<T>(&self) -> Result<T> {
        self.session.core().check()?;
        Err(Error::new(ErrorCode::Unsupported, "projects are not there yet"))
    }
}
