//! What stands in the library's tables, or under its names, that the migrations did not make.

use super::Compared;
use crate::db::Dialect;
use crate::doctor::Finding;

/// The index of texts: searches make it (docs/search.md).
const OF_SEARCHES: &str = "sprongus_search_trigrams";

impl Compared {
    pub(super) fn surplus(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, table) in &self.found.tables {
            let Some(expected) = self.expected.tables.get(name) else {
                findings.push(harmless(format!("the table {name} has a name of the library's"), "DROP TABLE", name));
                continue;
            };
            let known = |name: &str| expected.columns.iter().any(|column| column.name == name);
            for column in table.columns.iter().filter(|column| !known(&column.name)) {
                let message = format!("the column {} of {name} is not the library's", column.name);
                let drop = format!("ALTER TABLE {name} DROP COLUMN");
                findings.push(match column.not_null && !column.filled {
                    true => harmful(
                        format!("{message}, and every insert fails without a value for it"),
                        &drop,
                        &column.name,
                    ),
                    false => harmless(message, &drop, &column.name),
                });
            }
            let strange = table.constraints.iter().filter(|(gist, _)| !expected.constraints.contains_key(*gist));
            for (_, constraint) in strange.filter(|_| self.dialect == Dialect::Postgres) {
                let message = format!("{name} has a constraint that is not the library's: {}", constraint.definition);
                let drop = format!("ALTER TABLE {name} DROP CONSTRAINT");
                findings.push(harmful(message, &drop, constraint.name.as_deref().unwrap_or_default()));
            }
        }
        for (name, index) in &self.found.indexes {
            let table = &index.table;
            if self.expected.indexes.contains_key(name)
                || name == OF_SEARCHES
                || !self.expected.tables.contains_key(table)
            {
                continue;
            }
            let message = format!("the index {name} of {table} is not the library's");
            findings.push(match index.unique {
                true => harmful(format!("{message}, and may refuse writes"), "DROP INDEX", name),
                false => harmless(format!("{message}: every write keeps it"), "DROP INDEX", name),
            });
        }
        for (name, table) in &self.found.triggers {
            let drop = match self.dialect {
                Dialect::Sqlite => format!("\"{name}\""),
                Dialect::Postgres => format!("\"{name}\" ON {table}"),
            };
            let message =
                format!("the trigger {name} of {table} is not the library's, and may refuse or change writes");
            findings.push(Finding::warning("schema_extra", message, fix(&format!("DROP TRIGGER {drop}"))));
        }
        let views = self.found.views.keys().filter(|name| !self.expected.views.contains_key(*name));
        findings.extend(
            views.map(|name| harmless(format!("the view {name} has a name of the library's"), "DROP VIEW", name)),
        );
        findings
    }
}

fn harmless(message: String, drop: &str, name: &str) -> Finding {
    Finding::advice("schema_extra", message, fix(&format!("{drop} \"{name}\"")))
}

fn harmful(message: String, drop: &str, name: &str) -> Finding {
    Finding::warning("schema_extra", message, fix(&format!("{drop} \"{name}\"")))
}

fn fix(sql: &str) -> String {
    format!("unless somebody needs it: {sql}")
}
