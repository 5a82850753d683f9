//! Operations on artifacts.

use super::Operation;
use crate::artifacts::{ArtifactId, ArtifactKey, ArtifactVersions, Artifacts, ExportZip, ListArtifacts, PutArtifact};
use crate::aux_store::Counted;
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "artifacts.put",
            Scope::RunsWrite,
            "Keeps a content as the next version of its kind and key.",
            |on, request: PutArtifact| Artifacts::new(on).put(&request),
        ),
        Operation::new("artifacts.get", Scope::RunsRead, "One artifact.", |on, request: ArtifactId| {
            Artifacts::new(on).get(&request)
        }),
        Operation::new(
            "artifacts.latest",
            Scope::RunsRead,
            "The newest version of a kind and key.",
            |on, request: ArtifactKey| Artifacts::new(on).latest(&request),
        ),
        Operation::new(
            "artifacts.versions",
            Scope::RunsRead,
            "All versions of a kind and key, newest first.",
            |on, request: ArtifactVersions| Artifacts::new(on).versions(&request),
        ),
        Operation::new(
            "artifacts.list",
            Scope::RunsRead,
            "The latest of each kind and key, in that order.",
            |on, request: ListArtifacts| Artifacts::new(on).list(&request),
        ),
        Operation::new(
            "artifacts.export_zip",
            Scope::RunsRead,
            "Writes the latest of each kind and key into a zip file; how many there are.",
            |on, request: ExportZip| {
                let count = Artifacts::new(on).export_zip(&request.path, request.project.as_deref())?;
                Ok(Counted { count })
            },
        ),
    ]
}
