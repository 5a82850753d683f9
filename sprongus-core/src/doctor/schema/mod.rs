//! Whether the schema is still what the migrations made, and nothing beside it that is in the way.

mod columns;
mod surplus;

use std::collections::BTreeMap;

use super::Finding;
use crate::db::{Dialect, Executor, Schema, expected, found, known_migrations};
use crate::error::Result;
use crate::session::Session;

/// What only a copy can mend.
const BY_HAND: &str = "somebody changed the schema by hand: undo that, or restore the database from a copy";

/// What there should be, what there is, and where.
struct Compared {
    dialect: Dialect,
    expected: Schema,
    found: Schema,
}

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read_snapshot(|exec| {
        let dialect = exec.dialect();
        let compared = Compared { dialect, expected: expected(dialect), found: found(exec)? };
        let mut findings = compared.tables();
        findings.extend(compared.views());
        findings.extend(compared.sequences());
        findings.extend(compared.indexes());
        findings.extend(compared.surplus());
        if compared.found.tables.contains_key("sprongus_migrations") {
            findings.extend(migrations(exec)?);
        }
        Ok(findings)
    })
}

/// Something is missing or is another.
fn drift(message: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding::error("schema_drift", message, fix)
}

impl Compared {
    fn tables(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, table) in &self.expected.tables {
            match self.found.tables.get(name) {
                Some(there) => findings.extend(self.columns(name, table, there)),
                None => {
                    let indexes = self.expected.indexes.values().filter(|index| index.table == *name);
                    let sql: Vec<&str> =
                        table.sql.iter().chain(indexes.map(|index| &index.sql)).map(|sql| &**sql).collect();
                    let fix = format!(
                        "restore the database from a copy; or, where its rows may be lost, make it anew: {}",
                        sql.join("; ")
                    );
                    findings.push(drift(format!("the table {name} is missing"), fix));
                }
            }
        }
        findings
    }

    fn views(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, view) in &self.expected.views {
            match self.found.views.get(name) {
                None => findings.push(drift(format!("the view {name} is missing"), &view.sql)),
                Some(there) if there.gist != view.gist => {
                    let message = format!("the view {name} is another than the migrations made");
                    findings.push(drift(message, format!("DROP VIEW {name}; {}", view.sql)));
                }
                Some(_) => {}
            }
        }
        findings
    }

    /// There is one: that of the feed's positions, which goes on after the last one given.
    fn sequences(&self) -> Vec<Finding> {
        let missing = self.expected.sequences.iter().filter(|(name, _)| !self.found.sequences.contains_key(*name));
        let fix = |name: &str, sql: &str| {
            format!(
                "{sql}; SELECT setval('{name}', coalesce((SELECT max(position) FROM sprongus_events), 0) + 1, false)"
            )
        };
        missing.map(|(name, sql)| drift(format!("the sequence {name} is missing"), fix(name, sql))).collect()
    }

    /// Those of a missing table are made with it.
    fn indexes(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let of_tables = self.expected.indexes.iter().filter(|(_, index)| self.found.tables.contains_key(&index.table));
        for (name, index) in of_tables {
            let again = || format!("DROP INDEX {name}; {}", index.sql);
            match self.found.indexes.get(name) {
                None => {
                    let broken = format!("the index {name} of {} is missing", index.table);
                    findings.push(match index.unique {
                        true => Finding::error(
                            "missing_index",
                            format!("{broken}: what it keeps apart may collide"),
                            &index.sql,
                        ),
                        false => Finding::warning(
                            "missing_index",
                            format!("{broken}: what it served reads all rows"),
                            &index.sql,
                        ),
                    });
                }
                Some(there) if !there.valid => {
                    let message = format!("the index {name} of {} was never finished and is not used", index.table);
                    findings.push(Finding::error("invalid_index", message, again()));
                }
                Some(there) if there.gist != index.gist => {
                    let message = format!("the index {name} of {} is another than the migrations made", index.table);
                    findings.push(drift(message, again()));
                }
                Some(_) => {}
            }
        }
        findings
    }
}

/// Opening a store refuses a register that is not this library's; this is of one that was changed since.
fn migrations(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let mut applied = BTreeMap::new();
    for row in exec.query("SELECT version, checksum FROM sprongus_migrations ORDER BY version", &[])? {
        applied.insert(row.int(0)?, row.text(1)?);
    }
    let mut findings = Vec::new();
    let mut wrong = |message: String, fix: String| findings.push(Finding::error("migrations", message, fix));
    for (version, name, checksum) in known_migrations(exec.dialect()) {
        match applied.remove(&version) {
            Some(there) if there == checksum => {}
            Some(_) => wrong(
                format!("the register has the migration {version} with another checksum than this library's"),
                format!(
                    "if nothing else of the schema is found, it is as it should be: UPDATE sprongus_migrations SET checksum = '{checksum}' WHERE version = {version}"
                ),
            ),
            None => wrong(
                format!(
                    "the register lacks the migration {version}: the next store that is opened applies it again, or refuses to"
                ),
                format!(
                    "if nothing else of the schema is found, it was applied: INSERT INTO sprongus_migrations (version, name, checksum, applied_at) \
                     VALUES ({version}, '{name}', '{checksum}', '{}')",
                    crate::clock::Timestamp::from_micros(0)
                ),
            ),
        }
    }
    let newer: Vec<String> = applied.keys().map(i64::to_string).collect();
    if !newer.is_empty() {
        wrong(
            format!("the register has migrations that this library does not know: {}", newer.join(", ")),
            "update the library in this process: another one has brought the schema further".to_owned(),
        );
    }
    Ok(findings)
}
