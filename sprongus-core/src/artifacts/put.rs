//! Keeping a content as the next version of its kind and key.

use super::Artifacts;
use super::content::Content;
use super::model::{Artifact, PutArtifact};
use super::rows::{self, LATEST, Place};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{check_id, new_id};
use crate::json::Json;
use crate::runs::{self, Run};
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

/// A request that was judged: no statement of it waits for a hash.
pub(crate) struct Prepared<'p> {
    put: &'p PutArtifact,
    project: Option<&'p str>,
    run: Option<&'p str>,
    content: Content<'p>,
    metadata: Json,
}

impl<'p> Prepared<'p> {
    /// The same, made by that run; in its project, unless another is named.
    pub(crate) fn made_by(self, run: &'p Run) -> Self {
        Self { run: Some(&run.id), project: self.project.or(run.project_id.as_deref()), ..self }
    }
}

impl Artifacts<'_> {
    /// Judges a request, before anything is locked.
    pub(crate) fn prepare<'p>(&self, put: &'p PutArtifact) -> Result<Prepared<'p>> {
        self.session.allow(Scope::RunsWrite)?;
        self.session.may_write()?;
        check_name("kind", &put.kind)?;
        check_name("key", &put.key)?;
        self.session.project(put.project.as_deref())?;
        put.run.as_deref().map_or(Ok(()), |run| check_id("run", run))?;
        let metadata = metadata(put.metadata.as_ref(), self.session.options().max_payload_bytes)?;
        self.session.options().refuse_secrets(&metadata)?;
        let content = Content::of(put, self.session.options().max_artifact_bytes)?;
        Ok(Prepared { put, project: put.project.as_deref(), run: put.run.as_deref(), content, metadata })
    }

    /// Keeps what was judged. A version that a rival took is looked for again; the id stays the same, so that a version whose
    /// commit was not answered is found by it and not written twice.
    pub(crate) fn put_prepared(&self, prepared: &Prepared<'_>) -> Result<Artifact> {
        let project = self.project_of(prepared)?;
        let new = New { id: new_id(), project, prepared };
        let mut lost = None;
        loop {
            if let Some(same) = self.unchanged(&new)? {
                return Ok(same);
            }
            match self.session.write_one(|work| new.insert(work)) {
                Ok(Some((version, at))) => return Ok(new.artifact(version, at)),
                Ok(None) => {}
                Err(error) if error.code() == ErrorCode::OutcomeUnknown && lost.is_none() => lost = Some(error),
                Err(error) => return Err(lost.unwrap_or(error)),
            }
            if let Some(found) = self.session.read(|exec| rows::find(exec, &new.id))? {
                return Ok(found);
            }
        }
    }

    /// The project of the artifact: the one named, the handle's own, that of the run.
    fn project_of(&self, prepared: &Prepared<'_>) -> Result<Option<String>> {
        let project = self.session.project(prepared.project)?;
        let Some(id) = prepared.run else { return Ok(project.map(str::to_owned)) };
        let run = self.session.read(|exec| runs::find(exec, id))?;
        let run = run.filter(|run| self.session.sees(run.project_id.as_deref()));
        let run = run.ok_or_else(|| Error::not_found(format!("there is no run {id}")))?;
        match (project, run.project_id) {
            (Some(project), Some(of_run)) if project != of_run => {
                Err(Error::invalid(format!("the run {id} belongs to the project {of_run:?}, not to {project:?}")))
            }
            (Some(project), _) => Ok(Some(project.to_owned())),
            (None, of_run) => Ok(of_run),
        }
    }

    /// The latest version, where only a change makes a new one and there is none.
    fn unchanged(&self, new: &New<'_>) -> Result<Option<Artifact>> {
        if !new.prepared.put.if_changed {
            return Ok(None);
        }
        self.session.read(|exec| rows::latest_if(exec, new.place(), &new.prepared.content.sha256))
    }
}

/// Metadata as it is kept: an object, as that of an approval is.
fn metadata(told: Option<&Json>, max: usize) -> Result<Json> {
    let Some(told) = told.filter(|told| !told.is_null()) else { return Ok(Json::from_canonical("{}")) };
    if !told.as_str().starts_with('{') {
        return Err(Error::invalid("the metadata is a JSON object or null"));
    }
    let size = told.as_str().len();
    if size > max {
        let message = format!("the metadata has {size} bytes as canonical JSON; at most {max} are allowed");
        return Err(Error::new(ErrorCode::TooLarge, message));
    }
    Ok(told.clone())
}

/// An artifact that is to be: all but its version and its time.
struct New<'p> {
    id: String,
    project: Option<String>,
    prepared: &'p Prepared<'p>,
}

impl New<'_> {
    fn place(&self) -> Place<'_> {
        let put = self.prepared.put;
        Place { project: self.project.as_deref(), kind: &put.kind, key: &put.key }
    }

    /// Version and time of the row; none where a rival has taken the version, or it is there already, or nothing changed.
    fn insert(&self, work: &mut Work<'_>) -> Result<Option<(i64, Timestamp)>> {
        let Prepared { put, run, content, metadata, .. } = self.prepared;
        let changed = match put.if_changed {
            true => "WHERE latest.sha256 IS NULL OR latest.sha256 <> $8",
            // SQLite takes the ON of a conflict for that of a join where there is no WHERE.
            false => "WHERE true",
        };
        let sql = format!(
            "INSERT INTO sprongus_artifacts (id, project_id, run_id, kind, logical_key, version, media_type, content, ref, \
             sha256, size, metadata, created_at) \
             SELECT $4, nullif($1, ''), $5, $2, $3, coalesce(latest.version, 0) + 1, $6, $7, $9, $8, $10, $11, {} \
             FROM (SELECT 1 AS one) AS one LEFT JOIN (SELECT version, sha256 FROM sprongus_artifacts WHERE {LATEST}) AS latest \
             ON true {changed} ON CONFLICT DO NOTHING RETURNING version, created_at",
            work.dialect().now(12)
        );
        let [project, kind, key] = self.place().params();
        let params = [
            project,
            kind,
            key,
            (&self.id).into(),
            (*run).into(),
            content.media_type.into(),
            content.bytes.as_deref().into(),
            (&content.sha256).into(),
            content.reference.into(),
            content.size.into(),
            work.dialect().json(metadata),
            work.now(),
        ];
        work.query(&sql, &params)?.first().map(|row| Ok((row.int(0)?, row.time(1)?))).transpose()
    }

    fn artifact(self, version: i64, created_at: Timestamp) -> Artifact {
        let Prepared { put, run, content, metadata, .. } = self.prepared;
        Artifact {
            id: self.id,
            project_id: self.project,
            run_id: run.map(str::to_owned),
            kind: put.kind.clone(),
            key: put.key.clone(),
            version,
            media_type: content.media_type.to_owned(),
            content: content.bytes.as_ref().map(|bytes| bytes.to_vec()),
            reference: content.reference.map(str::to_owned),
            sha256: content.sha256.clone(),
            size: content.size,
            metadata: metadata.clone(),
            created_at,
        }
    }
}
