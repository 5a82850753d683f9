//! Messages from outside, each processed once (DESIGN.md §5 "inbox.accept").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::id::new_id;
use crate::runs::{Enqueue, Run, Runs, put_one};
use crate::scope::Scope;
use crate::session::{Session, Work};
use crate::text::check_name;

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accept {
    /// The channel it came by: 1–512 bytes.
    pub channel_id: String,
    /// Its id in that channel: 1–512 bytes.
    pub provider_message_id: String,
    /// The run that works it, if one does; enqueued in the same commit. Its project is the message's.
    #[serde(default)]
    pub enqueue: Option<Enqueue>,
    /// Whose it is; none: a scoped handle's own, else those without one.
    #[serde(default)]
    pub project: Option<String>,
}

impl Accept {
    /// A message without a run.
    pub fn new(channel_id: impl Into<String>, provider_message_id: impl Into<String>) -> Self {
        Self {
            channel_id: channel_id.into(),
            provider_message_id: provider_message_id.into(),
            enqueue: None,
            project: None,
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The run of the first time as it is now, if it had one and it was not pruned.
    pub run: Option<Run>,
    /// Whether this was the first time.
    pub first: bool,
}

/// The inbox of a store, or of an open transaction; from [`Store::inbox`](crate::Store::inbox) or
/// [`Tx::inbox`](crate::Tx::inbox).
///
/// ```
/// use sprongus::inbox::Accept;
/// use sprongus::runs::Enqueue;
/// use sprongus::{Json, Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let mail = Accept { enqueue: Some(Enqueue::new("reply", Json::null())), ..Accept::new("mail", "<17@example.org>") };
/// let first = store.inbox().accept(&mail)?;
/// let again = store.inbox().accept(&mail)?;
/// assert!(first.first && !again.first);
/// assert_eq!(first.run, again.run);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Inbox<'s> {
    session: Session<'s>,
}

impl<'s> Inbox<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Takes a message once per project, channel and id, under any race; its run, if it has one, is enqueued in the same
    /// commit. A repeat is answered with the first and that one's run as it is now, whatever the repeat brings.
    ///
    /// What is wrong with the request itself (names, times, another project) is refused before anything is looked up, of a
    /// repeat too; the size of the input, the preset of the kind and the idempotency key are asked about for the first only.
    ///
    /// Errors: `invalid_argument`, `permission_denied`, and for the first those of [`Runs::enqueue`]: the message is not
    /// taken then, and may come again.
    pub fn accept(&self, request: &Accept) -> Result<Accepted> {
        Self { session: self.session.one_call() }.do_accept(request)
    }

    fn do_accept(&self, request: &Accept) -> Result<Accepted> {
        self.session.allow(Scope::RunsWrite)?;
        check_name("channelId", &request.channel_id)?;
        check_name("providerMessageId", &request.provider_message_id)?;
        let project = self.session.project(request.project.as_deref())?;
        let message = Message {
            id: new_id(),
            project: project.unwrap_or_default(),
            channel: &request.channel_id,
            message: &request.provider_message_id,
        };
        let runs = Runs::new(self.session);
        let Some(enqueue) = &request.enqueue else {
            return runs.watched(|| match self.session.write_one(|work| message.enter(work, None))? {
                true => Ok(Accepted { run: None, first: true }),
                false => self.session.read(|exec| message.answer(exec)),
            });
        };
        if enqueue.project.is_some() && enqueue.project.as_deref() != project {
            return Err(Error::invalid("enqueue.project is the message's, or none"));
        }
        runs.check(enqueue)?;
        let ready = match runs.ready(enqueue, project) {
            Ok(ready) => ready,
            Err(error) => return self.session.read(|exec| message.find(exec))?.ok_or(error),
        };
        runs.write(|work| {
            if !message.enter(work, Some(&ready.id))? {
                return message.answer(work.exec());
            }
            let run = put_one(work, &ready)?;
            if run.id != ready.id {
                message.belongs_to(work, &run.id)?;
            }
            Ok(Accepted { run: Some(run), first: true })
        })
    }
}

/// A message, and the id of this call of accept.
struct Message<'m> {
    id: String,
    project: &'m str,
    channel: &'m str,
    message: &'m str,
}

impl Message<'_> {
    /// Whether it was not there. A rival that has not committed is waited for: where it rolls back, this one is the first.
    fn enter(&self, work: &mut Work<'_>, run: Option<&str>) -> Result<bool> {
        let sql = format!(
            "INSERT INTO sprongus_inbox (project_id, channel_id, message_id, id, run_id, at) \
             VALUES ($1, $2, $3, $4, $5, {}) ON CONFLICT DO NOTHING",
            work.dialect().now(6)
        );
        let [project, channel, message] = self.key();
        let params = [project.into(), channel.into(), message.into(), (&self.id).into(), run.into(), work.now()];
        Ok(work.execute(&sql, &params)? == 1)
    }

    /// Its run is another: the one there was under the idempotency key.
    fn belongs_to(&self, work: &mut Work<'_>, run: &str) -> Result<()> {
        let [project, channel, message] = self.key();
        let sql = "UPDATE sprongus_inbox SET run_id = $4 WHERE project_id = $1 AND channel_id = $2 AND message_id = $3";
        work.execute(sql, &[project.into(), channel.into(), message.into(), run.into()]).map(drop)
    }

    /// What became of it, if it is there.
    fn find(&self, exec: &mut dyn Executor) -> Result<Option<Accepted>> {
        let sql = "SELECT id, run_id FROM sprongus_inbox WHERE project_id = $1 AND channel_id = $2 AND message_id = $3";
        let rows = exec.query(sql, &self.key().map(Into::into))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let run = match row.opt_text(1)? {
            Some(run) => crate::runs::find(exec, &run)?,
            None => None,
        };
        // This call's own entry is there where the answer to its commit was lost.
        Ok(Some(Accepted { run, first: row.text(0)? == self.id }))
    }

    fn answer(&self, exec: &mut dyn Executor) -> Result<Accepted> {
        let gone = || Error::new(ErrorCode::Busy, "the message was just removed from the inbox; try again");
        self.find(exec)?.ok_or_else(gone)
    }

    fn key(&self) -> [&str; 3] {
        [self.project, self.channel, self.message]
    }
}
