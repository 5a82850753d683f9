//! One attempt at a sync: pull, compare, take over, push, and say what was done.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::decide::Rule;
use super::diff::{Done, diff};
use super::model::SyncDiff;
use super::plan::{Plan, plan};
use super::pulled::Pulled;
use super::slot;
use super::state::Pair;
use crate::artifacts::{Artifacts, PutArtifact};
use crate::aux_store::document::Rules;
use crate::aux_store::providers::{Capabilities, Opened, Provider, open};
use crate::aux_store::rows::{self, Place};
use crate::aux_store::{bound, counters};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::presets::lock_table;
use crate::runs::{Run, Runs, SYNC_KIND, Succeed, SyncInput};
use crate::session::{Session, Who, Within, Work};

/// The kind of the artifact that holds a sync's diff.
const DIFF: &str = "sync.diff";

/// A sync under way, in the hands of whoever has its run.
pub(super) struct Syncing<'s> {
    pub(super) session: Session<'s>,
    run: &'s Run,
    pub(super) input: &'s SyncInput,
    pub(super) pair: Pair<'s>,
    rules: Rules,
    can: Capabilities,
    patience: Duration,
    /// Fails where the run is to be left: canceled, taken by another, interrupted.
    pub(super) go_on: &'s dyn Fn() -> Result<()>,
}

/// How an attempt is made.
pub(crate) struct Attempt<'a> {
    /// A run of the kind `sync.aux/TABLE`, running.
    pub(crate) run: &'a Run,
    /// Whether the run is to be left.
    pub(crate) told: &'a dyn Fn() -> bool,
    /// How long others are waited for: a sync of the same table and provider, a bulk write of the table.
    pub(crate) patience: Duration,
}

/// Works a run, and reports its success; what became of it.
///
/// # Errors
/// What it failed with: the run is still to be reported as failed, or given back where [`is_held`](slot::is_held).
pub(crate) fn work(session: Session<'_>, attempt: &Attempt<'_>, provider: Option<&mut dyn Provider>) -> Result<Run> {
    let begun = Instant::now();
    let worked = catch_unwind(AssertUnwindSafe(|| attempt.work(session, provider)));
    let failed = !matches!(worked, Ok(Ok(_)));
    let project = attempt.run.project_id.as_deref().unwrap_or_default();
    if !matches!(&worked, Ok(Err(error)) if slot::is_held(error)) {
        counters::synced(session.core(), project, begun.elapsed(), failed);
    }
    worked.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Attempt<'_> {
    fn work(&self, session: Session<'_>, provider: Option<&mut dyn Provider>) -> Result<Run> {
        let input: SyncInput = crate::json::decode(self.run.input.as_str().as_bytes())?;
        let project = self.run.project_id.as_deref();
        let table = self.run.kind.strip_prefix(SYNC_KIND);
        let (Some(project), Some(table)) = (project, table) else {
            return Err(Error::invalid("a sync is of a table of a project: name the project"));
        };
        let place = Place { project, table };
        let pair = Pair { place, provider: &input.provider };
        crate::text::check_name("the provider", pair.provider)?;
        let go_on = || self.go_on(session);
        slot::take(session, pair, self.run, self.patience)?;
        let rules = session.read(|exec| bound::read(session, exec, place))?;
        let syncing = |rules, can| {
            let (run, input, patience) = (self.run, &input, self.patience);
            Syncing { session, run, input, pair, rules, can, patience, go_on: &go_on }
        };
        match provider {
            Some(provider) => syncing(rules, provider.capabilities()).sync(provider),
            None => {
                let Opened { mut provider, secrets } = open(session, pair.provider, table, &rules.preset)?;
                let done = syncing(rules, provider.capabilities()).sync(&mut *provider);
                done.map_err(|error| secrets.masks.hide(error))
            }
        }
    }

    fn go_on(&self, session: Session<'_>) -> Result<()> {
        if (self.told)() {
            let message = format!("the run {} was canceled or taken by another meanwhile", self.run.id);
            return Err(Error::new(ErrorCode::LeaseLost, message).with_details(json!({ "id": self.run.id })));
        }
        match &session.options().interrupt {
            Some(asked) if asked() => Err(crate::db::interrupted()),
            _ => Ok(()),
        }
    }
}

impl Syncing<'_> {
    fn sync(&self, provider: &mut dyn Provider) -> Result<Run> {
        if !self.can.read && !self.can.write {
            let message = format!("the provider {:?} can be neither read nor written", self.pair.provider);
            return Err(Error::new(ErrorCode::Unsupported, message));
        }
        let pulled = match self.can.read {
            true => {
                let documents = provider.pull(self.pair.place.project, self.pair.place.table)?;
                Pulled::read(&self.rules, documents, self.go_on)?
            }
            false => Pulled::nothing(),
        };
        let (plan, mut done) = self.apply(&pulled)?;
        if !self.input.dry_run {
            let place = self.pair.place;
            counters::refused(self.session.core(), place.project, place.table, counters::rows_of(&done.errors));
            done.later = self.push(&plan, provider)?;
        }
        self.finish(&plan, done)
    }

    pub(super) fn plan(&self, pulled: &Pulled) -> Result<Plan> {
        let rule = Rule { policy: self.input.policy, can: self.can, unnamed: pulled.unnamed };
        self.patiently(|| plan(self.session, &self.rules, self.pair, rule, pulled))
    }

    /// Waits for a bulk write of the table, and whoever else has what is needed. Not for what a provider does.
    pub(super) fn patiently<T>(&self, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        let until = Instant::now() + self.patience;
        loop {
            match work() {
                Err(error) if error.code() == ErrorCode::Busy && Instant::now() >= until => {
                    return Err(slot::held(error));
                }
                Err(error) if error.code() == ErrorCode::Busy => (self.go_on)()?,
                result => return result,
            }
            std::thread::sleep(slot::LOOK);
        }
    }

    /// Extends the run's lease; nothing is written for a run that others have.
    pub(super) fn fence(&self, work: &mut Work<'_>) -> Result<()> {
        Runs::new(self.session).fence(work, &self.run.id, self.run.lease)
    }

    /// Who syncs, and why where nobody said.
    pub(super) fn who(&self) -> Who {
        let who = self.session.who();
        let why = || Arc::from(format!("sync with {}", self.pair.provider));
        Who { reason: Some(who.reason.clone().unwrap_or_else(why)), ..who.clone() }
    }

    /// The diff, the event and the run's success, in one commit.
    fn finish(&self, plan: &Plan, done: Done) -> Result<Run> {
        let diff = diff(plan, done);
        let content = Json::from_serialize(&diff)?;
        let metadata = Json::from_serialize(&diff.counts)?;
        Runs::new(self.session).write(|work| {
            self.fence(work)?;
            if !diff.dry_run {
                self.tell(work, &diff)?;
            }
            let within = Within::new(work, self.who());
            let session = Session::new(&within);
            let artifact = Artifacts::new(session).put(&PutArtifact {
                kind: DIFF.to_owned(),
                key: self.pair.place.table.to_owned(),
                json: Some(content.clone()),
                metadata: Some(metadata.clone()),
                project: Some(self.pair.place.project.to_owned()),
                run: Some(self.run.id.clone()),
                ..PutArtifact::default()
            })?;
            let output_ref = Some(format!("artifact:{}", artifact.id));
            Runs::new(session).succeed(&Succeed { output_ref, ..Succeed::new(&self.run.id, self.run.lease) })
        })
    }

    /// One event for the whole sync.
    fn tell(&self, work: &mut Work<'_>, diff: &SyncDiff) -> Result<()> {
        let place = self.pair.place;
        lock_table(work, place.project, place.table, true)?;
        let mut payload = json!(diff.counts);
        payload["provider"] = json!(self.pair.provider);
        payload["runId"] = json!(self.run.id);
        rows::tell_of_table(work, place, "aux.synced", &payload)
    }
}
