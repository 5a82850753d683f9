//! One artifact, and pages of them.

use serde_json::{Value as JsonValue, json};

use super::Artifacts;
use super::model::{Artifact, ArtifactKey, ArtifactVersions, ListArtifacts};
use super::rows::{self, Place};
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{MAX_ID, check_id};
use crate::page::{Cursor, MAX_LIMIT, Page, check_limit};
use crate::scope::Scope;
use crate::session::Session;
use crate::text::{check_name, truncate};

impl Artifacts<'_> {
    pub(super) fn do_get(&self, id: &str) -> Result<Artifact> {
        self.session.allow(Scope::RunsRead)?;
        check_id("the id", id)?;
        let found = self.session.read(|exec| rows::find(exec, id))?;
        let seen = found.filter(|artifact| self.session.sees(artifact.project_id.as_deref()));
        seen.ok_or_else(|| Error::not_found(format!("there is no artifact {}", truncate(id, MAX_ID))))
    }

    pub(super) fn do_latest(&self, of: &ArtifactKey) -> Result<Artifact> {
        self.session.allow(Scope::RunsRead)?;
        let place = self.place(of.project.as_deref(), &of.kind, &of.key)?;
        let found = self.session.read(|exec| rows::latest(exec, place))?;
        found.ok_or_else(|| Error::not_found(format!("there is no artifact {:?} of the kind {:?}", of.key, of.kind)))
    }

    pub(super) fn do_versions(&self, of: &ArtifactVersions) -> Result<Page<Artifact>> {
        self.session.allow(Scope::RunsRead)?;
        check_limit(of.limit, MAX_LIMIT)?;
        let place = self.place(of.project.as_deref(), &of.kind, &of.key)?;
        let list = Cursor::new("artifacts.versions", &json!([place.project, place.kind, place.key]));
        let before = match &of.cursor {
            None => i64::MAX,
            Some(cursor) => list.decode(cursor)?.first().and_then(JsonValue::as_i64).ok_or_else(damaged)?,
        };
        self.page(
            of.limit,
            |exec, rows| rows::versions(exec, place, before, rows),
            |last| list.encode(&[json!(last.version)]),
        )
    }

    pub(super) fn do_list(&self, which: &ListArtifacts) -> Result<Page<Artifact>> {
        self.session.allow(Scope::RunsRead)?;
        check_limit(which.limit, MAX_LIMIT)?;
        let project = self.session.project(which.project.as_deref())?;
        let kind = which.kind.as_deref();
        kind.map_or(Ok(()), |kind| check_name("kind", kind))?;
        let list = Cursor::new("artifacts.list", &json!([project, kind]));
        let after = match &which.cursor {
            None => (String::new(), String::new()),
            Some(cursor) => position(&list.decode(cursor)?)?,
        };
        self.page(
            which.limit,
            |exec, rows| rows::list(exec, project, kind, (&after.0, &after.1), rows),
            |last| list.encode(&[json!(last.kind), json!(last.key)]),
        )
    }

    fn place<'p>(&'p self, project: Option<&'p str>, kind: &'p str, key: &'p str) -> Result<Place<'p>> {
        check_name("kind", kind)?;
        check_name("key", key)?;
        Ok(Place { project: self.session.project(project)?, kind, key })
    }

    /// A page with its contents. It ends before its limit where they would be more than one artifact may have
    /// (`max_artifact_bytes`) together: so a page of large ones fits in memory.
    fn page(
        &self,
        limit: i64,
        read: impl Fn(&mut dyn Executor, i64) -> Result<Vec<Artifact>>,
        cursor: impl Fn(&Artifact) -> String,
    ) -> Result<Page<Artifact>> {
        if limit == 0 {
            return Ok(Page::default());
        }
        let most = self.session.options().max_artifact_bytes;
        self.session.read_snapshot(|exec| {
            // One more than is shown, to know whether there is a next page.
            let mut items = read(exec, limit + 1)?;
            let there = items.len();
            items.truncate(fitting(&items, limit, most));
            rows::fill_all(exec, &mut items)?;
            let next_cursor = items.last().filter(|_| items.len() < there).map(&cursor);
            Ok(Page { items, next_cursor })
        })
    }
}

/// Every artifact whose content is not the one that was put, however long that takes: its id, and its kind and key.
pub(crate) fn damaged_contents(session: Session<'_>) -> Result<Vec<(String, String)>> {
    let mut damaged = Vec::new();
    let mut after = String::new();
    loop {
        let ids = session.read(|exec| rows::ids(exec, &after))?;
        let Some((last, ..)) = ids.last() else { return Ok(damaged) };
        after.clone_from(last);
        // One at a time: a page of them may not fit in memory.
        for (id, kind, key) in &ids {
            match session.read(|exec| rows::find(exec, id)) {
                Err(error) if error.code() == ErrorCode::Corrupt => damaged.push((id.clone(), format!("{kind} {key}"))),
                found => drop(found?),
            }
        }
    }
}

/// How many of them a page takes: at least one.
fn fitting(items: &[Artifact], limit: i64, most: usize) -> usize {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut bytes = 0_i64;
    let fits = |item: &&Artifact| {
        bytes = bytes.saturating_add(if item.reference.is_none() { item.size } else { 0 });
        bytes <= most
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    items.iter().take(limit).take_while(fits).count().max(items.len().min(1))
}

fn position(keys: &[JsonValue]) -> Result<(String, String)> {
    let text = |index: usize| keys.get(index).and_then(JsonValue::as_str).map(str::to_owned);
    text(0).zip(text(1)).ok_or_else(damaged)
}

fn damaged() -> Error {
    Error::invalid("the cursor is damaged")
}
