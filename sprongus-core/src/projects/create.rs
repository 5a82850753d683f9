//! A new project's record.

use serde_json::json;

use super::model::{ACTIVE, Project};
use super::requests::CreateProject;
use super::{Projects, rows, slug};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{check_id, new_id};
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

/// Rivals for a slug made from a name that one call gives way to.
const ATTEMPTS: usize = 100;

impl Projects<'_> {
    pub(super) fn do_create(&self, request: &CreateProject) -> Result<Project> {
        self.session.allow(Scope::Admin)?;
        check_name("the name", &request.name)?;
        request.id.as_deref().map_or(Ok(()), |id| check_id("the id", id))?;
        request.slug.as_deref().map_or(Ok(()), slug::check)?;
        request.owner.as_deref().map_or(Ok(()), |owner| check_name("the owner", owner))?;
        let id = request.id.clone().unwrap_or_else(new_id);
        self.session.write(|work| {
            let seq = rows::hold(work, &id)?;
            let made = insert(work, &id, request)?;
            let payload = json!({ "name": made.name, "slug": made.slug });
            rows::tell(work, &id, Some(&id), seq, "project.created", &payload)?;
            Ok(made)
        })
    }
}

fn insert(work: &mut Work<'_>, id: &str, request: &CreateProject) -> Result<Project> {
    let owner = request.owner.as_deref();
    if rows::find(work.exec(), id, false)?.is_some() {
        return Err(Error::new(ErrorCode::Conflict, format!("there is a project {id} already")));
    }
    if let Some(slug) = &request.slug {
        return rows::insert(work, id, &request.name, slug, owner, ACTIVE)?.ok_or_else(|| taken(slug));
    }
    let base = slug::made_from(&request.name);
    for _ in 0..ATTEMPTS {
        let slug = slug::free(work.exec(), &base)?;
        if let Some(made) = rows::insert(work, id, &request.name, &slug, owner, ACTIVE)? {
            return Ok(made);
        }
    }
    Err(Error::new(ErrorCode::Conflict, format!("others kept taking the slugs like {base}; try again, or give one")))
}

pub(super) fn taken(slug: &str) -> Error {
    Error::new(ErrorCode::Conflict, format!("another project has the slug {slug}"))
}
