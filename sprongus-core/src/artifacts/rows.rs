//! The SQL of artifacts that are there.

use std::collections::HashMap;

use super::content::{hex, length};
use super::model::Artifact;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};

/// All but the content, as [`read`] takes them.
const COLUMNS: &str =
    "id, project_id, run_id, kind, logical_key, version, media_type, ref, sha256, size, metadata, created_at";

/// The latest version of the project `$1` (empty: none), the kind `$2` and the key `$3`.
pub(super) const LATEST: &str =
    "coalesce(project_id, '') = $1 AND kind = $2 AND logical_key = $3 ORDER BY version DESC LIMIT 1";

/// What has versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) project: Option<&'p str>,
    pub(super) kind: &'p str,
    pub(super) key: &'p str,
}

impl<'p> Place<'p> {
    /// Project, kind and key as parameters.
    pub(super) fn params(self) -> [Value<'p>; 3] {
        [self.project.unwrap_or_default().into(), self.kind.into(), self.key.into()]
    }
}

/// The artifact of that id, whoever asks.
pub(super) fn find(exec: &mut dyn Executor, id: &str) -> Result<Option<Artifact>> {
    one(exec, "id = $1", &[id.into()])
}

/// Ids, kinds and keys of a page of all there are, in the order of ids.
pub(super) fn ids(exec: &mut dyn Executor, after: &str) -> Result<Vec<(String, String, String)>> {
    let sql = "SELECT id, kind, logical_key FROM sprongus_artifacts WHERE id > $1 ORDER BY id LIMIT 1000";
    exec.query(sql, &[after.into()])?.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.text(2)?))).collect()
}

/// The newest version.
pub(super) fn latest(exec: &mut dyn Executor, place: Place<'_>) -> Result<Option<Artifact>> {
    one(exec, LATEST, &place.params())
}

/// The newest version, if its content has that hash.
pub(super) fn latest_if(exec: &mut dyn Executor, place: Place<'_>, sha256: &str) -> Result<Option<Artifact>> {
    let [project, kind, key] = place.params();
    let filter = format!("id = (SELECT id FROM sprongus_artifacts WHERE {LATEST}) AND sha256 = $4");
    one(exec, &filter, &[project, kind, key, sha256.into()])
}

fn one(exec: &mut dyn Executor, filter: &str, params: &[Value<'_>]) -> Result<Option<Artifact>> {
    let sql = format!("SELECT {COLUMNS}, content FROM sprongus_artifacts WHERE {filter}");
    let Some(row) = exec.query(&sql, params)?.into_iter().next() else { return Ok(None) };
    let mut artifact = read(&row)?;
    let content = row.into_values().pop().unwrap_or(Value::Null);
    fill(&mut artifact, content)?;
    Ok(Some(artifact))
}

/// Versions before that one, newest first, without their contents.
pub(super) fn versions(exec: &mut dyn Executor, of: Place<'_>, before: i64, limit: i64) -> Result<Vec<Artifact>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sprongus_artifacts WHERE coalesce(project_id, '') = $1 AND kind = $2 AND logical_key = $3 \
         AND version < $4 ORDER BY version DESC LIMIT $5"
    );
    let [project, kind, key] = of.params();
    exec.query(&sql, &[project, kind, key, before.into(), limit.into()])?.iter().map(read).collect()
}

/// The latest of each kind and key after those, in that order, without their contents.
///
/// It steps from key to key along the index: versions that were superseded cost nothing.
pub(super) fn list(
    exec: &mut dyn Executor,
    project: Option<&str>,
    kind: Option<&str>,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Artifact>> {
    let of_kind = if kind.is_some() { "AND kind = $5" } else { "" };
    let next = |kind: &str, key: &str| {
        format!(
            "(SELECT id FROM sprongus_artifacts WHERE coalesce(project_id, '') = $1 AND (kind, logical_key) = \
             (SELECT kind, logical_key FROM sprongus_artifacts WHERE coalesce(project_id, '') = $1 {of_kind} \
             AND (kind, logical_key) > ({kind}, {key}) ORDER BY kind, logical_key LIMIT 1) ORDER BY version DESC LIMIT 1)"
        )
    };
    let found = match exec.dialect() {
        Dialect::Sqlite => "JOIN sprongus_artifacts ON id = latest".to_owned(),
        Dialect::Postgres => by_id("latest", "*"),
    };
    let sql = format!(
        "WITH RECURSIVE step (latest, number) AS (SELECT {}, 1 UNION ALL SELECT {}, number + 1 FROM step \
         JOIN sprongus_artifacts AS here ON here.id = step.latest WHERE number < $4) \
         SELECT {COLUMNS} FROM step {found} ORDER BY number",
        next("$2", "$3"),
        next("here.kind", "here.logical_key"),
    );
    let mut params: Vec<Value<'_>> =
        vec![project.unwrap_or_default().into(), after.0.into(), after.1.into(), limit.into()];
    params.extend(kind.map(Value::from));
    exec.query(&sql, &params)?.iter().map(read).collect()
}

/// PostgreSQL: joins the artifact of each id. LATERAL and OFFSET 0 are a fence: it looks up one after the other, whatever it
/// knows or does not know of the table.
fn by_id(id: &str, columns: &str) -> String {
    format!("CROSS JOIN LATERAL (SELECT {columns} FROM sprongus_artifacts WHERE id = {id} OFFSET 0) AS found")
}

/// Brings the contents of artifacts that were read without them.
pub(super) fn fill_all(exec: &mut dyn Executor, artifacts: &mut [Artifact]) -> Result<()> {
    let sql = match exec.dialect() {
        Dialect::Sqlite => {
            "SELECT id, content FROM sprongus_artifacts WHERE id IN (SELECT value FROM json_each($1))".to_owned()
        }
        Dialect::Postgres => {
            format!("SELECT given, content FROM unnest($1::text[]) AS given {}", by_id("given", "content"))
        }
    };
    let ids = artifacts.iter().filter(|one| one.reference.is_none()).map(|one| Value::from(one.id.clone()));
    let rows = exec.query(&sql, &[Value::Array(ids.collect())])?;
    let mut contents = HashMap::with_capacity(rows.len());
    for row in rows {
        let id = row.text(0)?;
        contents.insert(id, row.into_values().pop().unwrap_or(Value::Null));
    }
    artifacts.iter_mut().try_for_each(|one| {
        let content = contents.remove(&one.id).unwrap_or(Value::Null);
        fill(one, content)
    })
}

/// Gives an artifact its content, which must be the one that was put.
fn fill(artifact: &mut Artifact, content: Value<'static>) -> Result<()> {
    let sound = match &content {
        Value::Null => artifact.reference.is_some(),
        Value::Bytes(bytes) => length(bytes) == artifact.size && hex(bytes) == artifact.sha256,
        _ => false,
    };
    if !sound {
        let message =
            format!("the content of the artifact {} is not the one that was put: its SHA-256 differs", artifact.id);
        return Err(Error::new(ErrorCode::Corrupt, message));
    }
    if let Value::Bytes(bytes) = content {
        artifact.content = Some(bytes.into_owned());
    }
    Ok(())
}

/// An artifact from [`COLUMNS`], without its content.
fn read(row: &Row) -> Result<Artifact> {
    Ok(Artifact {
        id: row.text(0)?,
        project_id: row.opt_text(1)?,
        run_id: row.opt_text(2)?,
        kind: row.text(3)?,
        key: row.text(4)?,
        version: row.int(5)?,
        media_type: row.text(6)?,
        content: None,
        reference: row.opt_text(7)?,
        sha256: row.text(8)?,
        size: row.int(9)?,
        metadata: row.json(10)?,
        created_at: row.time(11)?,
    })
}
