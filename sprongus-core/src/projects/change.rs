//! Changes of a project's record.

use serde_json::{Map, Value as JsonValue, json};

use super::create::taken;
use super::model::Project;
use super::requests::UpdateProject;
use super::{Projects, rows, slug};
use crate::error::{Error, ErrorCode, Result};
use crate::id::check_id;
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

impl Projects<'_> {
    pub(super) fn do_update(&self, request: &UpdateProject) -> Result<Project> {
        self.session.allow(Scope::Admin)?;
        self.session.may_write()?;
        check(request)?;
        self.session.write(|work| {
            let seq = rows::hold(work, &request.id)?;
            let stored = rows::find(work.exec(), &request.id, true)?.ok_or_else(|| rows::not_found(&request.id))?;
            let wanted = changed(&stored, request);
            let difference = difference(&stored, &wanted);
            if difference.is_empty() {
                return Ok(stored);
            }
            if wanted.slug != stored.slug {
                is_free(work, &wanted.slug)?;
            }
            let written = write(work, &wanted)?;
            rows::tell(work, &request.id, Some(&request.id), seq, "project.updated", &JsonValue::Object(difference))?;
            Ok(written)
        })
    }
}

fn check(request: &UpdateProject) -> Result<()> {
    check_id("the id", &request.id)?;
    request.name.as_deref().map_or(Ok(()), |name| check_name("the name", name))?;
    request.slug.as_deref().map_or(Ok(()), slug::check)?;
    request
        .owner
        .as_deref()
        .filter(|owner| !owner.is_empty())
        .map_or(Ok(()), |owner| check_name("the owner", owner))?;
    request.status.as_deref().map_or(Ok(()), check_status)
}

fn check_status(status: &str) -> Result<()> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    if (1..=64).contains(&status.len()) && status.bytes().all(letters) {
        return Ok(());
    }
    Err(Error::invalid("the status must have 1 to 64 of a-z, 0-9, _ and -, such as active or archived"))
}

fn changed(stored: &Project, request: &UpdateProject) -> Project {
    let UpdateProject { name, slug, owner, status, .. } = request.clone();
    let owner = owner.map_or_else(|| stored.owner.clone(), |owner| Some(owner).filter(|owner| !owner.is_empty()));
    Project {
        name: name.unwrap_or_else(|| stored.name.clone()),
        slug: slug.unwrap_or_else(|| stored.slug.clone()),
        owner,
        status: status.unwrap_or_else(|| stored.status.clone()),
        ..stored.clone()
    }
}

/// What is new, as the event tells it.
fn difference(stored: &Project, wanted: &Project) -> Map<String, JsonValue> {
    let fields = [
        ("name", json!(stored.name), json!(wanted.name)),
        ("slug", json!(stored.slug), json!(wanted.slug)),
        ("owner", json!(stored.owner), json!(wanted.owner)),
        ("status", json!(stored.status), json!(wanted.status)),
    ];
    fields.into_iter().filter(|(_, old, new)| old != new).map(|(name, _, new)| (name.to_owned(), new)).collect()
}

/// Refuses a slug that is taken.
fn is_free(work: &mut Work<'_>, slug: &str) -> Result<()> {
    let sql = "SELECT 1 FROM sprongus_projects WHERE slug = $1";
    if work.query(sql, &[slug.into()])?.is_empty() { Ok(()) } else { Err(taken(slug)) }
}

/// Writes the record; a rival may have taken the slug since it was looked for (PostgreSQL).
fn write(work: &mut Work<'_>, wanted: &Project) -> Result<Project> {
    match rows::write(work, wanted) {
        Err(error) if error.code() == ErrorCode::Conflict => Err(taken(&wanted.slug)),
        written => written?.ok_or_else(|| rows::not_found(&wanted.id)),
    }
}
