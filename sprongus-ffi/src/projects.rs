//! What is done with projects.

use std::ffi::{c_char, c_void};

use sprongus::Result;
use sprongus::page::DEFAULT_LIMIT;
use sprongus::projects::{
    CreateProject, DeleteProject, InstallProject, ListProjects, Project, ProjectId, Projects, UpdateProject,
};

use crate::args::{self, Out};
use crate::buf::sprongus_buf;
use crate::error::sprongus_error;
use crate::flags::{self, SPRONGUS_CASCADE};
use crate::project::{sprongus_project, sprongus_project_list};
use crate::record::{List, Record, give_json};
use crate::{door, target};

fn one(
    store_or_tx: *const c_void,
    out: Out<*mut sprongus_project>,
    ask: impl FnOnce(Projects<'_>) -> Result<Project>,
) -> Result<()> {
    out.give(Record::from(target::on(store_or_tx, |on| ask(on.projects()))?))
}

/// Keeps a record of a project. Runs, entries and artifacts may name a project that has none; a record gives it a name, an
/// owner, a place in lists, and an end.
///
/// `id` may be NULL (a new one), and so may `slug` (made from the name), `owner` and `project`. Errors: `conflict` (the id or
/// the slug is taken), `invalid_argument`, `permission_denied` (a scoped handle without "admin").
///
/// ```c
/// sprongus_project *project = NULL;
/// if (sprongus_projects_create(store, "Harbour archive", "p1", NULL, "ada", &project, &error) == SPRONGUS_OK)
///     puts(sprongus_project_slug(project));
/// sprongus_project_free(project);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_projects_create(
    store_or_tx: *const c_void,
    name: *const c_char,
    id: *const c_char,
    slug: *const c_char,
    owner: *const c_char,
    project: *mut *mut sprongus_project,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(project);
            let request = CreateProject {
                name: args::text("name", name)?.to_owned(),
                id: args::owned_opt("id", id)?,
                slug: args::owned_opt("slug", slug)?,
                owner: args::owned_opt("owner", owner)?,
            };
            (out, request)
        };
        one(store_or_tx, out, |projects| projects.create(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// One project. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_projects_get(
    store_or_tx: *const c_void,
    id: *const c_char,
    project: *mut *mut sprongus_project,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("project", project)?, args::text("id", id)?) };
        one(store_or_tx, out, |projects| projects.get(&ProjectId::new(id)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Changes what is given of a project's record; NULL leaves it as it is, an empty `owner` takes the owner away.
///
/// `project` may be NULL. Errors: as sprongus_projects_create, and `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_projects_update(
    store_or_tx: *const c_void,
    id: *const c_char,
    name: *const c_char,
    slug: *const c_char,
    owner: *const c_char,
    status: *const c_char,
    project: *mut *mut sprongus_project,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(project);
            let request = UpdateProject {
                id: args::text("id", id)?.to_owned(),
                name: args::owned_opt("name", name)?,
                slug: args::owned_opt("slug", slug)?,
                owner: args::owned_opt("owner", owner)?,
                status: args::owned_opt("status", status)?,
            };
            (out, request)
        };
        one(store_or_tx, out, |projects| projects.update(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A page of projects, those last changed first; of one `owner` alone where it is not NULL. `limit` is how many (up to 1,000;
/// 0: 50), `cursor` NULL or the list's before. A scoped handle sees its own. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_projects_list(
    store_or_tx: *const c_void,
    owner: *const c_char,
    limit: i64,
    cursor: *const c_char,
    projects: *mut *mut sprongus_project_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("projects", projects)?;
            let request = ListProjects {
                owner: args::owned_opt("owner", owner)?,
                limit: args::limit(limit, DEFAULT_LIMIT),
                cursor: args::owned_opt("cursor", cursor)?,
            };
            (out, request)
        };
        out.give(List::page(&target::on(store_or_tx, |on| on.projects().list(&request))?)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Binds the tables of the workspace data model (project_files, file_chunks, chat_threads, …) to the built-in presets of their
/// names; a table that has a preset already is left alone.
///
/// `project` may be NULL: a scoped handle's own, else all projects. `tables`, which may be NULL, is a JSON array of the names
/// of those that this call bound. Errors: `invalid_argument`, `permission_denied`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_projects_install(
    store_or_tx: *const c_void,
    project: *const c_char,
    tables: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, project) = unsafe { (args::place_opt(tables), args::owned_opt("project", project)?) };
        let installed = target::on(store_or_tx, |on| on.projects().install(&InstallProject { project }))?;
        give_json(out, &installed.tables)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Deletes a project's record where nothing belongs to the project any more; with SPRONGUS_CASCADE in `flags`, the record and
/// everything that belongs to it, in one transaction, whether there is a record or not.
///
/// Errors: `referenced` (without SPRONGUS_CASCADE; what is there under `referrers` of the details), `not_found` (there is
/// nothing), `permission_denied`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_projects_delete(
    store_or_tx: *const c_void,
    id: *const c_char,
    flags: u32,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text.
        let id = unsafe { args::text("id", id) }?.to_owned();
        let cascade = flags::check(flags, SPRONGUS_CASCADE)? != 0;
        target::on(store_or_tx, |on| on.projects().delete(&DeleteProject { id, cascade }))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
