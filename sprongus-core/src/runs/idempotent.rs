//! The run under an idempotency key, found or made (DESIGN.md §5 "enqueue").

use super::Runs;
use super::enqueue::under_key;
use super::model::Run;
use super::requests::{Enqueue, FindIdempotent};
use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::text::check_name;

impl Runs<'_> {
    pub(super) fn do_find_idempotent(&self, request: &FindIdempotent) -> Result<Option<Run>> {
        self.session.allow(Scope::RunsRead)?;
        self.under(request)
    }

    fn under(&self, request: &FindIdempotent) -> Result<Option<Run>> {
        check_name("the key", &request.key)?;
        let project = self.session.project(request.project.as_deref())?;
        self.session.read(|exec| under_key(exec, project, Some(&request.key)))
    }

    /// Each step has a deadline of its own: the factory's work is not waiting.
    pub(super) fn do_ensure_idempotent(
        &self,
        request: &FindIdempotent,
        factory: impl FnOnce() -> Result<Enqueue>,
    ) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        if let Some(run) = self.one_call().under(request)? {
            return Ok(Run { deduplicated: true, ..run });
        }
        let run = self.of_factory(request, factory()?)?;
        match self.enqueue(&run) {
            // A rival's factory was faster and made another run: that one is kept.
            Err(error) if error.code() == ErrorCode::Conflict => {
                let kept = self.one_call().under(request)?;
                kept.map(|run| Run { deduplicated: true, ..run }).ok_or(error)
            }
            result => result,
        }
    }

    /// The run that a factory describes, under the key and in the project that were asked for.
    fn of_factory(&self, request: &FindIdempotent, run: Enqueue) -> Result<Enqueue> {
        if run.idempotency_key.as_ref().is_some_and(|key| *key != request.key) {
            return Err(Error::invalid("the factory's run has another idempotency key than the one asked for"));
        }
        let project = self.session.project(request.project.as_deref())?;
        if run.project.is_some() && self.session.project(run.project.as_deref())? != project {
            return Err(Error::invalid("the factory's run belongs to another project than the one asked for"));
        }
        let project = project.map(str::to_owned);
        Ok(Enqueue { idempotency_key: Some(request.key.clone()), project, ..run })
    }
}
