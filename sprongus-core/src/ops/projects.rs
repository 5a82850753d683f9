//! Operations on projects.

use super::Operation;
use crate::projects::{CreateProject, DeleteProject, InstallProject, ListProjects, ProjectId, Projects, UpdateProject};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "projects.create",
            Scope::Admin,
            "Keeps a record of a project.",
            |on, request: CreateProject| Projects::new(on).create(&request),
        ),
        Operation::new("projects.get", Scope::AuxRead, "One project.", |on, request: ProjectId| {
            Projects::new(on).get(&request)
        }),
        Operation::new("projects.update", Scope::Admin, "Changes a project's record.", |on, request: UpdateProject| {
            Projects::new(on).update(&request)
        }),
        Operation::new(
            "projects.list",
            Scope::AuxRead,
            "Projects, those last changed first.",
            |on, request: ListProjects| Projects::new(on).list(&request),
        ),
        Operation::new(
            "projects.install",
            Scope::Admin,
            "Binds the tables of the workspace data model; those that it bound.",
            |on, request: InstallProject| Projects::new(on).install(&request),
        ),
        Operation::new(
            "projects.delete",
            Scope::Admin,
            "Deletes a project that owns nothing, or with everything it owns.",
            |on, request: DeleteProject| Projects::new(on).delete(&request),
        ),
    ]
}
