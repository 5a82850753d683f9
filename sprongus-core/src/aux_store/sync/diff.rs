//! What a sync says it has done: figures, then items, as long as the artifact has room.

use std::collections::{BTreeMap, HashSet};

use super::decide::{Action, Push};
use super::model::{SyncCounts, SyncDiff, SyncItem, SyncOutcome};
use super::plan::{Plan, Planned};
use crate::error::Violation;

/// The most bytes of items that are kept.
const ROOM: usize = 1 << 20;
/// The most warnings that are kept.
const WARNINGS: usize = 1_000;

/// What became of a plan.
#[derive(Default)]
pub(super) struct Done {
    /// Documents of the pull.
    pub(super) pulled: u64,
    /// What is wrong with those that were refused.
    pub(super) errors: Vec<Violation>,
    pub(super) warnings: Vec<Violation>,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
    /// Entries that were to be pushed and were written meanwhile.
    pub(super) later: HashSet<String>,
    pub(super) dry_run: bool,
}

/// The diff of a plan that was carried out.
pub(super) fn diff(plan: &Plan, done: Done) -> SyncDiff {
    let mut listing = Listing { room: ROOM, items: Vec::new(), omitted: 0 };
    let refused: HashSet<&str> = done.errors.iter().filter_map(|one| one.id.as_deref()).collect();
    let mut counts = SyncCounts {
        pulled: done.pulled,
        created: done.created,
        updated: done.updated,
        deleted: done.deleted,
        errors: rows_of(&done.errors),
        ..SyncCounts::default()
    };
    let told = |one: &&Planned| !refused.contains(&*one.id) && outcome(one, &done.later).is_some();
    let conflicts = || plan.planned.iter().filter(told).filter(|one| is_conflict(one));
    for one in conflicts() {
        counts.conflicts += 1;
        counts.unresolved += u64::from(matches!(one.decision.action, Action::Leave(_)));
        listing.add(item(one, &done.later));
    }
    for violations in by_row(&done.errors).into_values() {
        let id = violations.first().and_then(|one| one.id.clone());
        let change = id.as_deref().and_then(|id| plan.find(id));
        let (provider, local) = change.map_or((None, None), |one| (one.decision.provider, one.decision.local));
        listing.add(SyncItem { id, provider, local, outcome: SyncOutcome::Refused, violations });
    }
    for one in plan.planned.iter().filter(told).filter(|one| !is_conflict(one)) {
        listing.add(item(one, &done.later));
    }
    for one in plan.planned.iter().filter(told) {
        count_push(&mut counts, one, &done.later);
    }
    let mut warnings = done.warnings;
    warnings.truncate(WARNINGS);
    SyncDiff { counts, items: listing.items, omitted: listing.omitted, warnings, dry_run: done.dry_run }
}

fn is_conflict(one: &Planned) -> bool {
    one.decision.provider.is_some() && one.decision.local.is_some()
}

/// What is told of it; nothing where both sides came to the same.
fn outcome(one: &Planned, later: &HashSet<String>) -> Option<SyncOutcome> {
    match one.decision.action {
        Action::Take | Action::Drop => Some(SyncOutcome::Pulled),
        Action::Agree | Action::Forget => None,
        Action::Push(_) if later.contains(&*one.id) => Some(SyncOutcome::Later),
        Action::Push(_) => Some(SyncOutcome::Pushed),
        Action::Leave(outcome) => Some(outcome),
    }
}

fn item(one: &Planned, later: &HashSet<String>) -> SyncItem {
    let outcome = outcome(one, later).unwrap_or(SyncOutcome::Kept);
    let (provider, local) = (one.decision.provider, one.decision.local);
    SyncItem { id: Some(one.id.to_string()), provider, local, outcome, violations: Vec::new() }
}

fn count_push(counts: &mut SyncCounts, one: &Planned, later: &HashSet<String>) {
    match one.decision.action {
        Action::Push(_) if later.contains(&*one.id) => {}
        Action::Push(Push::Create(_)) => counts.pushed_created += 1,
        Action::Push(Push::Update(_)) => counts.pushed_updated += 1,
        Action::Push(Push::Delete) => counts.pushed_deleted += 1,
        Action::Leave(SyncOutcome::NotPushed) => counts.not_pushed += 1,
        _ => {}
    }
}

/// How many documents these are of.
fn rows_of(violations: &[Violation]) -> u64 {
    violations.iter().map(|one| one.row).collect::<HashSet<_>>().len() as u64
}

fn by_row(violations: &[Violation]) -> BTreeMap<Option<u64>, Vec<Violation>> {
    let mut rows: BTreeMap<Option<u64>, Vec<Violation>> = BTreeMap::new();
    for one in violations {
        rows.entry(one.row).or_default().push(one.clone());
    }
    rows
}

struct Listing {
    room: usize,
    items: Vec<SyncItem>,
    omitted: u64,
}

impl Listing {
    fn add(&mut self, item: SyncItem) {
        let size = serde_json::to_string(&item).map_or(usize::MAX, |text| text.len());
        if self.omitted > 0 || size > self.room {
            self.omitted += 1;
            return;
        }
        self.room -= size;
        self.items.push(item);
    }
}
