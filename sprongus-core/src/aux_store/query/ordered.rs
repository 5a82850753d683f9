//! The order of a list along kept keys.
//!
//! Keys order entries as far as they tell values apart: entries whose keys begin alike are a group, in which arrays and
//! objects, texts that were cut, and fields the key does not hold are put in order here.

use std::ops::ControlFlow;

use serde_json::Value as JsonValue;

use super::ahead::Stretch;
use super::best::Best;
use super::others::By;
use super::plan::{self, KeyOrder};
use super::walk::{After, KeyWalk, Keyed, Visit};
use crate::aux_store::keys::{Range, encoded, group, shortened};
use crate::aux_store::scan::{self, Batch, Shape};
use crate::aux_store::sort::Sort;
use crate::db::Executor;
use crate::error::Result;

impl KeyWalk<'_> {
    /// The wanted entries in the order of the list, behind `after`; at most `most` are asked for.
    pub(super) fn in_order(
        &self,
        exec: &mut dyn Executor,
        (order, sort): (&KeyOrder, &Sort),
        after: Option<After<'_>>,
        most: usize,
        visit: Visit<'_>,
    ) -> Result<()> {
        self.first_joined.set(self.plan.others.by == By::All && (most as u64) < scan::FIRST.unsigned_abs());
        let mut walk = Ordered { walk: self, order, sort, most, visit };
        let start = after.map(|after| (order.group_of(after), after));
        let mut ranges: Vec<&Range> = self.plan.ranges.iter().collect();
        if order.descending {
            ranges.reverse();
        }
        for range in ranges {
            if walk.range(exec, range, start.as_ref())?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl KeyOrder {
    /// The group of an entry with these sort keys.
    fn group_of(&self, (keys, _): After<'_>) -> Range {
        let null = JsonValue::Null;
        let sorted = self.sorted.iter().map(|at| keys.get(*at).and_then(Option::as_ref).unwrap_or(&null));
        self.group_in(&shortened(encoded(self.fixed.iter().chain(sorted))))
    }

    /// The group that a key is in: the keys that begin as it does.
    fn group_in(&self, key: &[u8]) -> Range {
        let (prefix, exact) = group(key, self.values());
        match exact && self.then_by_id && prefix.len() == key.len() {
            true => Range::only(prefix.to_vec()),
            false => Range::beginning(prefix.to_vec()),
        }
    }

    /// Whether the keys of a group are all the same, so that its entries stand in their order by id.
    fn is_in_order(&self, group: &Range) -> bool {
        self.then_by_id && *group == Range::only(group.from.clone())
    }
}

struct Ordered<'w, 'v> {
    walk: &'w KeyWalk<'w>,
    order: &'w KeyOrder,
    sort: &'w Sort,
    most: usize,
    visit: Visit<'v>,
}

impl Ordered<'_, '_> {
    fn range(
        &mut self,
        exec: &mut dyn Executor,
        range: &Range,
        start: Option<&(Range, After<'_>)>,
    ) -> Result<ControlFlow<()>> {
        let (mut left, mut behind) = match start {
            Some(start) if self.joins(start) => self.left_of(range, start),
            Some(start @ (group, _)) => {
                let within = group.within(range);
                if !within.is_empty() && self.group(exec, &within, group, Some(start))?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                (self.behind(group, range), String::new())
            }
            None => (range.clone(), String::new()),
        };
        // One more tells that a group is whole; behind an entry, it may be the first one itself.
        let mut batch = Batch::of(self.most + 1 + usize::from(start.is_some()));
        while !left.is_empty() {
            let (backwards, walk) = (self.order.descending, self.walk);
            let stretch = Stretch { range: &left, after: &behind, backwards };
            let keys = walk.read(exec, Shape::Whole, stretch, &mut batch)?;
            let Some(last) = keys.rows.last() else { break };
            let open = self.order.group_in(&last.key);
            let goes_on = self.goes_on(&open);
            let next = match goes_on {
                true => (Range { from: last.key.clone(), to: left.to.clone() }, last.id.clone()),
                false => (self.behind(&open, &left), String::new()),
            };
            let whole = |row: &Keyed| keys.all || goes_on || !(open.from <= row.key && row.key < open.to);
            let done = keys.rows.iter().take_while(|row| whole(row)).count();
            let rows = keys.rows.into_iter().take(done).collect();
            if self.groups(rows, start)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if keys.all {
                break;
            }
            if !goes_on && self.group(exec, &open.within(&left), &open, start)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            (left, behind) = next;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether what is left of an entry's group is read with what comes behind it: where it is in its order, and where each
    /// statement gathers other keys, which takes longer than the rest of it.
    fn joins(&self, (group, _): &(Range, After<'_>)) -> bool {
        self.goes_on(group) || self.walk.plan.others.by != By::Each
    }

    /// What of a range is left from the group of an entry on, and the id behind which it is, where its key tells that.
    fn left_of(&self, range: &Range, (group, (_, id)): &(Range, After<'_>)) -> (Range, String) {
        let from_group = match self.order.descending {
            false => Range { from: group.from.clone(), to: range.to.clone() },
            true => Range { from: range.from.clone(), to: group.to.clone() },
        };
        let left = range.within(&from_group);
        let behind = self.goes_on(group) && left.from == group.from;
        (left, if behind { (*id).to_owned() } else { String::new() })
    }

    /// Whether what stands behind an entry of a group is read on from it: the rest of the group, and the groups after it.
    fn goes_on(&self, group: &Range) -> bool {
        !self.order.descending && self.order.is_in_order(group)
    }

    /// What of a range comes behind a group.
    fn behind(&self, group: &Range, range: &Range) -> Range {
        match self.order.descending {
            false => Range { from: range.from.clone().max(group.to.clone()), to: range.to.clone() },
            true => Range { from: range.from.clone(), to: range.to.clone().min(group.from.clone()) },
        }
    }

    /// Groups of which every key is there, or all that are left; what of them comes behind an entry.
    fn groups(&mut self, rows: Vec<Keyed>, start: Option<&(Range, After<'_>)>) -> Result<ControlFlow<()>> {
        let groups = rows.chunk_by(|a, b| self.order.group_in(&a.key) == self.order.group_in(&b.key));
        let lengths: Vec<usize> = groups.map(<[Keyed]>::len).collect();
        let mut rows = rows.into_iter();
        for length in lengths {
            let entries = rows.by_ref().take(length).filter_map(|row| row.entry);
            let mut entries: Vec<_> = entries.map(|entry| (self.sort.keys(&entry), entry)).collect();
            entries.sort_by(|(a, one), (b, other)| self.sort.compare((a, &one.id), (b, &other.id)));
            for (keys, entry) in entries {
                let seen = start.is_some_and(|(_, after)| self.sort.compare((&keys, &entry.id), *after).is_le());
                if !seen && (self.visit)(entry)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A group, or what of it lies `within` a range, read from its beginning or from behind an entry.
    fn group(
        &mut self,
        exec: &mut dyn Executor,
        within: &Range,
        group: &Range,
        start: Option<&(Range, After<'_>)>,
    ) -> Result<ControlFlow<()>> {
        if self.order.is_in_order(group) {
            let id = start.filter(|(first, _)| first == group).map_or("", |(_, (_, id))| id);
            return self.walk.each_in(exec, Shape::Whole, within, id, self.visit);
        }
        let mut best = Best::new(self.sort, self.most, start.map(|(_, after)| *after));
        let paths = plan::paths(&self.walk.wanted.filter, self.sort);
        let timely = plan::is_timely(&self.walk.wanted.filter, self.sort);
        let shape = Shape::telling(&paths, timely, exec.dialect(), self.walk.wanted);
        let _ = self.walk.each_in(exec, shape, within, "", &mut |entry| {
            best.push(entry);
            Ok(ControlFlow::Continue(()))
        })?;
        for entry in super::by_ids(exec, self.walk.place, &best.finish())? {
            if (self.visit)(entry)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
