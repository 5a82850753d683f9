//! Deleting a project: refused while it owns anything, or with everything it owns.

use serde_json::{Value as JsonValue, json};

use super::requests::DeleteProject;
use super::{Projects, owned, rows};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{MAX_ID, check_id};
use crate::scope::Scope;
use crate::text::truncate;

impl Projects<'_> {
    pub(super) fn do_delete(&self, request: &DeleteProject) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        self.session.may_write()?;
        check_id("the id", &request.id)?;
        self.session.write_bulk(|work| {
            let seq = rows::hold(work, &request.id)?;
            let stored = rows::find(work.exec(), &request.id, true)?;
            if !request.cascade {
                let referrers = owned::referrers(work.exec(), &request.id)?;
                if !referrers.is_empty() {
                    return Err(referenced(&request.id, &referrers));
                }
                if stored.is_none() {
                    return Err(rows::not_found(&request.id));
                }
            }
            let removed = owned::remove(work, &request.id)?;
            if removed.rows == 0 {
                return Err(rows::not_found(&request.id));
            }
            let payload = json!({
                "name": stored.as_ref().map(|project| &project.name),
                "slug": stored.as_ref().map(|project| &project.slug),
                "removed": removed.kinds,
            });
            rows::tell(work, &request.id, None, seq, "project.deleted", &payload)
        })
    }
}

fn referenced(id: &str, referrers: &[JsonValue]) -> Error {
    let told = referrers.iter().map(|one| {
        let (count, kind) = (&one["count"], one["kind"].as_str().unwrap_or_default());
        one["table"].as_str().map_or_else(|| format!("{count} {kind}"), |table| format!("{count} {kind} in {table}"))
    });
    let told: Vec<String> = told.take(5).collect();
    let more = if referrers.len() > told.len() { " and more" } else { "" };
    let message = format!(
        "the project {} owns {}{more}; delete those first, or all of it with cascade",
        truncate(id, MAX_ID),
        told.join(", ")
    );
    Error::new(ErrorCode::Referenced, message).with_details(json!({ "referrers": referrers }))
}
