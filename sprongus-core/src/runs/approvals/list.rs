//! Approvals by filters, a page at a time (keyset paging).

use serde_json::json;

use super::Approvals;
use super::kept::{COLUMNS, read_approval};
use super::model::{Approval, DecisionFilter, GATE};
use super::requests::ListApprovals;
use crate::error::Result;
use crate::page::{Cursor, MAX_LIMIT, Page, check_limit};
use crate::runs::binds::Binds;
use crate::runs::list::position;
use crate::scope::Scope;

impl Approvals<'_> {
    pub(super) fn do_list(&self, request: &ListApprovals) -> Result<Page<Approval>> {
        self.session.allow(Scope::RunsRead)?;
        let project = self.session.project(request.project.as_deref())?;
        check_limit(request.limit, MAX_LIMIT)?;
        request.run_id.as_deref().map_or(Ok(()), |run| crate::id::check_id("runId", run))?;
        request.scope.as_deref().map_or(Ok(()), |scope| crate::text::check_name("the scope", scope))?;
        let list = Cursor::new("approvals", &json!([project, request.run_id, request.scope, request.decision]));
        let after = request.cursor.as_deref().map(|cursor| position(&list, cursor)).transpose()?;
        if request.limit == 0 {
            return Ok(Page::default());
        }
        let mut binds = Binds::default();
        let (with, table) = match &request.run_id {
            Some(run) => (of_run(&binds.add(run)), "of_run"),
            None => (String::new(), "sprongus_approvals"),
        };
        let mut filter = conditions(&mut binds, request, project);
        if let Some((at, id)) = &after {
            let (at, id) = (binds.add(*at), binds.add(id));
            filter.push(format!("(created_at, id) < ({at}, {id})"));
        }
        let filter = if filter.is_empty() { String::new() } else { format!("WHERE {}", filter.join(" AND ")) };
        // One more than is shown, to know whether there is a next page.
        let limit = binds.add(request.limit + 1);
        let sql =
            format!("{with}SELECT {COLUMNS} FROM {table} {filter} ORDER BY created_at DESC, id DESC LIMIT {limit}");
        let rows = self.session.read(|exec| exec.query(&sql, binds.values()))?;
        let mut items: Vec<Approval> = rows.iter().map(read_approval).collect::<Result<_>>()?;
        let shown = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = items.len() > shown;
        items.truncate(shown);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|approval| list.encode(&[json!(approval.created_at), json!(approval.id)]));
        Ok(Page { items, next_cursor })
    }
}

/// The few approvals of a run, behind a fence: a planner may think it better to walk an index that has the order.
fn of_run(run: &str) -> String {
    format!("WITH of_run AS MATERIALIZED (SELECT {COLUMNS} FROM sprongus_approvals WHERE run_id = {run}) ")
}

fn conditions<'b>(binds: &mut Binds<'b>, request: &'b ListApprovals, project: Option<&'b str>) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(project) = project {
        all.push(format!("project_id = {}", binds.add(project)));
    }
    if let Some(scope) = &request.scope {
        all.push(format!("scope = {}", binds.add(scope)));
    }
    // The very words of the partial indexes.
    if request.scope.as_deref().is_some_and(|scope| scope != GATE) {
        all.push(format!("scope <> '{GATE}'"));
    }
    all.extend(request.decision.map(|decision| match decision {
        DecisionFilter::Approved => "decision = 'approved'".to_owned(),
        DecisionFilter::Denied => "decision = 'denied'".to_owned(),
        DecisionFilter::Pending => "decision IS NULL".to_owned(),
    }));
    all
}
