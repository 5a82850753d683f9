//! Projects: records, slugs, pages, who sees them, and their deletion with all that they own (DESIGN.md §9a, §10, §15).

mod deleting;
mod races;
mod records;
mod traces;

use serde_json::Value;
use sprongus::projects::{CreateProject, Project, ProjectId};
use sprongus::{ErrorCode, ops};
use sprongus_conformance::{Case, Env, Face};

pub(crate) fn cases() -> Vec<Case> {
    [records::cases(), deleting::cases(), races::cases()].concat()
}

fn case(name: &'static str, covers: &'static [&'static str], transactional: bool, run: fn(&Env)) -> Case {
    Case { name, covers, transactional, run }
}

fn named(id: &str, name: &str) -> CreateProject {
    CreateProject { id: Some(id.to_owned()), ..CreateProject::new(name) }
}

fn get(on: Face<'_, '_>, id: &str) -> Project {
    on.projects().get(&ProjectId::new(id)).unwrap()
}

/// An operation by its name, over JSON; the code of its error.
pub(crate) fn call(on: Face<'_, '_>, name: &str, request: &Value) -> Result<Value, ErrorCode> {
    let answer = match on {
        Face::Store(store) => ops::call(store, name, request.to_string().as_bytes()),
        Face::Tx(tx) => ops::call(tx, name, request.to_string().as_bytes()),
    };
    answer.map(|text| serde_json::from_str(&text).unwrap()).map_err(|error| error.code())
}

/// All rows of those tables, as text: what has written nothing leaves it as it is.
pub(crate) fn rows(on: Face<'_, '_>, tables: &[&str]) -> String {
    let all =
        tables.iter().map(|table| on.query(&format!("SELECT * FROM sprongus_{table} ORDER BY 1, 2"), &[]).unwrap());
    format!("{:#?}", all.collect::<Vec<_>>())
}

/// The types and payloads of the events of a subject.
pub(crate) fn told(on: Face<'_, '_>, subject: &str) -> Vec<(String, Value)> {
    let sql = "SELECT type, payload, seq FROM sprongus_events WHERE subject = $1 ORDER BY seq";
    let rows = on.query(sql, &[subject.into()]).unwrap();
    let text = |value: &sprongus::Value<'_>| match value {
        sprongus::Value::Text(text) | sprongus::Value::Json(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    rows.iter().map(|row| (text(&row.values()[0]), serde_json::from_str(&text(&row.values()[1])).unwrap())).collect()
}
