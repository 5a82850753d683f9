//! One run, its events, its output.

use super::Runs;
use super::judge::read_visible;
use super::model::{COLUMNS, Run, read_run};
use super::record::subject;
use super::requests::{GetRun, RunEvents, RunOutput};
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::events::{self, Event};
use crate::json::Json;
use crate::scope::Scope;

/// The run of that id, whoever asks.
pub(crate) fn find(exec: &mut dyn Executor, id: &str) -> Result<Option<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM sprongus_runs WHERE id = $1");
    exec.query(&sql, &[id.into()])?.into_iter().next().map(read_run).transpose()
}

impl Runs<'_> {
    pub(super) fn do_get(&self, request: &GetRun) -> Result<Run> {
        self.session.allow(Scope::RunsRead)?;
        Ok(self.session.read(|exec| read_visible(self.session, exec, &request.id))?.run)
    }

    pub(super) fn do_events(&self, request: &RunEvents) -> Result<Vec<Event>> {
        self.session.allow(Scope::RunsRead)?;
        let sql = format!("SELECT {} FROM sprongus_events WHERE subject = $1 ORDER BY seq", events::COLUMNS);
        self.session.read_snapshot(|exec| {
            read_visible(self.session, exec, &request.id)?;
            exec.query(&sql, &[subject(&request.id).into()])?.iter().map(events::read_event).collect()
        })
    }

    pub(super) fn do_output(&self, request: &RunOutput) -> Result<Json> {
        self.session.allow(Scope::RunsRead)?;
        self.session.read_snapshot(|exec| {
            let run = read_visible(self.session, exec, &request.id)?.run;
            let reference = run.output_ref.ok_or_else(|| none(&run.id, "has no output"))?;
            let Some(artifact) = reference.strip_prefix("artifact:") else {
                return Err(none(&run.id, "keeps its output elsewhere; its outputRef says where"));
            };
            let sql = "SELECT content, sha256 FROM sprongus_artifacts WHERE id = $1 AND run_id = $2";
            let rows = exec.query(sql, &[artifact.into(), (&run.id).into()])?;
            let content = rows.first().map(|row| row.opt_bytes(0)).transpose()?.flatten();
            let output = Json::parse(content.ok_or_else(|| none(&run.id, "refers to an output that is not here"))?)?;
            match rows.first().map(|row| row.text(1)).transpose()? {
                Some(sha256) if sha256 == output.hash_hex() => Ok(output),
                _ => Err(Error::new(
                    ErrorCode::Corrupt,
                    format!("the output of the run {} is not the one reported", run.id),
                )),
            }
        })
    }
}

fn none(id: &str, why: &str) -> Error {
    Error::not_found(format!("the run {id} {why}"))
}
