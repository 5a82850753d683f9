//! PostgreSQL: the run and its event in one statement, by the server's clock. What the event tells is known here, so that
//! the server puts nothing together.

use super::Judged;
use crate::clock::Timestamp;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::id::new_id;
use crate::presets;
use crate::runs::approvals::gates;
use crate::runs::model::Run;
use crate::runs::ready::{Ready, begins, timeout, told};
use crate::runs::record::{INSERT, subject};
use crate::runs::state::RunState;
use crate::runs::texts::Texts;
use crate::runs::{lane, lease};
use crate::session::Work;

thread_local!(static TEXTS: Texts<Form> = Texts::default());

pub(super) fn insert(work: &mut Work<'_>, ready: &Ready<'_>, judged: Judged, unheard_of: bool) -> Result<Option<Run>> {
    let (request, event, subject) = (ready.request, new_id(), subject(&ready.id));
    let told = told(begins(request));
    // What it tells is the same at any time.
    let payload = told.payload(Some(&ready.written(Timestamp::MIN)))?;
    let (due, moment) = due(ready)?;
    let given = given(ready)?;
    let form = Form {
        judged,
        awaiting: begins(request) == RunState::AwaitingApproval,
        alone: unheard_of && request.idempotency_key.is_none(),
        due,
        given: given.each_ref().map(|value| value.is_some()),
    };
    let mut values = vec![
        work.now(),
        (&request.kind).into(),
        (&ready.id).into(),
        Dialect::Postgres.json(&request.input),
        request.priority.into(),
        request.max_attempts.into(),
        (&event).into(),
        (&subject).into(),
        told.kind.into(),
        (&*work.who().actor).into(),
        Dialect::Postgres.json(&payload),
    ];
    values.extend(moment.into_iter().chain(given.into_iter().flatten()));
    let sql = Texts::of(&TEXTS, &form, Form::sql);
    let Some(row) = work.query(&sql, &values)?.pop() else { return Ok(None) };
    let run = ready.written(row.time(0)?);
    told.note(work, &run, event)?;
    Ok(Some(run))
}

/// What the text of the statement depends on; the server is given only what there is, for each column costs it something.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Form {
    judged: Judged,
    /// It begins at a gate.
    awaiting: bool,
    /// No other run can be in its place.
    alone: bool,
    due: Due,
    /// Which of [`GIVEN`].
    given: [bool; GIVEN.len()],
}

/// When a run is due. What is due at once is ready whatever the clocks say.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Due {
    Now,
    At,
    After,
}

/// Columns that are often left out.
const GIVEN: [&str; 7] =
    ["project_id", "idempotency_key", "requested_by", "channel_id", "conversation_id", "parent_id", "timeout_us"];

/// The values of [`GIVEN`].
fn given<'r>(ready: &'r Ready<'_>) -> Result<[Option<Value<'r>>; GIVEN.len()]> {
    let request = ready.request;
    let text = |text: Option<&'r str>| text.map(Value::from);
    Ok([
        text(ready.project),
        text(request.idempotency_key.as_deref()),
        text(request.requested_by.as_deref()),
        text(request.channel_id.as_deref()),
        text(request.conversation_id.as_deref()),
        text(request.parent.as_deref()),
        timeout(request)?.map(Value::from),
    ])
}

/// When it is due, and the moment or the delay in microseconds.
fn due(ready: &Ready<'_>) -> Result<(Due, Option<Value<'static>>)> {
    if let Some(run_at) = ready.request.run_at {
        return Ok((Due::At, Some(run_at.into())));
    }
    match ready.request.delay.filter(|delay| !delay.is_zero()) {
        Some(delay) => Ok((Due::After, Some(lease::micros("delay", delay)?.into()))),
        None => Ok((Due::Now, None)),
    }
}

impl Form {
    /// Its parameters are those of [`insert`], in their order.
    fn sql(&self) -> String {
        let now = Dialect::Postgres.now(1);
        let mut last = 11;
        let mut next = || {
            last += 1;
            format!("${last}")
        };
        let (run_at, already) = match self.due {
            Due::Now => (now.clone(), "TRUE".to_owned()),
            Due::At => {
                let at = next();
                (at.clone(), format!("{at}::timestamptz <= {now}"))
            }
            Due::After => (format!("{now} + {}::bigint * interval '1 microsecond'", next()), "FALSE".to_owned()),
        };
        let mut row = vec![
            ("id", "$3::text".to_owned()),
            ("kind", "$2::text".to_owned()),
            ("input", "$4".to_owned()),
            ("state", format!("'{}'", self.state())),
            ("ready", if self.awaiting { "FALSE".to_owned() } else { already }),
            ("limited", lane::is_limited("$2::text")),
            ("priority", "$5".to_owned()),
            ("run_at", run_at),
            ("max_attempts", "$6".to_owned()),
            ("created_at", now.clone()),
            ("updated_at", now),
        ];
        row.extend(self.awaiting.then(|| ("awaiting", "$3".to_owned())));
        let given: Vec<(&str, String)> =
            GIVEN.into_iter().zip(self.given).filter(|(_, given)| *given).map(|(column, _)| (column, next())).collect();
        let project =
            given.first().filter(|(column, _)| *column == "project_id").map(|(_, mark)| format!("{mark}::text"));
        row.extend(given);
        let (columns, values): (Vec<&str>, Vec<String>) = row.into_iter().unzip();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let unbound = match self.judged {
            Judged::Valid => String::new(),
            Judged::NoPreset => {
                format!(" WHERE {}", presets::unbound_run(Dialect::Postgres, "$2::text", project.as_deref()))
            }
        };
        let conflict = if self.alone { "" } else { " ON CONFLICT DO NOTHING" };
        let gate = if self.awaiting { format!(", gate AS ({})", gates("run")) } else { String::new() };
        format!(
            "WITH run AS (INSERT INTO sprongus_runs ({columns}) SELECT {values}{unbound}{conflict} \
             RETURNING id, project_id, created_at){gate} \
             {INSERT} SELECT $7, id, project_id, $8, 1, $9, created_at, $10, $11 FROM run RETURNING at"
        )
    }

    fn state(&self) -> RunState {
        if self.awaiting { RunState::AwaitingApproval } else { RunState::Queued }
    }
}
