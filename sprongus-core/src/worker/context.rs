//! What a handler is given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handlers::HandlerError;
use super::held::Held;
use crate::artifacts::{Artifact, PutArtifact};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::runs::approvals::{Approval, RequestApproval};
use crate::runs::{FindStep, Heartbeat, Run, RunState, SaveStep, StepResult};
use crate::secrets;
use crate::store::Store;
use crate::transaction::Tx;

/// A run in a handler's hands, and its ways to the store. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    held: Arc<Held>,
    store: Store,
    /// Over the worker's own connections.
    own: Store,
}

impl Context {
    pub(super) fn new(held: Arc<Held>, store: Store, own: Store) -> Self {
        Self { held, store, own }
    }

    /// The run as it was claimed.
    pub fn run(&self) -> &Run {
        &self.held.run
    }

    /// Its input.
    pub fn input(&self) -> &Json {
        &self.run().input
    }

    /// Whether it is to end soon: its run was canceled or took longer than its timeout, its lease is lost, or the worker stops
    /// and waits no longer.
    ///
    /// What the handler returns does not count then; but where the worker stops, a success does, unless somebody else has
    /// taken the run, and a failure that could be retried gives the run back as if it had not begun.
    pub fn canceled(&self) -> bool {
        self.held.told()
    }

    /// Waits until [`Context::canceled`], at most that long; whether it is. Sleep with this, and a cancel is heard at once.
    pub fn wait_canceled(&self, timeout: Duration) -> bool {
        self.held.wait_told(timeout)
    }

    /// How much of the run's timeout is left, where it has one: 0 when it is over.
    pub fn time_left(&self) -> Option<Duration> {
        self.held.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The store, for whatever the work needs.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Tells how far the work is, and extends the lease; the worker extends it by itself as well.
    ///
    /// Errors: `lease_lost` where the run is no longer this handler's, canceled included.
    pub fn heartbeat(&self, progress: Json) -> Result<()> {
        self.beat(Some(progress))
    }

    /// As [`Context::heartbeat`]; without `progress` what was told before stays.
    pub fn beat(&self, progress: Option<Json>) -> Result<()> {
        let progress = progress.map(|progress| self.hidden(progress));
        let beat = Heartbeat { progress, ..Heartbeat::new(&self.run().id, self.run().lease) };
        let told = self.own.runs().heartbeat(&beat).and_then(|run| still(&run));
        self.noted(told)
    }

    /// Runs `work` in one transaction that commits only while the run is still this handler's, and extends its lease.
    ///
    /// Errors: those of the work; `lease_lost` where the run was canceled or taken: nothing was written then.
    pub fn transaction<T>(&self, work: impl FnOnce(&Tx<'static>) -> Result<T>) -> Result<T> {
        let tx = self.begin()?;
        match work(&tx) {
            Ok(value) => self.commit(tx).map(|()| value),
            Err(error) => {
                tx.rollback_after(&error);
                self.noted(Err(error))
            }
        }
    }

    /// Opens a transaction that [`Context::commit`] ends; dropped, it is rolled back.
    pub fn begin(&self) -> Result<Tx<'static>> {
        self.store.begin()
    }

    /// Commits what [`Context::begin`] opened, if the run is still this handler's, and extends its lease with it.
    ///
    /// Errors: as [`Tx::commit`]; `lease_lost` where the run was canceled or taken: nothing was written then.
    pub fn commit(&self, tx: Tx<'static>) -> Result<()> {
        let run = tx.runs().heartbeat(&Heartbeat::new(&self.run().id, self.run().lease));
        let done = match run.and_then(|run| still(&run)) {
            Ok(()) => tx.commit(),
            Err(error) => {
                tx.rollback_after(&error);
                Err(error)
            }
        };
        self.noted(done)
    }

    /// The result of a step: the stored one, of whichever attempt, else what `work` gives, which is stored. No transaction of
    /// ours is open while it works.
    ///
    /// Errors: those of the work; a failed attempt where the result is too large to be stored, or the run is no longer this
    /// handler's.
    pub fn step(&self, name: &str, work: impl FnOnce() -> Result<Json, HandlerError>) -> Result<Json, HandlerError> {
        if let Some(step) = self.find_step(name)? {
            return Ok(step.output);
        }
        Ok(self.save_step(name, work()?)?.output)
    }

    /// The first half of [`Context::step`], for bindings: the stored result. Errors: as [`Runs::find_step`](crate::Runs::find_step).
    pub fn find_step(&self, name: &str) -> Result<Option<StepResult>> {
        self.noted(self.own.runs().find_step(&FindStep::new(&self.run().id, self.run().lease, name)))
    }

    /// Its second half: stores a result. Errors: as [`Runs::save_step`](crate::Runs::save_step).
    pub fn save_step(&self, name: &str, output: Json) -> Result<StepResult> {
        let output = self.hidden(output);
        self.noted(self.own.runs().save_step(&SaveStep::new(&self.run().id, self.run().lease, name, output)))
    }

    /// Keeps a content as the next version of its kind and key, in the run's project and made by it; only while the run is
    /// still this handler's, whose lease is extended with it. An attempt that does it again makes a version of its own, unless
    /// `if_changed` is set.
    ///
    /// Errors: as [`Artifacts::put`](crate::artifacts::Artifacts::put); `lease_lost` where the run was canceled or taken: nothing
    /// was written then.
    pub fn artifact(&self, put: &PutArtifact) -> Result<Artifact> {
        self.without_secrets(put)?;
        // Judged before the transaction: a hash takes its time.
        let prepared = self.store.artifacts().prepare(put)?.made_by(self.run());
        self.transaction(|tx| tx.artifacts().put_prepared(&prepared))
    }

    /// Leave to do something: the decided record, or [`HandlerError::Awaiting`], with which the handler is left (`?` does
    /// that): the run then waits without a lease, and is worked anew from the start, its steps stored, once leave is given.
    /// Where it is refused, the run ends denied. `step` tells apart requests of the same scope; `metadata` is an object or null.
    ///
    /// ```
    /// # use sprongus::{Json, Options, Store, WorkerOptions};
    /// # use sprongus::worker::{Context, Outcome};
    /// # let store = Store::open(":memory:", Options::default())?;
    /// # let worker = store.worker(WorkerOptions::default())?;
    /// worker.handle("release", |context: &Context| {
    ///     let built = context.step("build", || Ok(Json::parse(r#"{"image":"app:7"}"#)?))?;
    ///     context.approval("deploy.production", "Deploys app:7 to all hosts", None, built)?;
    ///     context.step("deploy", || Ok(Json::null())).map(Outcome::Output)
    /// })?;
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    ///
    /// Errors: as [`Approvals::request`](crate::runs::approvals::Approvals::request), as failed attempts.
    pub fn approval(
        &self,
        scope: &str,
        intent_summary: &str,
        step: Option<&str>,
        metadata: Json,
    ) -> Result<Approval, HandlerError> {
        let approval = self.request_approval(scope, intent_summary, step, metadata)?;
        match approval.decision {
            Some(_) => Ok(approval),
            None => Err(HandlerError::Awaiting),
        }
    }

    /// As [`Context::approval`], for bindings: a pending record is an answer too, after which the handler is to be left.
    ///
    /// Errors: as [`Approvals::request`](crate::runs::approvals::Approvals::request).
    pub fn request_approval(
        &self,
        scope: &str,
        intent_summary: &str,
        step: Option<&str>,
        metadata: Json,
    ) -> Result<Approval> {
        let intent_summary = self.hide_secrets(intent_summary.to_owned());
        let request = RequestApproval {
            step: step.map(str::to_owned),
            metadata: self.hidden(metadata),
            ..RequestApproval::new(&self.run().id, self.run().lease, scope, intent_summary)
        };
        self.noted(self.own.approvals().request(&request))
    }

    /// The secret that a `{"$secret": name}` of the input names, from [`Options::secrets`](crate::Options::secrets) or the
    /// environment, now. It is neither kept nor logged.
    ///
    /// From then on `[secret]` stands in its place in what the worker stores of this attempt: errors, panics, outputs, progress,
    /// the results of steps, approvals; if it has four characters or more. What the handler writes through
    /// [`Context::store`] is its own.
    ///
    /// Errors: `invalid_argument` where it is no such reference; `not_found` where there is no secret of that name;
    /// `unavailable` where the host's resolver fails otherwise, without what it said.
    pub fn secret(&self, reference: &serde_json::Value) -> Result<String> {
        let name = secrets::name_of(reference);
        let name = name.ok_or_else(|| Error::invalid("a secret is named as {\"$secret\": NAME}"))?;
        let secret = secrets::resolve(self.store.options().secrets.as_ref(), name)?;
        self.held.secrets().add(&secret);
        Ok(secret)
    }

    /// A text without the secrets that this handler asked for by [`Context::secret`], as the worker would store it: for log lines
    /// of the host's own.
    pub fn hide_secrets(&self, text: String) -> String {
        self.held.secrets().hide_text(text)
    }

    /// Without the secrets the handler asked for.
    fn hidden(&self, json: Json) -> Json {
        self.held.secrets().hide_json(json)
    }

    /// Refuses an artifact that holds one: cut out of its bytes, it would be another.
    fn without_secrets(&self, put: &PutArtifact) -> Result<()> {
        let secrets = self.held.secrets();
        let documents = [&put.json, &put.metadata].map(|document| document.as_ref().map_or("", Json::as_str));
        let texts = [&put.text, &put.reference].map(|text| text.as_deref().unwrap_or_default());
        let names = [put.kind.as_str(), &put.key];
        let texts = [documents, texts, names].concat();
        let bytes = put.bytes.as_deref().into_iter().chain(texts.into_iter().map(str::as_bytes));
        if bytes.into_iter().any(|bytes| secrets.are_in(bytes)) {
            let message = "the artifact holds a secret that was resolved for this run";
            return Err(Error::new(ErrorCode::SecretDetected, message));
        }
        Ok(())
    }

    /// Whether the error says so of this run: the work in a transaction may have been about another.
    fn is_lost(&self, error: &Error) -> bool {
        let about = error.details().and_then(|details| details.get("id")).and_then(|id| id.as_str());
        error.code() == ErrorCode::LeaseLost && about.is_none_or(|id| id == self.run().id)
    }

    /// Remembers that the lease is gone.
    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(|error| self.is_lost(error)) {
            self.held.tell();
        }
        result
    }
}

/// Refuses to go on with a run that was canceled.
fn still(run: &Run) -> Result<()> {
    if run.state == RunState::Canceled {
        return Err(Error::new(ErrorCode::LeaseLost, format!("the run {} was canceled", run.id)));
    }
    Ok(())
}
