//! Projects: records of what runs, entries and all else belong to (DESIGN.md §9a).
//!
//! Nothing needs the record (docs/decisions/0004-no-foreign-key-on-projects.md): a project is whatever carries its id.

mod change;
mod create;
mod delete;
mod model;
mod owned;
mod read;
mod requests;
mod rows;
mod slug;

pub use model::{ACTIVE, Project};
pub use requests::{CreateProject, DeleteProject, InstallProject, Installed, ListProjects, ProjectId, UpdateProject};

use crate::error::Result;
use crate::page::Page;
use crate::presets;
use crate::scope::Scope;
use crate::session::Session;

/// The projects of a store, or of an open transaction; from [`Store::projects`](crate::Store::projects) or
/// [`Tx::projects`](crate::Tx::projects).
///
/// A scoped handle reads its own project's record with `aux:read`; all else needs `admin`.
///
/// ```
/// use sprongus::projects::{CreateProject, InstallProject, ProjectId};
/// use sprongus::{Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let project = store.projects().create(&CreateProject::new("Spring Catalogue"))?;
/// assert_eq!((project.slug.as_str(), project.status.as_str()), ("spring-catalogue", "active"));
/// let installed = store.projects().install(&InstallProject { project: Some(project.id.clone()) })?;
/// assert!(installed.tables.contains(&"chat_messages".to_owned()));
/// assert_eq!(store.projects().get(&ProjectId::new(&project.id))?, project);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Projects<'s> {
    session: Session<'s>,
}

impl<'s> Projects<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Keeps a record of a project, `active` from the start; with `project.created` as its event.
    ///
    /// Where no slug is given it is made from the name, with a number behind it (`-2`, `-3`, …) where it is taken. What was
    /// stored under the id before is the project's.
    ///
    /// # Errors
    /// `invalid_argument` (name, id, slug, owner), `conflict` (there is a project of that id, or of the slug that was given),
    /// `permission_denied`.
    pub fn create(&self, project: &CreateProject) -> Result<Project> {
        self.do_create(project)
    }

    /// One project's record.
    ///
    /// # Errors
    /// `not_found`, of another project to a scoped handle too; `permission_denied`.
    pub fn get(&self, of: &ProjectId) -> Result<Project> {
        self.do_get(&of.id)
    }

    /// Changes a project's record, with `project.updated` as its event; nothing where it is so already.
    ///
    /// # Errors
    /// `not_found`, `invalid_argument` (name, slug, owner, status), `conflict` (the slug is taken), `permission_denied`.
    pub fn update(&self, change: &UpdateProject) -> Result<Project> {
        self.do_update(change)
    }

    /// Projects that have a record, those last changed first; a scoped handle's own alone.
    ///
    /// # Errors
    /// `invalid_argument` (limit, cursor, owner), `permission_denied`.
    pub fn list(&self, which: &ListProjects) -> Result<Page<Project>> {
        self.do_list(which)
    }

    /// Binds the tables of the workspace data model, in one project or for all, each to the built-in preset of its name; the
    /// tables that it bound. All of them or none; with `preset.bound` of each as its event.
    ///
    /// A table that has a preset there, be it the built-in or the host's own, in that project or for all, is left alone and
    /// not in the answer: so a second call binds nothing.
    ///
    /// # Errors
    /// `invalid_argument` (the project), `permission_denied`.
    pub fn install(&self, at: &InstallProject) -> Result<Installed> {
        self.session.allow(Scope::Admin)?;
        let project = self.session.project(at.project.as_deref())?.unwrap_or_default();
        let tables = self.session.write(|work| presets::install(work, project))?;
        Ok(Installed { tables })
    }

    /// Deletes a project that owns nothing, or with `cascade` everything it owns, in one transaction: runs in whatever state
    /// with their steps, approvals and outputs, entries with their past, artifacts, schedules, messages, settings, bindings,
    /// and its events. What remains is one event of the store, `project.deleted`, with the counts.
    ///
    /// Whether there is a record does not matter, as long as anything carries the id. A worker that has one of the runs is
    /// told as of a cancel; whatever it reports is `not_found`. What others write under the id while it is deleted is the
    /// beginning of its next use, and stays whole.
    ///
    /// # Errors
    /// `referenced` where it owns anything and `cascade` is not set: what, and how many, under `referrers` of the details;
    /// `not_found` where there is neither record nor anything else; `permission_denied`.
    pub fn delete(&self, which: &DeleteProject) -> Result<()> {
        self.do_delete(which)
    }
}
