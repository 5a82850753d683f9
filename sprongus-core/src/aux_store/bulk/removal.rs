//! What a bulk write that replaces the table deletes: the entries that were not given.

use super::entries::KEEP_VERSION;
use super::merging::Merging;
use super::tell::bereft_referrer;
use crate::error::Result;

/// Whether an id is in no row of the file and not spared by a refused one.
fn absent(id: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM sprongus_stage s WHERE s.id = {id}) \
         AND NOT EXISTS (SELECT 1 FROM sprongus_stage_refused refused WHERE refused.id = {id})"
    )
}

impl Merging<'_> {
    pub(super) fn delete_others(&mut self) -> Result<()> {
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
            self.exec.dialect().now(3)
        );
        let params = self.with_who();
        self.report.deleted = self.exec.execute(&deletion, &params)?;
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
}
