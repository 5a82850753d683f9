//! Projects between eight processes: one of them gets a slug, one of them deletes, and nothing is left of what was deleted,
//! whoever still writes.

use std::time::Duration;

use serde_json::json;
use sprongus::artifacts::PutArtifact;
use sprongus::aux_store::{BulkOptions, UpdateOptions};
use sprongus::projects::{CreateProject, DeleteProject, ListProjects, ProjectId};
use sprongus::runs::{Claim, Enqueue, Succeed};
use sprongus::{Error, ErrorCode, Json, Store, Value};

use crate::rivals::{Race, Rival};

/// Processes; half of them delete in the second part, half of them write.
const RIVALS: usize = 8;
/// Slugs that all want, and projects that all delete.
const EACH: usize = 6;
/// What each writer does in the project while it is deleted.
const WRITES: usize = 12;
/// Between two deletions of one process.
const NAP: Duration = Duration::from_millis(5);

const RACE: Race = Race { rivals: RIVALS, prepare, run: rival, judge };

/// What a call that came too late may say.
fn expected(result: Result<(), Error>, codes: &[ErrorCode]) -> bool {
    match result {
        Ok(()) => true,
        Err(error) => {
            assert!(codes.contains(&error.code()), "{error:?}");
            println!("refused {} {}", error.code(), error.message());
            false
        }
    }
}

/// In a child: wants what all want, deletes what all delete; then writes into one project, or deletes it until nobody writes any more.
fn rival(store: &Store, Rival { number, folder }: &Rival) {
    for n in 0..EACH {
        let create = CreateProject { slug: Some(format!("wanted-{n}")), ..CreateProject::new("Wanted") };
        if expected(store.projects().create(&create).map(drop), &[ErrorCode::Conflict]) {
            println!("created {n}");
        }
        let delete = DeleteProject::cascade(format!("doomed-{n}"));
        if expected(store.projects().delete(&delete), &[ErrorCode::NotFound]) {
            println!("deleted {n}");
        }
    }
    if number.is_multiple_of(2) {
        let written = |number: usize| folder.join(format!("written-{number}")).exists();
        loop {
            let over = (0..RIVALS).filter(|number| !number.is_multiple_of(2)).all(written);
            if expected(store.projects().delete(&DeleteProject::cascade("busy")), &[ErrorCode::NotFound]) {
                println!("emptied");
            }
            if over {
                return;
            }
            std::thread::sleep(NAP);
        }
    }
    for n in 0..WRITES {
        expected(write(store, *number, n), &[ErrorCode::NotFound, ErrorCode::Conflict, ErrorCode::LeaseLost]);
    }
    std::fs::write(folder.join(format!("written-{number}")), "").unwrap();
}

/// A little of everything; what it meets is at worst that something is gone again.
fn write(store: &Store, number: usize, n: usize) -> Result<(), Error> {
    let (assets, id) = (store.aux("busy", "assets"), format!("n{}", n % 3));
    assets.create(json!({"title": "new"}), Some(&format!("{number}-{n}")))?;
    println!("wrote {n}");
    assets.upsert(json!({"title": format!("{number} {n}")}), Some(&id), false)?;
    assets.update(&id, json!({"more": n}), UpdateOptions::default())?;
    let items = (0..20).map(|at| Ok(json!({"id": format!("b{at}"), "title": format!("{number} {n}")})));
    assets.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(()))?;
    let text =
        PutArtifact { project: Some("busy".into()), ..PutArtifact::text("log", "shared", format!("{number} {n}")) };
    store.artifacts().put(&text)?;
    store.runs().enqueue(&Enqueue { project: Some("busy".into()), ..Enqueue::new("k", Json::null()) })?;
    for run in store.runs().claim_next(&Claim::new(format!("w{number}")))? {
        store.runs().succeed(&Succeed { output: Some(Json::null()), ..Succeed::new(&run.id, run.lease) })?;
    }
    Ok(())
}

/// How many rows each of the library's tables has of those projects; of rows without a project, those that lead nowhere.
fn left(store: &Store) -> Vec<(String, Value<'static>)> {
    let tables = [
        "artifacts",
        "aux_entries",
        "aux_keys",
        "aux_refs",
        "aux_versions",
        "bindings",
        "config",
        "events",
        "inbox",
        "runs",
        "search_marks",
        "search_tables",
        "sync_entries",
        "syncs",
    ];
    let of = |table: &str| {
        format!("SELECT count(*) FROM sprongus_{table} WHERE project_id = 'busy' OR project_id LIKE 'doomed-%'")
    };
    let asked = tables.map(|table| (table.to_owned(), of(table)));
    let lost = |table: &str| {
        let sql = format!(
            "SELECT count(*) FROM sprongus_{table} WHERE run_id IS NOT NULL AND run_id NOT IN (SELECT id FROM sprongus_runs)"
        );
        (format!("{table} without their run"), sql)
    };
    let asked = asked.into_iter().chain(["events", "run_steps", "approvals", "artifacts"].map(lost));
    let count = |sql: String| store.query(&sql, &[]).unwrap().remove(0).into_values().remove(0);
    asked.map(|(what, sql)| (what, count(sql))).filter(|(_, count)| *count != Value::Int(0)).collect()
}

fn prepare(store: &Store) {
    for n in 0..EACH {
        let id = format!("doomed-{n}");
        store.projects().create(&CreateProject { id: Some(id.clone()), ..CreateProject::new(&id) }).unwrap();
        store.aux(&id, "assets").create(json!({"title": "x"}), Some("a")).unwrap();
        store.runs().enqueue(&Enqueue { project: Some(id), ..Enqueue::new("of the doomed", Json::null()) }).unwrap();
    }
}

fn judge(store: &Store, told: &[String]) {
    let told = told.concat();
    let count = |start: &str| told.lines().filter(|line| line.contains(start)).count();
    assert_eq!((count("created "), count("deleted ")), (EACH, EACH), "each once:\n{told}");
    let records = store.projects().list(&ListProjects::default()).unwrap();
    assert_eq!(records.iter().filter(|one| one.slug.starts_with("wanted-")).count(), EACH);
    assert_eq!(records.len(), EACH, "who lost left no record");
    let gone = store.projects().get(&ProjectId::new("doomed-0")).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::NotFound);
    assert!(count("wrote ") > 0 && count("emptied") > 0, "a race it was:\n{told}");
    // Each deleted once more when all was written, so what was written last went too.
    let last = store.projects().delete(&DeleteProject::cascade("busy")).unwrap_err();
    assert_eq!(last.code(), ErrorCode::NotFound);
    assert_eq!(left(store), []);
}

#[test]
fn one_process_gets_a_slug_and_one_deletes_on_sqlite() {
    RACE.on_sqlite("projects::one_process_gets_a_slug_and_one_deletes_on_sqlite");
}

#[test]
fn one_process_gets_a_slug_and_one_deletes_on_postgres() {
    RACE.on_postgres("projects::one_process_gets_a_slug_and_one_deletes_on_postgres");
}
