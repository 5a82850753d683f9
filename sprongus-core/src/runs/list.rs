//! Runs by filters, a page at a time (keyset paging).

use serde_json::json;

use super::Runs;
use super::binds::{Binds, check_length};
use super::model::{COLUMNS, Run, read_run};
use super::requests::{ListRuns, Order};
use super::state::RunState;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::check_id;
use crate::page::{Cursor, MAX_LIMIT, Page, check_limit};
use crate::scope::Scope;
use crate::text::check_name;

/// More kinds than that are looked for among the runs of each state.
const MOST_PARTS: usize = 32;

impl Runs<'_> {
    pub(super) fn do_list(&self, request: &ListRuns) -> Result<Page<Run>> {
        self.session.allow(Scope::RunsRead)?;
        let project = self.session.project(request.project.as_deref())?;
        check_limit(request.limit, MAX_LIMIT)?;
        check_names(request)?;
        let list = Cursor::new("runs", &scope(request, project));
        let after = request.cursor.as_deref().map(|cursor| position(&list, cursor)).transpose()?;
        let empty = |list: Option<usize>| list == Some(0);
        if request.limit == 0
            || empty(request.state.as_ref().map(Vec::len))
            || empty(request.kind.as_ref().map(Vec::len))
        {
            return Ok(Page::default());
        }
        let mut binds = Binds::default();
        let sql = sql(&mut binds, request, project, after.as_ref());
        let rows = self.session.read(|exec| exec.query(&sql, binds.values()))?;
        let mut items: Vec<Run> = rows.into_iter().map(read_run).collect::<Result<_>>()?;
        let shown = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = items.len() > shown;
        items.truncate(shown);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|run| list.encode(&[json!(run.created_at), json!(run.id)]));
        Ok(Page { items, next_cursor })
    }
}

/// Refuses names that no run can have, alike on both databases.
fn check_names(request: &ListRuns) -> Result<()> {
    check_length("kind", request.kind.as_deref())?;
    check_length("state", request.state.as_deref())?;
    request.kind.iter().flatten().try_for_each(|kind| check_name("the kind", kind))?;
    request.channel_id.as_deref().map_or(Ok(()), |name| check_name("channelId", name))?;
    request.conversation_id.as_deref().map_or(Ok(()), |name| check_name("conversationId", name))?;
    request.parent.as_deref().map_or(Ok(()), |parent| check_id("parent", parent))
}

/// All that decides the rows of the list and their order.
fn scope(request: &ListRuns, project: Option<&str>) -> serde_json::Value {
    json!([
        project,
        request.state,
        request.kind,
        request.since,
        request.before,
        request.channel_id,
        request.conversation_id,
        request.parent,
        request.order
    ])
}

/// The time and the id in a cursor of a list of the newest.
pub(super) fn position(list: &Cursor, cursor: &str) -> Result<(Timestamp, String)> {
    let keys = list.decode(cursor)?;
    let text = |index: usize| keys.get(index).and_then(serde_json::Value::as_str);
    let at = text(0).and_then(|at| at.parse().ok());
    at.zip(text(1).map(str::to_owned)).ok_or_else(|| Error::invalid("the cursor is damaged"))
}

/// Which of the indexes that end in the time of creation a list is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    State,
    Kind,
    /// A project has its own index; a channel and a parent have few runs.
    Itself,
}

impl By {
    fn of(request: &ListRuns, project: Option<&str>) -> Self {
        match &request.kind {
            _ if project.is_some() || request.channel_id.is_some() || request.parent.is_some() => Self::Itself,
            Some(kinds) if kinds.len() <= MOST_PARTS => Self::Kind,
            _ => Self::State,
        }
    }
}

/// An index gives the newest runs of one state or one kind, none the newest of several: so each of them is asked for a page,
/// and the page is made of those.
fn sql<'b>(
    binds: &mut Binds<'b>,
    request: &'b ListRuns,
    project: Option<&'b str>,
    after: Option<&'b (Timestamp, String)>,
) -> String {
    let by = By::of(request, project);
    let parts = parts(binds, request, by);
    let conditions = conditions(binds, request, project, after, by);
    let order = match request.order {
        Order::Newest => "created_at DESC, id DESC",
        Order::Oldest => "created_at, id",
    };
    // One more than is shown, to know whether there is a next page.
    let end = format!("ORDER BY {order} LIMIT {}", binds.add(request.limit + 1));
    let in_part = |part: &String| [std::slice::from_ref(part), &conditions].concat().join(" AND ");
    let page = |part: &String| {
        let filter = in_part(part);
        format!("SELECT * FROM (SELECT id, created_at FROM sprongus_runs WHERE {filter} {end}) AS part")
    };
    let filter = match parts.as_slice() {
        [] => conditions.join(" AND "),
        [part] => in_part(part),
        parts => {
            let pages: Vec<String> = parts.iter().map(page).collect();
            format!("id IN (SELECT id FROM ({}) AS pages {end})", pages.join(" UNION ALL "))
        }
    };
    format!("SELECT {COLUMNS} FROM sprongus_runs WHERE {filter} {end}")
}

/// The states or the kinds asked for, a condition each.
fn parts<'b>(binds: &mut Binds<'b>, request: &'b ListRuns, by: By) -> Vec<String> {
    let states = request.state.as_deref().unwrap_or(&RunState::ALL);
    match by {
        By::Itself => Vec::new(),
        By::State => states.iter().map(|state| format!("state = '{state}'")).collect(),
        By::Kind => request.kind.iter().flatten().map(|kind| format!("kind = {}", binds.add(kind.as_str()))).collect(),
    }
}

fn conditions<'b>(
    binds: &mut Binds<'b>,
    request: &'b ListRuns,
    project: Option<&'b str>,
    after: Option<&'b (Timestamp, String)>,
    by: By,
) -> Vec<String> {
    let mut all = Vec::new();
    let equal = [
        ("project_id", project),
        ("channel_id", request.channel_id.as_deref()),
        ("conversation_id", request.conversation_id.as_deref()),
        ("parent_id", request.parent.as_deref()),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            all.push(format!("{column} = {}", binds.add(value)));
        }
    }
    if let Some(states) = request.state.as_ref().filter(|_| by != By::State) {
        all.push(format!("state IN {}", binds.list(states.iter().map(|state| state.as_str()))));
    }
    if let Some(kinds) = request.kind.as_ref().filter(|_| by != By::Kind) {
        all.push(format!("kind IN {}", binds.list(kinds)));
    }
    if let Some(since) = request.since {
        all.push(format!("created_at >= {}", binds.add(since)));
    }
    if let Some(before) = request.before {
        all.push(format!("created_at < {}", binds.add(before)));
    }
    if let Some((at, id)) = after {
        let sign = if request.order == Order::Newest { "<" } else { ">" };
        let (at, id) = (binds.add(*at), binds.add(id));
        all.push(format!("(created_at, id) {sign} ({at}, {id})"));
    }
    all
}
