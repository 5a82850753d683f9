//! The first entries of an order that no index has: kept by their sort keys alone.

use serde_json::{Value, json};

use crate::aux_store::scan::Scanned;
use crate::aux_store::sort::Sort;

/// What an entry is sorted by.
pub(super) type Keys = Vec<Option<Value>>;

/// The first so many of what is pushed, in order; at most twice as many are held.
pub(super) struct Best<'s> {
    sort: &'s Sort,
    most: usize,
    /// Only what lies behind this.
    after: Option<(&'s [Option<Value>], &'s str)>,
    kept: Vec<(Keys, String)>,
    /// So many of them are in order already, and as many as are wanted.
    settled: usize,
}

impl<'s> Best<'s> {
    pub(super) fn new(sort: &'s Sort, most: usize, after: Option<(&'s [Option<Value>], &'s str)>) -> Self {
        Self { sort, most, after, kept: Vec::new(), settled: 0 }
    }

    pub(super) fn push(&mut self, entry: Scanned) {
        let keys: Keys = self.sort.keys(&entry).into_iter().map(|key| key.map(small)).collect();
        if self.after.is_some_and(|after| self.sort.compare((&keys, &entry.id), after).is_le()) {
            return;
        }
        let worst = self.settled.checked_sub(1).and_then(|last| self.kept.get(last));
        if worst.is_some_and(|(worst, id)| self.sort.compare((&keys, &entry.id), (worst, id)).is_gt()) {
            return;
        }
        self.kept.push((keys, entry.id));
        if self.kept.len() >= self.most.saturating_mul(2).max(1_024) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.kept.sort_unstable_by(|a, b| self.sort.compare((&a.0, &a.1), (&b.0, &b.1)));
        self.kept.truncate(self.most);
        self.settled = if self.kept.len() == self.most { self.most } else { 0 };
    }

    /// Their ids, in order.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.settle();
        self.kept.into_iter().map(|(_, id)| id).collect()
    }
}

/// A sort key without what does not decide: arrays tie with arrays and objects with objects.
pub(super) fn small(key: Value) -> Value {
    match key {
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Object(_) => json!({}),
        other => other,
    }
}
