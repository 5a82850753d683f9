//! What the rows of a bulk write refer to, and the keys they take.

use super::Others;
use super::merging::Merging;
use super::tell::unsigned;
use crate::aux_store::refs::DANGLING;
use crate::aux_store::rows::{keys_of_table, unique_violation};
use crate::aux_store::unseen;
use crate::db::Dialect;
use crate::error::{Result, Violation};
use crate::presets::dangling;

/// The id of the row that a staged reference or key `k` is of.
const STAGED_ID: &str = "(SELECT s.id FROM sprongus_stage s WHERE s.row_number = k.row_number)";

impl Merging<'_> {
    /// Entries of other tables that rows refer to are kept from deletion until the end of the transaction, as
    /// [`leading_nowhere`](crate::aux_store::refs::leading_nowhere) keeps them. SQLite has one writer anyway.
    pub(super) fn hold_targets(&mut self) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let targets = "SELECT count(*) FROM (SELECT DISTINCT k.to_table, k.to_id FROM sprongus_stage_refs k \
                       WHERE k.to_table <> $2 ORDER BY k.to_table, k.to_id) AS k CROSS JOIN LATERAL \
                       (SELECT e.version FROM sprongus_aux_entries e WHERE e.project_id = $1 AND e.table_name = k.to_table \
                       AND e.id = k.to_id FOR KEY SHARE) AS held";
        self.query(targets).map(drop)
    }

    /// A row that is refused gives back what it would have taken or kept, so this goes on until none is.
    pub(super) fn refuse_bad_links(&mut self) -> Result<()> {
        loop {
            self.restore()?;
            let taken = self.bad_links(&self.taken_keys(), "unique")?;
            let strict = self.bad_links(&self.dangling("k.strict = 1"), "x-ref")?;
            if taken + strict > 0 {
                continue;
            }
            let twins = format!(
                "SELECT k.row_number, {STAGED_ID}, k.pointer, k.field FROM sprongus_stage_keys k \
                 WHERE k.is_unique = 1 AND $1 <> '' AND $2 <> '' AND EXISTS (SELECT 1 FROM sprongus_stage_keys o \
                 WHERE o.field = k.field AND o.key = k.key AND o.is_unique = 1 AND o.row_number < k.row_number) \
                 ORDER BY k.row_number, k.pointer"
            );
            if self.bad_links(&twins, "unique")? == 0 {
                return Ok(());
            }
        }
    }

    fn bad_links(&mut self, sql: &str, keyword: &str) -> Result<usize> {
        let rows = self.query(sql)?;
        for row in &rows {
            let (number, id, pointer) = (unsigned(row, 0)?, row.text(1)?, row.text(2)?);
            let violation = match keyword {
                "unique" => unique_violation(&pointer),
                _ => dangling(&pointer, "x-ref", &row.text(3)?),
            };
            self.refuse(number, &id, vec![Violation { row: Some(number), id: Some(id.clone()), ..violation }])?;
        }
        Ok(rows.len())
    }

    /// Unique values that stay with an entry that is neither given nor deleted.
    fn taken_keys(&self) -> String {
        let stays = match self.others {
            Others::Stay => "",
            Others::AreDeleted => {
                " AND EXISTS (SELECT 1 FROM sprongus_stage_refused refused WHERE refused.id = x.entry_id)"
            }
        };
        format!(
            "SELECT k.row_number, {STAGED_ID}, k.pointer, k.field FROM sprongus_stage_keys k \
             JOIN sprongus_aux_keys x ON x.project_id = $1 AND x.table_name = $2 AND x.field = k.field AND x.key = k.key \
             WHERE k.is_unique = 1 AND x.is_unique \
             AND NOT EXISTS (SELECT 1 FROM sprongus_stage o WHERE o.id = x.entry_id){stays} ORDER BY k.row_number, k.pointer"
        )
    }

    /// References of staged rows to entries that will not be there. Scalar subqueries, for PostgreSQL would make a join of
    /// an EXISTS, and compare each with each where it knows no sizes.
    fn dangling(&self, which: &str) -> String {
        let goes = match self.others {
            Others::Stay => "",
            Others::AreDeleted => {
                " OR (k.to_table = $2 AND NOT EXISTS \
                 (SELECT 1 FROM sprongus_stage_refused refused WHERE refused.id = k.to_id))"
            }
        };
        let target = unseen::version_seen(self.exec.dialect(), ["$1", "k.to_table", "k.to_id"]);
        format!(
            "SELECT k.row_number, {STAGED_ID}, k.pointer, k.to_table FROM sprongus_stage_refs k WHERE {which} \
             AND NOT (k.to_table = $2 AND EXISTS (SELECT 1 FROM sprongus_stage t WHERE t.id = k.to_id)) \
             AND ({target} IS NULL{goes}) ORDER BY k.row_number, k.pointer"
        )
    }

    pub(super) fn warn_of_dangling(&mut self) -> Result<()> {
        for row in self.query(&self.dangling("k.strict = 0"))? {
            let warning = dangling(&row.text(2)?, DANGLING, &row.text(3)?);
            self.report.warnings.push(Violation { row: Some(unsigned(&row, 0)?), id: Some(row.text(1)?), ..warning });
        }
        Ok(())
    }

    pub(super) fn write_links(&mut self) -> Result<()> {
        let given = "IN (SELECT s.id FROM sprongus_stage s)";
        self.execute(&format!(
            "DELETE FROM sprongus_aux_refs WHERE project_id = $1 AND from_table = $2 AND from_id {given}"
        ))?;
        let of_table = keys_of_table(self.dialect());
        self.execute(&format!("DELETE FROM sprongus_aux_keys WHERE {of_table} AND entry_id {given}"))?;
        self.execute(
            "INSERT INTO sprongus_aux_refs (project_id, from_table, from_id, field, to_table, to_id) \
             SELECT $1, $2, s.id, k.field, k.to_table, k.to_id FROM sprongus_stage_refs k \
             JOIN sprongus_stage s ON s.row_number = k.row_number WHERE k.to_id <> '' ON CONFLICT DO NOTHING",
        )?;
        self.execute(
            "INSERT INTO sprongus_aux_keys (project_id, table_name, field, key, entry_id, is_unique) \
             SELECT $1, $2, k.field, k.key, s.id, k.is_unique = 1 FROM sprongus_stage_keys k \
             JOIN sprongus_stage s ON s.row_number = k.row_number",
        )
        .map(drop)
    }
}
