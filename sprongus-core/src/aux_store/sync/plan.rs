//! All decisions of a sync: the table, the provider's documents and what both had, walked together in the order of ids.

use std::vec::IntoIter;

use super::decide::{Action, Base, Decision, Local, Remote, Rule, decide};
use super::pulled::Pulled;
use super::state::{self, Pair};
use crate::aux_store::Nulls;
use crate::aux_store::bulk;
use crate::aux_store::document::Rules;
use crate::aux_store::model::Mode;
use crate::db::Executor;
use crate::error::{Result, Violation};
use crate::session::Session;

/// What is to be done about an entry.
pub(super) struct Planned {
    pub(super) id: Box<str>,
    /// Which document of the pull it is.
    pub(super) remote: Option<usize>,
    /// The version of the entry when this was decided; 0 where there was none.
    pub(super) version: i64,
    pub(super) decision: Decision,
}

/// What a sync is to do.
#[derive(Default)]
pub(super) struct Plan {
    /// By id; nothing is said of entries that stay as they are.
    pub(super) planned: Vec<Planned>,
    /// What is wrong with documents that would not do for this table, where that was asked.
    pub(super) errors: Vec<Violation>,
}

impl Plan {
    /// What is to be done about that entry.
    pub(super) fn find(&self, id: &str) -> Option<&Planned> {
        let index = self.planned.binary_search_by(|one| (*one.id).cmp(id)).ok()?;
        self.planned.get(index)
    }

    /// The decisions of that kind.
    pub(super) fn of(&self, wanted: fn(&Action) -> bool) -> impl Iterator<Item = &Planned> {
        self.planned.iter().filter(move |one| wanted(&one.decision.action))
    }
}

/// Decides about every entry there is on either side.
pub(super) fn plan(session: Session<'_>, rules: &Rules, pair: Pair<'_>, rule: Rule, pulled: &Pulled) -> Result<Plan> {
    bulk::clear_dead(session, pair.place)?;
    let mut locals = Pages::new(session, |exec, after| state::locals(exec, pair.place, after))?;
    let mut bases = Pages::new(session, |exec, after| state::bases(exec, pair, after))?;
    let mut remotes = pulled.by_id().peekable();
    let mut plan = Plan::default();
    loop {
        let ids = [locals.id(), bases.id(), remotes.peek().map(|(_, id, _)| *id)];
        let Some(id) = ids.into_iter().flatten().min() else { return Ok(plan) };
        let id: Box<str> = id.into();
        let local: Option<Local> = locals.take(&id)?;
        let base: Base = bases.take(&id)?.unwrap_or_default();
        let remote = remotes.next_if(|(_, other, _)| **other == *id).map(|(index, _, remote)| (index, remote));
        let absent = if rule.can.read { Remote::Absent } else { Remote::Unasked };
        let state = remote.map_or(absent, |(_, remote)| remote);
        let remote = remote.map(|(index, _)| index);
        let same = || match (local, remote) {
            (Some(local), Some(index)) => becomes(rules, pulled, &id, index, local),
            _ => Ok(false),
        };
        match decide(rule, base, local, state, same) {
            Ok(None) => {}
            Ok(Some(decision)) => {
                let version = local.map_or(0, |local| local.version);
                plan.planned.push(Planned { id, remote, version, decision });
            }
            Err(error) => plan.errors.extend(of_one(error, pulled, &id, remote)?),
        }
    }
}

/// Whether a document of the pull would be what the entry is.
fn becomes(rules: &Rules, pulled: &Pulled, id: &str, index: usize, local: Local) -> Result<bool> {
    if pulled.hash(index) == local.hash {
        return Ok(true);
    }
    let (_, document, _) = pulled.document(index)?;
    Ok(rules.written(id, document, None, Mode::Replace, Nulls::Keep)?.hash == local.hash)
}

/// What is wrong with a document that would not do; any other error is the sync's.
fn of_one(error: crate::Error, pulled: &Pulled, id: &str, remote: Option<usize>) -> Result<Vec<Violation>> {
    let Some(index) = remote.filter(|_| crate::aux_store::bulk::is_of_row(error.code())) else { return Err(error) };
    let (row, ..) = pulled.document(index)?;
    let violations = crate::aux_store::bulk::violations(&error);
    let named = |one| Violation { row: Some(row), id: Some(id.to_owned()), ..one };
    Ok(violations.into_iter().map(named).collect())
}

/// Reads the rows after an id.
type ReadPage<'p, T> = Box<dyn Fn(&mut dyn Executor, &str) -> Result<Vec<(String, T)>> + 'p>;

/// Rows in the order of their ids, a page at a time, each read by itself: nothing is held between two.
struct Pages<'p, T> {
    session: Session<'p>,
    read: ReadPage<'p, T>,
    page: IntoIter<(String, T)>,
    next: Option<(String, T)>,
    whole: bool,
}

impl<'p, T> Pages<'p, T> {
    fn new(
        session: Session<'p>,
        read: impl Fn(&mut dyn Executor, &str) -> Result<Vec<(String, T)>> + 'p,
    ) -> Result<Self> {
        let mut pages = Self { session, read: Box::new(read), page: Vec::new().into_iter(), next: None, whole: true };
        pages.advance("")?;
        Ok(pages)
    }

    fn id(&self) -> Option<&str> {
        self.next.as_ref().map(|(id, _)| id.as_str())
    }

    /// The row of that id, where it is the next one.
    fn take(&mut self, id: &str) -> Result<Option<T>> {
        if self.id() != Some(id) {
            return Ok(None);
        }
        let taken = self.next.take();
        self.advance(id)?;
        Ok(taken.map(|(_, row)| row))
    }

    fn advance(&mut self, after: &str) -> Result<()> {
        self.next = self.page.next();
        if self.next.is_none() && self.whole {
            let page = self.session.read(|exec| (self.read)(exec, after))?;
            self.whole = state::is_whole(page.len());
            self.page = page.into_iter();
            self.next = self.page.next();
        }
        Ok(())
    }
}
