//! Whether the entries a table holds would pass another preset.

use std::collections::HashMap;

use serde_json::{Number, Value as Document};

use super::compile::Compiled;
use super::keywords::Key;
use super::requests::BindReport;
use crate::db::{Executor, Row, Value};
use crate::error::{Result, Violation};
use crate::json::Json;

/// Entries read at a time.
const BATCH: i64 = 100;
/// Violations a report lists.
const LISTED: usize = 100;
/// Entries of the table in the projects that the binding would be for.
const MEANT: &str = "e.table_name = $1 AND (e.project_id = $2 OR ($2 = '' AND NOT EXISTS (SELECT 1 FROM sprongus_bindings b \
    WHERE b.target = 'table' AND b.name = $1 AND b.project_id = e.project_id)))";

/// The entries that a binding of that table is for; project "" is every one without a binding of its own.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    pub(super) table: &'p str,
    pub(super) project: &'p str,
}

/// The projects that hold such entries, in order.
pub(super) fn projects(exec: &mut dyn Executor, scope: Scope<'_>) -> Result<Vec<String>> {
    let sql = format!("SELECT DISTINCT e.project_id FROM sprongus_aux_entries e WHERE {MEANT} ORDER BY e.project_id");
    exec.query(&sql, &[scope.table.into(), scope.project.into()])?.iter().map(|row| row.text(0)).collect()
}

/// What tells whether entries were written between two looks.
pub(super) fn fingerprint(exec: &mut dyn Executor, scope: Scope<'_>) -> Result<Row> {
    let sql = format!(
        "SELECT count(*), coalesce(CAST(sum(e.version) AS BIGINT), 0), max(e.last_updated) FROM sprongus_aux_entries e WHERE {MEANT}"
    );
    let rows = exec.query(&sql, &[scope.table.into(), scope.project.into()])?;
    rows.into_iter().next().ok_or_else(|| crate::error::Error::new(crate::ErrorCode::Storage, "a count gave no row"))
}

/// Judges every entry, in the order of project and id.
pub(super) fn entries(exec: &mut dyn Executor, scope: Scope<'_>, preset: &Compiled) -> Result<BindReport> {
    let mut check = Check {
        preset,
        seen: HashMap::new(),
        report: BindReport { checked: 0, failing: 0, errors: Vec::new(), bound: false },
    };
    let sql = format!(
        "SELECT e.project_id, e.id, e.payload FROM sprongus_aux_entries e WHERE {MEANT} AND (e.project_id, e.id) > ($3, $4) \
         ORDER BY e.project_id, e.id LIMIT {BATCH}"
    );
    let mut last = (String::new(), String::new());
    loop {
        let params: [Value<'_>; 4] = [scope.table.into(), scope.project.into(), (&last.0).into(), (&last.1).into()];
        let rows = exec.query(&sql, &params)?;
        for row in &rows {
            last = (row.text(0)?, row.text(1)?);
            check.entry(&last.0, &last.1, &row.json(2)?);
        }
        if (rows.len() as i64) < BATCH {
            return Ok(check.report);
        }
    }
}

struct Check<'c> {
    preset: &'c Compiled,
    /// Who holds a unique value: project, key and value by their hash.
    seen: HashMap<[u8; 32], String>,
    report: BindReport,
}

impl Check<'_> {
    fn entry(&mut self, project: &str, id: &str, payload: &Json) {
        let payload = payload.to_value();
        let mut violations = self.preset.validate(&payload);
        violations.extend(self.preset.keywords().unique.iter().filter_map(|key| self.twin(project, id, key, &payload)));
        self.report.checked += 1;
        self.report.failing += u64::from(!violations.is_empty());
        let room = LISTED - self.report.errors.len().min(LISTED);
        self.report
            .errors
            .extend(violations.into_iter().take(room).map(|one| Violation { id: Some(id.to_owned()), ..one }));
    }

    fn twin(&mut self, project: &str, id: &str, key: &Key, payload: &Document) -> Option<Violation> {
        let mut values = vec![Document::from(project), Document::from(key.name())];
        for field in &key.fields {
            let (_, value) = field.values(payload).into_iter().next().filter(|(_, value)| !value.is_null())?;
            values.push(comparable(value));
        }
        let hash = Json::from_value(&Document::Array(values)).ok()?.hash();
        match self.seen.entry(hash) {
            std::collections::hash_map::Entry::Occupied(holder) => {
                let (path, _) = key.fields.first()?.values(payload).into_iter().next()?;
                Some(Violation::new(path, "unique", format!("is the same as in the entry {}", holder.get())))
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(id.to_owned());
                None
            }
        }
    }
}

/// A value in which `1` and `1.0` are one (DESIGN.md §3).
fn comparable(value: &Document) -> Document {
    match value {
        Document::Array(items) => items.iter().map(comparable).collect(),
        Document::Object(map) => {
            Document::Object(map.iter().map(|(key, value)| (key.clone(), comparable(value))).collect())
        }
        Document::Number(number) => Document::Number(integral(number).unwrap_or_else(|| number.clone())),
        other => other.clone(),
    }
}

/// The integer that a float is, if it is one that fits.
fn integral(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)?;
    let digits = format!("{float:.0}");
    digits.parse::<i64>().map(Number::from).or_else(|_| digits.parse::<u64>().map(Number::from)).ok()
}
