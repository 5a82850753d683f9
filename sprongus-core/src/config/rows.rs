//! The SQL of settings, and their events.

use std::collections::BTreeMap;

use serde_json::json;

use crate::db::{Dialect, Executor};
use crate::error::Result;
use crate::events::{NewEvent, append, next_seq};
use crate::json::Json;
use crate::session::Work;

pub(super) fn find(exec: &mut dyn Executor, project: Option<&str>, key: &str) -> Result<Option<Json>> {
    stored(exec, project, key, "")
}

fn stored(exec: &mut dyn Executor, project: Option<&str>, key: &str, lock: &str) -> Result<Option<Json>> {
    let sql = format!("SELECT value FROM sprongus_config WHERE project_id = $1 AND key = $2{lock}");
    let rows = exec.query(&sql, &[project.unwrap_or_default().into(), key.into()])?;
    rows.first().map(|row| row.json(0)).transpose()
}

pub(super) fn list(exec: &mut dyn Executor, project: Option<&str>, prefix: &str) -> Result<BTreeMap<String, Json>> {
    // '{' comes after every letter of a key: all that begin so lie between.
    let sql = "SELECT key, value FROM sprongus_config WHERE project_id = $1 AND key >= $2 AND key < $2 || '{'";
    let rows = exec.query(sql, &[project.unwrap_or_default().into(), prefix.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.json(1)?))).collect()
}

pub(super) fn set(work: &mut Work<'_>, project: Option<&str>, key: &str, value: &Json) -> Result<()> {
    let lock = if work.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    if stored(work.exec(), project, key, lock)?.as_ref() == Some(value) {
        return Ok(());
    }
    let now = work.dialect().now(4);
    let sql = format!(
        "INSERT INTO sprongus_config (project_id, key, value, updated_at) VALUES ($1, $2, $3, {now}) \
         ON CONFLICT (project_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"
    );
    let params = [project.unwrap_or_default().into(), key.into(), work.dialect().json(value), work.now()];
    work.execute(&sql, &params)?;
    tell(work, project, key, "config.set")
}

pub(super) fn unset(work: &mut Work<'_>, project: Option<&str>, key: &str) -> Result<()> {
    let sql = "DELETE FROM sprongus_config WHERE project_id = $1 AND key = $2";
    match work.execute(sql, &[project.unwrap_or_default().into(), key.into()])? {
        0 => Ok(()),
        _ => tell(work, project, key, "config.unset"),
    }
}

/// An event on `config:KEY`, or `config:PROJECT/KEY`, while the row is held: without the value, which is nobody else's.
fn tell(work: &mut Work<'_>, project: Option<&str>, key: &str, kind: &str) -> Result<()> {
    // No key holds a slash: however the project is called, it ends at the last one.
    let subject = project.map_or_else(|| format!("config:{key}"), |project| format!("config:{project}/{key}"));
    let seq = next_seq(work.exec(), &subject)?;
    let actor = work.who().actor.clone();
    let payload = Json::from_value(&json!({ "key": key }))?;
    append(
        work,
        &NewEvent { run_id: None, project_id: project, subject: &subject, seq, kind, actor: &actor, payload: &payload },
    )
}
