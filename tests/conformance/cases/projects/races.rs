//! Projects under rivals: the same slug, the same id, and writers that go on while a project is deleted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::json;
use sprongus::aux_store::{BulkOptions, UpdateOptions};
use sprongus::projects::{CreateProject, DeleteProject, InstallProject, ListProjects};
use sprongus::runs::{Claim, Enqueue, Succeed};
use sprongus::{Error, ErrorCode, Json, Store, Value};
use sprongus_conformance::{Backend, Case, Env};

use super::case;
use super::named;
use crate::runs::eight;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("projects::eight_of_one_name_get_a_slug_each", &[], false, slugs),
        case("projects::eight_of_one_id_are_one", &[], false, ids),
        case("projects::eight_of_one_given_slug_are_one", &[], false, given),
        case("projects::eight_install_and_each_table_is_bound_once", &[], false, installs),
        case("projects::eight_delete_and_one_does", &[], false, deletes),
        case("projects::what_is_written_meanwhile_is_whole_or_gone", &[], false, meanwhile),
        case("projects::an_import_under_way_leaves_no_half", &[], false, import),
    ]
}

fn slugs(env: &Env) {
    let store = env.open();
    let made = eight(env, &store, |store| {
        let create = || store.projects().create(&CreateProject::new("Same name")).unwrap().slug;
        [create(), create(), create()]
    });
    let mut slugs: Vec<String> = made.into_iter().flatten().collect();
    slugs.sort();
    let mut wanted: Vec<String> = (2..=24).map(|n| format!("same-name-{n}")).collect();
    wanted.push("same-name".to_owned());
    wanted.sort();
    assert_eq!(slugs, wanted, "without a gap");
}

fn ids(env: &Env) {
    let store = env.open();
    let made = eight(env, &store, |store| store.projects().create(&named("p", "Same")).map(|project| project.slug));
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(made.iter().filter_map(|made| made.as_ref().err()).all(|error| error.code() == ErrorCode::Conflict));
    assert_eq!(store.projects().list(&ListProjects::default()).unwrap().len(), 1);
}

fn given(env: &Env) {
    let store = env.open();
    let create = CreateProject { slug: Some("same".into()), ..CreateProject::new("Any") };
    let made = eight(env, &store, |store| store.projects().create(&create).map(drop));
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(made.iter().filter_map(|made| made.as_ref().err()).all(|error| error.code() == ErrorCode::Conflict));
}

fn installs(env: &Env) {
    let store = env.open();
    let at = InstallProject { project: Some("p".into()) };
    let bound = eight(env, &store, |store| store.projects().install(&at).unwrap().tables);
    let mut all: Vec<String> = bound.into_iter().flatten().collect();
    all.sort();
    let tables = all.len();
    all.dedup();
    assert_eq!((all.len(), tables), (9, 9), "{all:?}");
}

fn deletes(env: &Env) {
    let store = env.open();
    store.projects().create(&named("p", "P")).unwrap();
    store.aux("p", "assets").create(json!({"title": "x"}), None).unwrap();
    let deleted = eight(env, &store, |store| store.projects().delete(&DeleteProject::cascade("p")));
    assert_eq!(deleted.iter().filter(|deleted| deleted.is_ok()).count(), 1);
    assert!(deleted.iter().filter_map(|one| one.as_ref().err()).all(|error| error.code() == ErrorCode::NotFound));
}

fn rival(env: &Env, store: &Store) -> Store {
    if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() }
}

/// One thing that somebody does in the project, by how many went well before.
type Work = fn(&Store, usize) -> Result<(), Error>;

/// Enqueues, claims, reports, creates, changes and deletes in the project for as long as it is deleted again and again. What
/// they run into is that something is gone.
fn meanwhile(env: &Env) {
    let store = env.open();
    store.projects().install(&InstallProject::default()).unwrap();
    let (over, done) = (AtomicBool::new(false), [const { AtomicUsize::new(0) }; 3]);
    let others = [rival(env, &store), rival(env, &store), rival(env, &store)];
    let work: [Work; 3] = [runs, entries, messages];
    std::thread::scope(|scope| {
        for ((store, work), done) in others.iter().zip(work).zip(&done) {
            let over = &over;
            scope.spawn(move || {
                while !over.load(SeqCst) {
                    match work(store, done.load(SeqCst)) {
                        Ok(()) => done.fetch_add(1, SeqCst),
                        Err(error) if gone(&error) => 0,
                        Err(error) => panic!("{error:?}"),
                    };
                }
            });
        }
        let (until, mut deleted) = (Instant::now() + Duration::from_secs(300), 0_u64);
        while Instant::now() < until && (deleted < 20 || done.iter().any(|done| done.load(SeqCst) < 5)) {
            match store.projects().delete(&DeleteProject::cascade("p")) {
                Ok(()) => deleted += 1,
                Err(error) => assert_eq!(error.code(), ErrorCode::NotFound, "{error:?}"),
            }
            // Sometimes there is time for a bulk write, sometimes for nothing; the more the longer the others have needed.
            std::thread::sleep(Duration::from_millis(deleted % 8 * 40 * (1 + deleted / 20)));
        }
        over.store(true, SeqCst);
        assert!(deleted >= 20, "{deleted} deletions beside {done:?}");
    });
    assert!(done.iter().all(|done| done.load(SeqCst) >= 5), "{done:?}");
    whole(&store);
    store
        .projects()
        .delete(&DeleteProject::cascade("p"))
        .map_or_else(|error| assert_eq!(error.code(), ErrorCode::NotFound), drop);
    assert!(super::traces::counts(&store, "p").values().all(|count| *count == 0));
}

fn gone(error: &Error) -> bool {
    let dangling = error.code() == ErrorCode::Validation
        && error.violations_list().iter().all(|violation| violation.keyword == "x-ref");
    dangling || [ErrorCode::NotFound, ErrorCode::LeaseLost, ErrorCode::Conflict].contains(&error.code())
}

fn runs(store: &Store, n: usize) -> Result<(), Error> {
    let run = Enqueue {
        project: Some("p".into()),
        idempotency_key: Some(format!("k{}", n % 7)),
        ..Enqueue::new("k", Json::null())
    };
    store.runs().enqueue(&run)?;
    for run in store.runs().claim_next(&Claim::new("w"))? {
        store.runs().succeed(&Succeed { output: Some(Json::null()), ..Succeed::new(&run.id, run.lease) })?;
    }
    Ok(())
}

fn entries(store: &Store, n: usize) -> Result<(), Error> {
    let (skills, id) = (store.aux("p", "project_skills"), format!("s{}", n % 5));
    skills.upsert(json!({"name": format!("skill {id}"), "version": n.to_string()}), Some(&id), false)?;
    skills.update(&id, json!({"description": n.to_string()}), UpdateOptions::default())?;
    if n.is_multiple_of(3) {
        skills.delete(&id, sprongus::aux_store::OnReferenced::Restrict)?;
    }
    Ok(())
}

fn messages(store: &Store, n: usize) -> Result<(), Error> {
    store.aux("p", "chat_threads").upsert(json!({"title": "t"}), Some("t"), false)?;
    let said = |m: usize| {
        Ok(
            json!({"id": format!("m{m}"), "threadId": "t", "role": "user", "content": n.to_string(), "createdAt": "2026-01-02T03:04:05Z"}),
        )
    };
    store.aux("p", "chat_messages").bulk_upsert((0..20).map(said), BulkOptions::default(), &mut |_, _| Ok(())).map(drop)
}

/// Nothing leads nowhere.
fn whole(store: &Store) {
    for (what, sql) in [
        (
            "events without their run",
            "SELECT count(*) FROM sprongus_events WHERE run_id IS NOT NULL AND run_id NOT IN (SELECT id FROM sprongus_runs)",
        ),
        (
            "runs without all their events",
            "SELECT count(*) FROM sprongus_runs r WHERE r.version <> (SELECT count(*) FROM sprongus_events e WHERE e.run_id = r.id)",
        ),
        (
            "keys without their entry",
            "SELECT count(*) FROM sprongus_aux_keys k WHERE field <> '' AND NOT EXISTS (SELECT 1 FROM sprongus_aux_entries e \
             WHERE e.project_id = k.project_id AND e.table_name = k.table_name AND e.id = k.entry_id)",
        ),
        (
            "references without their entry",
            "SELECT count(*) FROM sprongus_aux_refs r WHERE NOT EXISTS (SELECT 1 FROM sprongus_aux_entries e \
             WHERE e.project_id = r.project_id AND e.table_name = r.from_table AND e.id = r.from_id)",
        ),
        (
            "skills without their keys",
            "SELECT count(*) FROM sprongus_aux_entries e WHERE table_name = 'project_skills' AND (SELECT count(*) \
             FROM sprongus_aux_keys k WHERE k.project_id = e.project_id AND k.table_name = e.table_name AND k.entry_id = e.id) <> 2",
        ),
        (
            "entries without what they were",
            "SELECT count(*) FROM sprongus_aux_entries e WHERE e.version - 1 <> (SELECT count(*) FROM sprongus_aux_versions v \
             WHERE v.project_id = e.project_id AND v.table_name = e.table_name AND v.id = e.id)",
        ),
        (
            "outputs without their run",
            "SELECT count(*) FROM sprongus_artifacts WHERE run_id NOT IN (SELECT id FROM sprongus_runs)",
        ),
    ] {
        assert_eq!(store.query(sql, &[]).unwrap()[0].values(), [Value::Int(0)], "{what}");
    }
}

/// The project is deleted while an import of many rows is judged, and while its steps are written.
fn import(env: &Env) {
    for rows in [1_usize, 500, 4_000] {
        let store = env.open();
        store.projects().install(&InstallProject::default()).unwrap();
        let other = rival(env, &store);
        let deleting = std::thread::scope(|scope| {
            let importing = scope.spawn(|| {
                let items = (0..5_000).map(|n| Ok(json!({"id": format!("s{n}"), "name": format!("skill {n}")})));
                store.aux("p", "project_skills").bulk_upsert(items, BulkOptions::default(), &mut |done, _| {
                    if done as usize >= rows {
                        std::thread::yield_now();
                    }
                    Ok(())
                })
            });
            let mut deleted = 0;
            while !importing.is_finished() {
                deleted += usize::from(other.projects().delete(&DeleteProject::cascade("p")).is_ok());
            }
            let imported = importing.join().unwrap();
            if let Err(error) = &imported {
                let lost = [ErrorCode::NotFound, ErrorCode::Conflict, ErrorCode::Busy, ErrorCode::Validation];
                assert!(lost.contains(&error.code()), "{error:?}");
            }
            (imported.is_ok(), deleted)
        });
        whole(&store);
        let _ = store.projects().delete(&DeleteProject::cascade("p"));
        assert!(super::traces::counts(&store, "p").values().all(|count| *count == 0), "{deleting:?}");
        assert_eq!(store.query("SELECT count(*) FROM sprongus_aux_entries", &[]).unwrap()[0].values(), [Value::Int(0)]);
    }
}
