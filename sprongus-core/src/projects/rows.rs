//! The SQL of projects' records, and their events.

use serde_json::Value as JsonValue;

use super::model::Project;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, Result};
use crate::events::{NewEvent, append, next_seq};
use crate::id::MAX_ID;
use crate::json::Json;
use crate::presets;
use crate::session::Work;
use crate::text::truncate;

/// As [`read`] takes them.
pub(super) const COLUMNS: &str = "id, name, slug, owner, status, created_at, updated_at";

pub(super) fn read(row: &Row) -> Result<Project> {
    Ok(Project {
        id: row.text(0)?,
        name: row.text(1)?,
        slug: row.text(2)?,
        owner: row.opt_text(3)?,
        status: row.text(4)?,
        created_at: row.time(5)?,
        updated_at: row.time(6)?,
    })
}

/// The record of that id; with `lock` it is kept from others until the transaction ends.
pub(super) fn find(exec: &mut dyn Executor, id: &str, lock: bool) -> Result<Option<Project>> {
    let lock = if lock && exec.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM sprongus_projects WHERE id = $1{lock}");
    exec.query(&sql, &[id.into()])?.first().map(read).transpose()
}

/// A new record; none where the id or the slug is taken.
pub(super) fn insert(
    work: &mut Work<'_>,
    id: &str,
    name: &str,
    slug: &str,
    owner: Option<&str>,
    status: &str,
) -> Result<Option<Project>> {
    let now = work.dialect().now(6);
    let sql = format!(
        "INSERT INTO sprongus_projects ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, {now}, {now}) \
         ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    );
    let params = [id.into(), name.into(), slug.into(), owner.into(), status.into(), work.now()];
    work.query(&sql, &params)?.first().map(read).transpose()
}

/// Writes a record that is there; its time is the present.
pub(super) fn write(work: &mut Work<'_>, project: &Project) -> Result<Option<Project>> {
    let now = work.dialect().now(6);
    let sql = format!(
        "UPDATE sprongus_projects SET name = $2, slug = $3, owner = $4, status = $5, updated_at = {now} \
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let Project { id, name, slug, owner, status, .. } = project;
    let params = [
        Value::text(id),
        name.as_str().into(),
        slug.as_str().into(),
        owner.as_deref().into(),
        status.as_str().into(),
        work.now(),
    ];
    work.query(&sql, &params)?.first().map(read).transpose()
}

pub(super) fn subject(id: &str) -> String {
    format!("project:{id}")
}

/// Holds others who create, change or delete that project off until the transaction ends; the seq of its next event.
pub(super) fn hold(work: &mut Work<'_>, id: &str) -> Result<i64> {
    let subject = subject(id);
    presets::lock(work, &[(&subject, true)])?;
    next_seq(work.exec(), &subject)
}

/// An event on `project:ID`; `of` is the project that it goes with.
pub(super) fn tell(
    work: &mut Work<'_>,
    id: &str,
    of: Option<&str>,
    seq: i64,
    kind: &str,
    payload: &JsonValue,
) -> Result<()> {
    let actor = work.who().actor.clone();
    let payload = Json::from_value(payload)?;
    let subject = subject(id);
    append(
        work,
        &NewEvent { run_id: None, project_id: of, subject: &subject, seq, kind, actor: &actor, payload: &payload },
    )
}

pub(super) fn not_found(id: &str) -> Error {
    Error::not_found(format!("there is no project {}", truncate(id, MAX_ID)))
}
