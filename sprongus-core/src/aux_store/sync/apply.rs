//! The transaction of a sync: what the provider changed is taken over, and what is to be pushed is noted.

use serde_json::Value;

use super::decide::{Action, Hash};
use super::diff::Done;
use super::plan::{Plan, Planned};
use super::pulled::Pulled;
use super::slot::held;
use super::state;
use super::work::Syncing;
use crate::aux_store::bulk::{self, Given, Others, Prepared};
use crate::aux_store::import::Content;
use crate::aux_store::model::{BulkOptions, BulkReport, Mode, OnError, OnReferenced};
use crate::aux_store::refs::DANGLING;
use crate::aux_store::{bound, delete};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::session::{Session, Within, Work};

/// How often a plan is made anew because entries it is about were written meanwhile.
const PLANS: usize = 10;

impl Syncing<'_> {
    /// Makes a plan and carries out what concerns the table; a dry run undoes it.
    ///
    /// # Errors
    /// `invalid_state` where an empty pull would empty the table; `busy` where others keep writing the same entries.
    pub(super) fn apply(&self, pulled: &Pulled) -> Result<(Plan, Done)> {
        for _ in 0..PLANS {
            let plan = self.plan(pulled)?;
            self.refuse_emptying(&plan, pulled)?;
            let prepared = self.prepare(&plan, pulled)?;
            if let Some(done) = self.patiently(|| self.carry_out(&plan, pulled, prepared.as_ref()))? {
                return Ok((plan, done));
            }
        }
        let message = "others keep writing the entries that the sync is to change; try again";
        Err(held(Error::new(ErrorCode::Busy, message)))
    }

    fn refuse_emptying(&self, plan: &Plan, pulled: &Pulled) -> Result<()> {
        let lost = plan.of(|action| *action == Action::Drop).count();
        if pulled.rows > 0 || lost == 0 || self.input.force {
            return Ok(());
        }
        let message = format!(
            "the provider {:?} has no document for the table {:?}, so {lost} entries would be deleted; set force if that is meant",
            self.input.provider, self.pair.place.table
        );
        Err(Error::new(ErrorCode::InvalidState, message))
    }

    /// Judges the documents that the table is to take, while nothing is locked.
    fn prepare(&self, plan: &Plan, pulled: &Pulled) -> Result<Option<Prepared>> {
        let mut taken = plan.of(|action| *action == Action::Take).peekable();
        if taken.peek().is_none() {
            return Ok(None);
        }
        let mut rows = taken.filter_map(|one| Some(given(pulled, one, one.remote?)));
        let mut go_on = |_, _| (self.go_on)();
        bulk::prepare(self.session, self.pair.place, &mut rows, Mode::Replace, None, &mut go_on).map(Some)
    }

    /// `None` where an entry was written since the plan was made.
    fn carry_out(&self, plan: &Plan, pulled: &Pulled, prepared: Option<&Prepared>) -> Result<Option<Done>> {
        let (mut done, dry_run) = (None, self.input.dry_run);
        let written = self.session.write_bulk(|work| {
            done = None;
            let made = done.insert(self.write(work, plan, pulled, prepared)?);
            // An error undoes the work; it is not one the caller sees.
            if dry_run || made.is_none() { Err(Error::new(ErrorCode::InvalidState, "undone")) } else { Ok(()) }
        });
        match (written, done) {
            (Ok(()), done) => Ok(done.flatten()),
            (Err(_), Some(done)) if dry_run || done.is_none() => Ok(done),
            (Err(error), _) => Err(error),
        }
    }

    fn write(
        &self,
        work: &mut Work<'_>,
        plan: &Plan,
        pulled: &Pulled,
        prepared: Option<&Prepared>,
    ) -> Result<Option<Done>> {
        let place = self.pair.place;
        self.fence(work)?;
        bound::to_write(self.session, work, place, true)?;
        let remote = |one: &Planned| one.remote.map_or(Hash::default(), |index| pulled.hash(index));
        state::stage(work.exec(), &plan.planned, &remote)?;
        if state::is_stale(work.exec(), place)? {
            return Ok(None);
        }
        let (report, warnings) = self.write_entries(work, plan, prepared)?;
        let mut errors = pulled.errors.clone();
        errors.extend(plan.errors.iter().chain(&report.errors).cloned());
        let refused: Vec<&str> = report.errors.iter().filter_map(|one| one.id.as_deref()).collect();
        state::keep_staged(work.exec(), self.pair, &refused)?;
        // What was written may have taken longer than the lease, which nobody could extend meanwhile.
        self.fence(work)?;
        let dropped = plan.of(|action| *action == Action::Drop).count() as u64;
        Ok(Some(Done {
            pulled: pulled.rows,
            errors,
            warnings: pulled.warnings.iter().cloned().chain(warnings).chain(report.warnings).collect(),
            created: report.created,
            updated: report.updated,
            deleted: dropped,
            dry_run: self.input.dry_run,
            ..Done::default()
        }))
    }

    /// What is deleted goes first: its unique values are free then.
    fn write_entries(
        &self,
        work: &mut Work<'_>,
        plan: &Plan,
        prepared: Option<&Prepared>,
    ) -> Result<(BulkReport, Vec<Violation>)> {
        let within = Within::new(work, self.who());
        let session = Session::new(&within);
        let mut warnings = Vec::new();
        for one in plan.of(|action| *action == Action::Drop) {
            let referrers = delete::delete(session, self.pair.place, &one.id, OnReferenced::Warn)?;
            warnings.extend(referrers.into_iter().map(|referrer| {
                let message = format!("refers in {} to the deleted entry {:?}", referrer.field, one.id);
                Violation { id: Some(referrer.id), ..Violation::new("", DANGLING, message) }
            }));
        }
        let options = BulkOptions { mode: Mode::Replace, on_error: OnError::Report, dry_run: false };
        let report = match prepared {
            Some(prepared) => bulk::write(session, self.pair.place, prepared, options, Others::Stay)?,
            None => BulkReport::default(),
        };
        Ok((report, warnings))
    }
}

/// A document of the pull as a row, under its id.
fn given(pulled: &Pulled, one: &Planned, index: usize) -> Result<Given> {
    let (row, mut document, _) = pulled.document(index)?;
    document.entry("id").or_insert_with(|| Value::String(one.id.to_string()));
    Ok((row, Ok(Content::Tree(document))))
}
