//! Whether the entries a table holds would pass another preset.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Number, Value as Document};

use super::compile::Compiled;
use super::keywords::Key;
use super::requests::BindReport;
use super::reserved::take_identity;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Result, Violation};
use crate::id::check_id;
use crate::json::Json;

/// Entries read at a time.
const BATCH: i64 = 100;
/// Violations a report lists.
const LISTED: usize = 100;
/// A table of a project: `$1` and `$2`.
const OF_TABLE: &str = "sprongus_aux_seen WHERE project_id = $1 AND table_name = $2";

/// The entries that a binding of that table is for; project "" is every one without a binding of its own.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    pub(super) table: &'p str,
    pub(super) project: &'p str,
}

/// The projects that may hold such entries, in order.
pub(super) fn projects(exec: &mut dyn Executor, scope: Scope<'_>) -> Result<Vec<String>> {
    if !scope.project.is_empty() {
        return Ok(vec![scope.project.to_owned()]);
    }
    let sql = "SELECT DISTINCT e.project_id FROM sprongus_aux_seen e WHERE e.table_name = $1 AND NOT EXISTS \
               (SELECT 1 FROM sprongus_bindings b WHERE b.target = 'table' AND b.name = $1 AND b.project_id = e.project_id) \
               ORDER BY e.project_id";
    exec.query(sql, &[scope.table.into()])?.iter().map(|row| row.text(0)).collect()
}

/// What tells whether entries were written between two looks.
pub(super) fn fingerprint(exec: &mut dyn Executor, scope: Scope<'_>) -> Result<Vec<(String, Vec<Row>)>> {
    let sql = format!("SELECT count(*), coalesce(CAST(sum(version) AS BIGINT), 0), max(last_updated) FROM {OF_TABLE}");
    let projects = projects(exec, scope)?;
    let look = |project: String| {
        let rows = exec.query(&sql, &[(&project).into(), scope.table.into()])?;
        Ok((project, rows))
    };
    projects.into_iter().map(look).collect()
}

/// Judges every entry, in the order of project and id.
pub(super) fn entries(exec: &mut dyn Executor, scope: Scope<'_>, preset: &Compiled) -> Result<BindReport> {
    let report = BindReport { checked: 0, failing: 0, errors: Vec::new(), bound: false };
    let mut check = Check { preset, seen: HashMap::new(), report };
    let sql = format!("SELECT project_id, id, payload FROM {OF_TABLE} AND id > $3 ORDER BY id LIMIT {BATCH}");
    for project in projects(exec, scope)? {
        check.seen.clear();
        let mut last = String::new();
        loop {
            let rows = exec.query(&sql, &[(&project).into(), scope.table.into(), (&last).into()])?;
            let batch = rows.iter().map(Entry::read).collect::<Result<Vec<_>>>()?;
            let missing = missing(exec, preset, &batch)?;
            batch.iter().for_each(|entry| check.entry(entry, scope.table, &missing));
            let Some(entry) = batch.into_iter().next_back() else { break };
            last = entry.id;
        }
    }
    Ok(check.report)
}

struct Entry {
    project: String,
    id: String,
    payload: Document,
}

impl Entry {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self { project: row.text(0)?, id: row.text(1)?, payload: row.json(2)?.to_value() })
    }
}

/// Project, table and id of entries.
type Ids = HashSet<(String, String, String)>;

/// The entries that strict references lead to and that are not there.
fn missing(exec: &mut dyn Executor, preset: &Compiled, batch: &[Entry]) -> Result<Ids> {
    let strict = |entry: &Entry| -> Vec<(String, String, String)> {
        let references = preset.keywords().references(&entry.payload).into_iter();
        let strict = references.filter(|(_, one)| one.field.strict);
        strict.map(|(_, one)| (entry.project.clone(), one.field.table.clone(), one.id.to_owned())).collect()
    };
    let mut missing: Ids = batch.iter().flat_map(strict).collect();
    let mut asked: BTreeMap<(&str, &str), Vec<Value<'static>>> = BTreeMap::new();
    for (project, table, id) in missing.iter().filter(|(.., id)| check_id("id", id).is_ok()) {
        asked.entry((project, table)).or_default().push(id.clone().into());
    }
    let among = match exec.dialect() {
        Dialect::Sqlite => "IN (SELECT value FROM json_each($3))",
        Dialect::Postgres => "= ANY ($3::text[])",
    };
    let sql = format!("SELECT id FROM sprongus_aux_seen WHERE project_id = $1 AND table_name = $2 AND id {among}");
    let mut there = Ids::new();
    for ((project, table), ids) in asked {
        for row in exec.query(&sql, &[project.into(), table.into(), Value::Array(ids)])? {
            there.insert((project.to_owned(), table.to_owned(), row.text(0)?));
        }
    }
    missing.retain(|one| !there.contains(one));
    Ok(missing)
}

/// A reference to nothing.
pub(crate) fn dangling(pointer: &str, keyword: &str, table: &str) -> Violation {
    Violation::new(pointer, keyword, format!("no entry of the table {table:?} has this id"))
}

struct Check<'c> {
    preset: &'c Compiled,
    /// Who holds a unique value in the project: key and value by their hash.
    seen: HashMap<[u8; 32], String>,
    report: BindReport,
}

impl Check<'_> {
    fn entry(&mut self, entry: &Entry, table: &str, missing: &Ids) {
        let Entry { project, id, payload } = entry;
        let keywords = self.preset.keywords();
        let mut violations = self.preset.validate(payload);
        violations.extend(self.other_id(entry, table));
        let lost = |table: &String, to: &str| missing.contains(&(project.clone(), table.clone(), to.to_owned()));
        let references = keywords.references(payload).into_iter();
        let strict = references.filter(|(_, one)| one.field.strict && lost(&one.field.table, one.id));
        violations.extend(strict.map(|(pointer, one)| dangling(&pointer, "x-ref", &one.field.table)));
        violations.extend(keywords.unique.iter().filter_map(|key| self.twin(id, key, payload)));
        self.report.checked += 1;
        self.report.failing += u64::from(!violations.is_empty());
        let room = LISTED - self.report.errors.len().min(LISTED);
        self.report
            .errors
            .extend(violations.into_iter().take(room).map(|one| Violation { id: Some(id.to_owned()), ..one }));
    }

    /// What is wrong with the property that would show the entry's id.
    fn other_id(&self, entry: &Entry, table: &str) -> Vec<Violation> {
        let Some(payload) = entry.payload.as_object().filter(|_| self.preset.id_field().is_some()) else {
            return Vec::new();
        };
        let taken = take_identity(&mut payload.clone(), self.preset, Some(&entry.id), &entry.project, table);
        taken.map_or_else(|error| error.violations_list(), |_| Vec::new())
    }

    fn twin(&mut self, id: &str, key: &Key, payload: &Document) -> Option<Violation> {
        let mut values = vec![Document::from(key.name())];
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
