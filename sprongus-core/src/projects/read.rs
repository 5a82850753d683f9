//! One project's record, and pages of them.

use serde_json::{Value as JsonValue, json};

use super::Projects;
use super::model::Project;
use super::requests::ListProjects;
use super::rows::{self, COLUMNS};
use crate::clock::Timestamp;
use crate::db::Value;
use crate::error::{Error, Result};
use crate::id::check_id;
use crate::page::{Cursor, MAX_LIMIT, Page, check_limit};
use crate::scope::Scope;
use crate::text::check_name;

impl Projects<'_> {
    pub(super) fn do_get(&self, id: &str) -> Result<Project> {
        self.session.allow(Scope::AuxRead)?;
        check_id("the id", id)?;
        if !self.session.sees(Some(id)) {
            return Err(rows::not_found(id));
        }
        self.session.read(|exec| rows::find(exec, id, false))?.ok_or_else(|| rows::not_found(id))
    }

    pub(super) fn do_list(&self, which: &ListProjects) -> Result<Page<Project>> {
        self.session.allow(Scope::AuxRead)?;
        check_limit(which.limit, MAX_LIMIT)?;
        which.owner.as_deref().map_or(Ok(()), |owner| check_name("the owner", owner))?;
        let own = self.session.confined();
        let list = Cursor::new("projects", &json!([which.owner, own]));
        let after = which.cursor.as_deref().map(|cursor| position(&list.decode(cursor)?)).transpose()?;
        if which.limit == 0 {
            return Ok(Page::default());
        }
        let mut params: Vec<Value<'_>> = Vec::new();
        let mut filter = Vec::new();
        let mut add = |value: Value<'_>| {
            params.push(value.into_owned());
            format!("${}", params.len())
        };
        filter.extend(which.owner.as_deref().map(|owner| format!("owner = {}", add(owner.into()))));
        filter.extend(own.map(|own| format!("id = {}", add(own.into()))));
        filter.extend(after.map(|(at, id)| format!("(updated_at, id) < ({}, {})", add(at.into()), add(id.into()))));
        let filter = if filter.is_empty() { "TRUE".to_owned() } else { filter.join(" AND ") };
        // One more than is shown, to know whether there is a next page.
        let limit = add((which.limit + 1).into());
        let sql = format!(
            "SELECT {COLUMNS} FROM sprongus_projects WHERE {filter} ORDER BY updated_at DESC, id DESC LIMIT {limit}"
        );
        let rows = self.session.read(|exec| exec.query(&sql, &params))?;
        let mut items = rows.iter().map(rows::read).collect::<Result<Vec<_>>>()?;
        let shown = usize::try_from(which.limit).unwrap_or(usize::MAX);
        let more = items.len() > shown;
        items.truncate(shown);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|project| list.encode(&[json!(project.updated_at), json!(project.id)]));
        Ok(Page { items, next_cursor })
    }
}

fn position(keys: &[JsonValue]) -> Result<(Timestamp, String)> {
    let text = |index: usize| keys.get(index).and_then(JsonValue::as_str);
    let at = text(0).and_then(|at| at.parse::<Timestamp>().ok());
    at.zip(text(1).map(str::to_owned)).ok_or_else(|| Error::invalid("the cursor is damaged"))
}
