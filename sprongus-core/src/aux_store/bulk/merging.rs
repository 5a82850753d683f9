//! Rows met with the entries of their table, by sets: which of them count, and what is wrong with the others.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::created::Common;
use super::prepare;
use super::spool::{Judged, Spool};
use super::tell::{repeated, unsigned};
use super::{Others, stage};
use crate::aux_store::document::Rules;
use crate::aux_store::model::{BulkReport, Mode};
use crate::aux_store::rows::{self, Place, object};
use crate::aux_store::unseen;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Result, Violation};
use crate::json::Json;

/// Joins a staged row to the entry of its id.
pub(super) const MEETS: &str = "e.project_id = $1 AND e.table_name = $2 AND e.id = s.id";

pub(super) struct Merging<'m> {
    pub(super) exec: &'m mut dyn Executor,
    pub(super) place: Place<'m>,
    rules: &'m Rules,
    pub(super) spool: &'m Spool,
    mode: Mode,
    pub(super) others: Others,
    links: bool,
    pub(super) alone: bool,
    /// When it all happens, by which a search finds what was written; who does it.
    pub(super) common: Common<'m>,
    pub(super) report: BulkReport,
    /// Rows whose place a later one of the same id has taken, in their order.
    pub(super) earlier: HashMap<String, Vec<u64>>,
    /// Ids of those whose later row was refused.
    bereft: BTreeSet<String>,
    /// Rows that do not count by now.
    out: HashSet<u64>,
}

/// What was found of the rows, with nothing written.
pub(super) struct Findings {
    /// What is wrong with them; nothing is counted.
    pub(super) report: BulkReport,
    /// Of rows with the same id, those that another one has taken the place of: by id, in their order.
    pub(super) earlier: HashMap<String, Vec<u64>>,
    /// Those, and the ones that are refused.
    pub(super) out: HashSet<u64>,
    /// How many rows have entries that changed since they were read.
    pub(super) again: u64,
}

impl<'m> Merging<'m> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        exec: &'m mut dyn Executor,
        place: Place<'m>,
        rules: &'m Rules,
        spool: &'m Spool,
        mode: Mode,
        others: Others,
        alone: bool,
        common: Common<'m>,
        report: BulkReport,
    ) -> Self {
        let (links, earlier, bereft, out) = (rules.links(), HashMap::new(), BTreeSet::new(), HashSet::new());
        Self { exec, place, rules, spool, mode, others, links, alone, common, report, earlier, bereft, out }
    }

    /// Writes what there is to write; `None` where others came in between.
    pub(super) fn run(mut self, refused: &[String]) -> Result<Option<BulkReport>> {
        stage::fill(self.exec, self.spool, refused, self.links)?;
        self.last_wins()?;
        if unseen::under_way(self.exec, self.place)?.is_some() {
            self.meet_another()?;
        }
        self.judge_again()?;
        if !self.alone && !self.hold_changed()? {
            return Ok(None);
        }
        if self.links {
            self.hold_targets()?;
            self.refuse_bad_links()?;
        }
        self.count()?;
        if self.others == Others::AreDeleted {
            self.delete_others()?;
        }
        if !self.write_entries()? {
            return Ok(None);
        }
        if self.links {
            self.warn_of_dangling()?;
            self.write_links()?;
        }
        self.name_earlier();
        self.report.errors.sort_by_key(|one| one.row);
        self.report.warnings.sort_by_key(|one| one.row.unwrap_or(u64::MAX));
        stage::drop_tables(self.exec)?;
        Ok(Some(self.report))
    }

    /// Finds what is wrong with the rows over a snapshot, which nobody waits for; the temporary tables stay, of the rows that
    /// count.
    pub(super) fn find(mut self, refused: &[String]) -> Result<Findings> {
        stage::fill(self.exec, self.spool, refused, self.links)?;
        self.last_wins()?;
        let again = self.judge_again()? as u64;
        self.refuse_bad_links()?;
        self.warn_of_dangling()?;
        Ok(Findings { report: self.report, earlier: self.earlier, out: self.out, again })
    }

    /// Keeps others from the entries that are to change, and judges again those that they wrote before that; false where that
    /// does not come to an end.
    fn hold_changed(&mut self) -> Result<bool> {
        let hold = format!(
            "SELECT count(*) FROM (SELECT 1 FROM sprongus_aux_entries e JOIN sprongus_stage s ON {MEETS} \
             WHERE e.hash <> s.hash ORDER BY e.id FOR UPDATE OF e) AS held"
        );
        for _ in 0..3 {
            self.query(&hold)?;
            if self.judge_again()? == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.exec.dialect()
    }

    pub(super) fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        self.exec.query(sql, &self.table())
    }

    pub(super) fn execute(&mut self, sql: &str) -> Result<u64> {
        self.exec.execute(sql, &self.table())
    }

    /// `$1` and `$2` of every statement here, whether it looks at them or not would not do on PostgreSQL: all do.
    pub(super) fn table(&self) -> [Value<'static>; 2] {
        [self.place.project.to_owned().into(), self.place.table.to_owned().into()]
    }

    /// Another bulk write of this table is under way (SQLite): it makes way for these rows as for any writer's.
    fn meet_another(&mut self) -> Result<()> {
        if self.others == Others::AreDeleted {
            return unseen::refuse_another(self.exec, self.place);
        }
        for row in self.exec.query("SELECT id FROM sprongus_stage", &[])? {
            unseen::make_way(self.exec, self.place, &row.text(0)?)?;
        }
        let unique = "SELECT DISTINCT field, key FROM sprongus_stage_keys WHERE is_unique = 1";
        for row in self.exec.query(unique, &[])? {
            let (field, key) = (row.text(0)?, row.opt_bytes(1)?.unwrap_or_default());
            unseen::holder_makes_way(self.exec, self.place, &field, &key)?;
        }
        Ok(())
    }

    /// Of rows with the same id the last good one counts.
    fn last_wins(&mut self) -> Result<()> {
        let earlier = "SELECT s.row_number, s.id FROM sprongus_stage s WHERE EXISTS \
                       (SELECT 1 FROM sprongus_stage l WHERE l.id = s.id AND l.row_number > s.row_number) ORDER BY s.row_number";
        for row in self.exec.query(earlier, &[])? {
            let number = unsigned(&row, 0)?;
            self.earlier.entry(row.text(1)?).or_default().push(number);
            self.out.insert(number);
            stage::remove(self.exec, number)?;
        }
        Ok(())
    }

    /// The others are named.
    fn name_earlier(&mut self) {
        for (id, numbers) in &self.earlier {
            self.report.warnings.extend(numbers.iter().map(|row| repeated(*row, id)));
        }
    }

    /// Where a row was refused, the one before it of the same id counts again.
    pub(super) fn restore(&mut self) -> Result<()> {
        while !self.bereft.is_empty() {
            let bereft = std::mem::take(&mut self.bereft);
            let last = bereft.iter().filter_map(|id| self.earlier.get_mut(id)?.pop()).collect();
            self.judge_these(&last)?;
        }
        Ok(())
    }

    /// Rows whose entries were written since they were read are judged again, now that nobody else writes; how many.
    fn judge_again(&mut self) -> Result<usize> {
        let changed = format!(
            "SELECT s.row_number FROM sprongus_stage s LEFT JOIN sprongus_aux_entries e ON {MEETS} \
             WHERE coalesce(e.version, 0) <> s.base"
        );
        let changed = self.query(&changed)?.iter().map(|row| unsigned(row, 0)).collect::<Result<HashSet<_>>>()?;
        self.judge_these(&changed)?;
        self.restore()?;
        Ok(changed.len())
    }

    fn judge_these(&mut self, numbers: &HashSet<u64>) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let spool = self.spool;
        for row in spool.iter()? {
            let row = row?;
            if numbers.contains(&row.row) {
                self.judge_one(row)?;
            }
        }
        Ok(())
    }

    fn judge_one(&mut self, Judged { row: number, id, payload, given, .. }: Judged) -> Result<()> {
        let given = Json::from_canonical(given.unwrap_or(payload));
        let stored = rows::find(self.exec, self.place, &id, false)?;
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        let base = stored.map(|stored| stored.map());
        let judged = prepare::judge(self.rules, number, &id, object(&given), base.as_ref(), version, self.mode);
        match judged {
            Ok((judged, _)) => {
                self.out.remove(&number);
                stage::replace(self.exec, judged)
            }
            Err(error) if prepare::is_of_row(error.code()) => {
                let violations = prepare::of_row(number, Some(&id), prepare::violations(&error));
                self.refuse(number, &id, violations)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn refuse(&mut self, row: u64, id: &str, violations: Vec<Violation>) -> Result<()> {
        self.report.errors.extend(violations);
        if self.earlier.contains_key(id) {
            self.bereft.insert(id.to_owned());
        }
        self.out.insert(row);
        stage::remove(self.exec, row)?;
        self.exec.execute("INSERT INTO sprongus_stage_refused (id) VALUES ($1)", &[id.into()]).map(drop)
    }

    fn count(&mut self) -> Result<()> {
        let sql = format!(
            "SELECT count(*), count(e.id), coalesce(sum(CASE WHEN e.hash = s.hash THEN 1 ELSE 0 END), 0) \
             FROM sprongus_stage s LEFT JOIN sprongus_aux_entries e ON {MEETS}"
        );
        let rows = self.query(&sql)?;
        let Some(row) = rows.first() else { return Ok(()) };
        let (all, there, same) = (unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?);
        self.report.created = all - there;
        self.report.updated = there - same;
        self.report.unchanged = same;
        Ok(())
    }
}
