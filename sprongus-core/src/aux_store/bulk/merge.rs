//! The transaction of a bulk write: from the temporary tables into the store, by sets.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value as JsonValue, json};

use super::prepare::{self, Prepared};
use super::spool::{Judged, Spool};
use super::{Others, fresh, stage};
use crate::aux_store::bound;
use crate::aux_store::document::Rules;
use crate::aux_store::model::{BulkOptions, BulkReport, Mode};
use crate::aux_store::refs::DANGLING;
use crate::aux_store::rows::{self, Place, object};
use crate::aux_store::search;
use crate::aux_store::unseen;
use crate::db::{Dialect, Row, Value};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::Json;
use crate::presets::lock_bulk;
use crate::session::{Session, Tally, Work, present};

/// Whether an id is in no row of the file and not spared by a refused one.
fn absent(id: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM sprongus_stage s WHERE s.id = {id}) \
         AND NOT EXISTS (SELECT 1 FROM sprongus_stage_refused refused WHERE refused.id = {id})"
    )
}

/// Joins a staged row to the entry of its id.
const MEETS: &str = "e.project_id = $1 AND e.table_name = $2 AND e.id = s.id";

/// Merges rows into the table; `None` where it is not `alone` there and others came in between: nothing is to be kept then.
///
/// Alone, it keeps all others from writing the table until the end (PostgreSQL; SQLite has one writer anyway). Else only from
/// the entries that it writes: where a table has neither keys nor references, and none of its entries is to be deleted.
pub(super) fn merge(
    session: Session<'_>,
    work: &mut Work<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    options: BulkOptions,
    others: Others,
    alone: bool,
) -> Result<Option<BulkReport>> {
    if !alone {
        lock_bulk(work, place.project, place.table)?;
    }
    let rules = same_rules(session, work, place, prepared, alone)?;
    let links = rules.links();
    let others = prepared.others(others);
    let report = BulkReport { errors: prepared.errors.clone(), ..BulkReport::default() };
    let (spool, mode) = (&prepared.spool, options.mode);
    let options_of_store = work.options();
    let at = present(work.exec(), options_of_store)?.into();
    let (earlier, bereft) = (HashMap::new(), BTreeSet::new());
    let mut merging =
        Merging { session, work, place, rules: &rules, spool, mode, others, links, alone, at, report, earlier, bereft };
    let fresh = prepared.fresh && !links && unseen::under_way(merging.work.exec(), place)?.is_none();
    let created = if fresh { fresh::load(merging.work, place, spool)? } else { None };
    match created {
        Some(created) => merging.report.created = created,
        None if !merging.run(&prepared.refused)? => return Ok(None),
        None => {}
    }
    let report = merging.report;
    audit(work, place, &report, prepared.rows)?;
    Ok(Some(report))
}

/// The rules by which the rows were judged, if they still hold; the table is locked.
pub(super) fn same_rules(
    session: Session<'_>,
    work: &mut Work<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    alone: bool,
) -> Result<Rules> {
    let rules = bound::to_write(session, work, place, alone)?;
    if rules.preset.schema() == prepared.rules.preset.schema() {
        return Ok(rules);
    }
    let message = "the table was bound to another preset while the rows were read; try again";
    Err(Error::new(ErrorCode::Conflict, message))
}

/// The warning of an entry that refers to one that is deleted.
pub(super) fn bereft_referrer(id: String, field: &str, table: &str) -> Violation {
    let message = format!("the entry that {field} of the table {table:?} refers to is deleted");
    Violation { id: Some(id), ..Violation::new("", DANGLING, message) }
}

/// The warning of a row whose place a later one of the same id takes.
pub(super) fn repeated(row: u64, id: &str) -> Violation {
    let warning = Violation::new("", "duplicate_id", "a later row has the same id and takes its place");
    Violation { row: Some(row), id: Some(id.to_owned()), ..warning }
}

/// One event for the whole call.
pub(super) fn audit(work: &mut Work<'_>, place: Place<'_>, report: &BulkReport, rows: u64) -> Result<()> {
    let BulkReport { created, updated, deleted, .. } = *report;
    work.after.tallies.add(place.project, place.table, Tally { created, updated, deleted, refused: 0 });
    let payload: JsonValue = json!({
        "rows": rows, "created": report.created, "updated": report.updated, "unchanged": report.unchanged,
        "deleted": report.deleted, "errors": report.errors.len(), "warnings": report.warnings.len(),
    });
    rows::tell_of_table(work, place, "aux.imported", &payload)
}

pub(super) struct Merging<'m, 'w> {
    session: Session<'m>,
    work: &'m mut Work<'w>,
    place: Place<'m>,
    rules: &'m Rules,
    spool: &'m Spool,
    mode: Mode,
    pub(super) others: Others,
    links: bool,
    alone: bool,
    /// When it all happens: one time, by which a search finds what was written.
    at: Value<'static>,
    pub(super) report: BulkReport,
    /// Rows whose place a later one of the same id has taken, in their order.
    earlier: HashMap<String, Vec<u64>>,
    /// Ids of those whose later row was refused.
    bereft: BTreeSet<String>,
}

impl Merging<'_, '_> {
    /// False where others came in between.
    fn run(&mut self, refused: &[String]) -> Result<bool> {
        stage::fill(self.work.exec(), self.spool, refused, self.links)?;
        self.last_wins()?;
        if unseen::under_way(self.work.exec(), self.place)?.is_some() {
            self.meet_another()?;
        }
        self.judge_again()?;
        if !self.alone && !self.hold_changed()? {
            return Ok(false);
        }
        if self.links {
            self.hold_targets()?;
            self.refuse_bad_links()?;
        }
        self.count()?;
        if self.others == Others::AreDeleted {
            bound::know_referrers(self.session, self.work, self.place)?;
            self.delete_others()?;
        }
        if !self.write_entries()? {
            return Ok(false);
        }
        if self.links {
            self.write_links()?;
        }
        self.name_earlier();
        self.report.errors.sort_by_key(|one| one.row);
        self.report.warnings.sort_by_key(|one| one.row.unwrap_or(u64::MAX));
        stage::drop_tables(self.work.exec())?;
        Ok(true)
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
        self.work.dialect()
    }

    pub(super) fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        self.work.query(sql, &self.table())
    }

    pub(super) fn execute(&mut self, sql: &str) -> Result<u64> {
        self.work.execute(sql, &self.table())
    }

    /// `$1` and `$2` of every statement here, whether it looks at them or not would not do on PostgreSQL: all do.
    fn table(&self) -> [Value<'static>; 2] {
        [self.place.project.to_owned().into(), self.place.table.to_owned().into()]
    }

    /// Another bulk write of this table is under way (SQLite): it makes way for these rows as for any writer's.
    fn meet_another(&mut self) -> Result<()> {
        if self.others == Others::AreDeleted {
            return unseen::refuse_another(self.work.exec(), self.place);
        }
        for row in self.work.query("SELECT id FROM sprongus_stage", &[])? {
            unseen::make_way(self.work.exec(), self.place, &row.text(0)?)?;
        }
        Ok(())
    }

    /// Of rows with the same id the last good one counts.
    fn last_wins(&mut self) -> Result<()> {
        let earlier = "SELECT s.row_number, s.id FROM sprongus_stage s WHERE EXISTS \
                       (SELECT 1 FROM sprongus_stage l WHERE l.id = s.id AND l.row_number > s.row_number) ORDER BY s.row_number";
        for row in self.work.query(earlier, &[])? {
            let number = unsigned(&row, 0)?;
            self.earlier.entry(row.text(1)?).or_default().push(number);
            stage::remove(self.work.exec(), number)?;
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
        let stored = rows::find(self.work.exec(), self.place, &id, false)?;
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        let base = stored.map(|stored| stored.map());
        let judged = prepare::judge(self.rules, number, &id, object(&given), base.as_ref(), version, self.mode);
        match judged {
            Ok((judged, _)) => stage::replace(self.work.exec(), judged),
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
        stage::remove(self.work.exec(), row)?;
        self.work.execute("INSERT INTO sprongus_stage_refused (id) VALUES ($1)", &[id.into()]).map(drop)
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

    fn delete_others(&mut self) -> Result<()> {
        let doomed = format!("e.project_id = $1 AND e.table_name = $2 AND {}", absent("e.id"));
        let referrers = format!(
            "SELECT d.from_id, d.field, d.from_table FROM sprongus_aux_refs d WHERE d.project_id = $1 AND d.to_table = $2 AND {} \
             AND (SELECT e.version FROM sprongus_aux_entries e WHERE e.project_id = $1 AND e.table_name = $2 AND e.id = d.to_id) IS NOT NULL \
             AND (d.from_table <> $2 OR EXISTS (SELECT 1 FROM sprongus_stage_refused refused WHERE refused.id = d.from_id)) \
             ORDER BY d.from_table, d.from_id, d.field",
            absent("d.to_id")
        );
        for row in self.query(&referrers)? {
            self.report.warnings.push(bereft_referrer(row.text(0)?, &row.text(1)?, &row.text(2)?));
        }
        self.execute(&format!("{KEEP_VERSION} WHERE {doomed}"))?;
        let deletion = format!(
            "INSERT INTO sprongus_aux_versions (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at) \
             SELECT e.project_id, e.table_name, e.id, e.version + 1, NULL, 'deleted', $4, $5, {} FROM sprongus_aux_entries e WHERE {doomed}",
            self.work.dialect().now(3)
        );
        let params = self.with_who();
        self.report.deleted = self.work.execute(&deletion, &params)?;
        for (what, table, id) in [
            ("sprongus_aux_refs", "from_table", "from_id"),
            ("sprongus_aux_keys", "table_name", "entry_id"),
            ("sprongus_aux_entries", "table_name", "id"),
        ] {
            // The mark of the keys stays (aux_store/index.rs): it is of no entry, and without it all are made anew.
            let absent = format!("{id} <> '' AND {}", absent(&format!("{what}.{id}")));
            self.execute(&format!("DELETE FROM {what} WHERE project_id = $1 AND {table} = $2 AND {absent}"))?;
        }
        Ok(())
    }

    /// `$1` to `$5`: the table, the time, who and why.
    fn with_who(&self) -> [Value<'static>; 5] {
        let [project, table] = self.table();
        let who = self.work.who();
        let reason = who.reason.as_ref().map(|reason| reason.to_string());
        [project, table, self.at.clone(), who.actor.to_string().into(), reason.into()]
    }

    /// False where others came in between.
    fn write_entries(&mut self) -> Result<bool> {
        if self.report.updated > 0 {
            let superseded = "EXISTS (SELECT 1 FROM sprongus_stage s WHERE s.id = e.id AND s.hash <> e.hash)";
            self.execute(&format!("{KEEP_VERSION} WHERE e.project_id = $1 AND e.table_name = $2 AND {superseded}"))?;
        }
        if self.report.created + self.report.updated == 0 {
            return Ok(true);
        }
        search::mark(self.work.exec(), self.place, self.at.clone())?;
        match self.work.dialect() {
            Dialect::Sqlite => self.upsert_each().map(|()| true),
            Dialect::Postgres if self.alone => {
                let sql = format!("{} {UPDATE}", self.insert("s.payload", "s.search_text", "true")?);
                let params = self.with_who();
                self.work.execute(&sql, &params).map(|_| true)
            }
            Dialect::Postgres => self.write_among_others(),
        }
    }

    /// Only what was meant to be created is, and only what is held is superseded: so many as were counted.
    fn write_among_others(&mut self) -> Result<bool> {
        let params = self.with_who();
        let update = format!(
            "UPDATE sprongus_aux_entries AS e SET payload = s.payload, hash = s.hash, search_text = s.search_text, \
             version = e.version + 1, last_updated = {}, actor = $4, reason = $5, change_summary = s.summary \
             FROM sprongus_stage s WHERE {MEETS} AND e.hash <> s.hash",
            self.work.dialect().now(3)
        );
        let updated = if self.report.updated > 0 { self.work.execute(&update, &params)? } else { 0 };
        let insert = format!("{} DO NOTHING", self.insert("s.payload", "s.search_text", "true")?);
        let created = if self.report.created > 0 { self.work.execute(&insert, &params)? } else { 0 };
        // One that came and went beside our statements has left versions that ours must follow.
        let overtaken = format!(
            "SELECT 1 FROM sprongus_stage s JOIN sprongus_aux_entries e ON {MEETS} JOIN sprongus_aux_versions v \
             ON v.project_id = $1 AND v.table_name = $2 AND v.id = s.id AND v.version >= e.version LIMIT 1"
        );
        Ok((created, updated) == (self.report.created, self.report.updated) && self.query(&overtaken)?.is_empty())
    }

    /// From the spool, so that no document is written into a temporary table first. The stage says which rows are left; one
    /// that was judged again has its document there.
    fn upsert_each(&mut self) -> Result<()> {
        let insert = self.insert("coalesce(s.payload, $6)", "coalesce(s.search_text, $7)", "s.row_number = $8")?;
        let upsert = format!("{insert} {UPDATE}");
        let mut params = self.with_who().to_vec();
        let spool = self.spool;
        for row in spool.iter()? {
            let row = row?;
            params.truncate(5);
            params.extend([Value::Json(row.payload.into()), row.search_text.into(), stage::number(row.row)]);
            self.work.execute(&upsert, &params)?;
        }
        Ok(())
    }

    /// Ends where it is to be said what becomes of those that are there.
    fn insert(&mut self, payload: &str, search_text: &str, which: &str) -> Result<String> {
        let now = self.work.dialect().now(3);
        let first = match rows::holds_any(self.work.exec(), self.place, "sprongus_aux_versions")? {
            false => "1",
            true => {
                "1 + coalesce((SELECT max(v.version) FROM sprongus_aux_versions v \
                 WHERE v.project_id = $1 AND v.table_name = $2 AND v.id = s.id), 0)"
            }
        };
        Ok(format!(
            "INSERT INTO sprongus_aux_entries \
             (project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary) \
             SELECT $1, $2, s.id, {payload}, s.hash, {search_text}, {first}, {now}, $4, $5, s.summary \
             FROM sprongus_stage s WHERE {which} ON CONFLICT (project_id, table_name, id)"
        ))
    }
}

/// What becomes of those that are there: the next version, where that is another document.
const UPDATE: &str = "DO UPDATE SET payload = excluded.payload, hash = excluded.hash, search_text = excluded.search_text, \
    version = sprongus_aux_entries.version + 1, last_updated = excluded.last_updated, actor = excluded.actor, \
    reason = excluded.reason, change_summary = excluded.change_summary WHERE sprongus_aux_entries.hash <> excluded.hash";

/// Copies entries `e` to the versions, before they are superseded.
const KEEP_VERSION: &str = "INSERT INTO sprongus_aux_versions \
    (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at) \
    SELECT e.project_id, e.table_name, e.id, e.version, e.payload, e.change_summary, e.actor, e.reason, e.last_updated \
    FROM sprongus_aux_entries e";

pub(super) fn unsigned(row: &Row, index: usize) -> Result<u64> {
    Ok(row.int(index)?.unsigned_abs())
}
