//! Deletion: refused while anything is owned, or all of it goes in one transaction.

use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use sprongus::aux_store::BulkOptions;
use sprongus::events::{ReadEvents, SubscribeEvents};
use sprongus::inbox::Accept;
use sprongus::projects::{DeleteProject, InstallProject, ProjectId};
use sprongus::runs::{Claim, Enqueue, Fail, GetRun, Heartbeat, SaveStep, Succeed, WaitRun};
use sprongus::worker::Outcome;
use sprongus::{ErrorCode, Json, RunState, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::traces::{counts, furnish, mentions};
use super::{case, get, named, rows, told};
use crate::aux_search::store as searched;
use crate::runs::{code, json as parsed};
use crate::worker::{eventually, leased};

pub(super) fn cases() -> Vec<Case> {
    const DELETE: &[&str] = &["projects.delete"];
    vec![
        case("projects::one_that_owns_anything_is_not_deleted", DELETE, true, refused),
        case("projects::one_that_owns_nothing_is_deleted", DELETE, true, empty),
        case("projects::a_cascade_leaves_nothing_behind_in_any_table", DELETE, false, nothing_left),
        case("projects::a_cascade_within_a_lent_transaction", DELETE, true, lent),
        case("projects::an_id_without_a_record_is_deleted_with_what_carries_it", DELETE, true, without_record),
        case("projects::a_deletion_that_is_rolled_back_has_deleted_nothing", DELETE, false, rolled_back),
        case("projects::a_deleted_id_begins_anew", DELETE, true, anew),
        case("projects::reports_on_deleted_runs_find_nothing", DELETE, true, reports),
        case("projects::a_handler_of_a_deleted_run_is_told", DELETE, false, handler),
        case("projects::readers_of_the_feed_go_on", DELETE, false, feed),
        case("projects::who_waits_for_a_deleted_run_is_answered", DELETE, false, waiter),
    ]
}

fn refused(env: &Env) {
    env.within(|on| {
        on.projects().create(&named("p", "P")).unwrap();
        on.projects().install(&InstallProject { project: Some("p".into()) }).unwrap();
        on.runs().enqueue(&Enqueue { project: Some("p".into()), ..Enqueue::new("k", Json::null()) }).unwrap();
        for id in ["a", "b"] {
            on.aux("assets").create(json!({"title": id}), Some(id)).unwrap();
        }
        on.aux("repos").create(json!({"url": "https://example.org/r", "name": "r"}), Some("r")).unwrap();
        let before = rows(on, &["projects", "events", "runs", "aux_entries", "bindings"]);
        let error = on.projects().delete(&DeleteProject::new("p")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Referenced);
        let referrers = json!([
            {"kind": "runs", "count": 1},
            {"kind": "entries", "table": "assets", "count": 2},
            {"kind": "entries", "table": "repos", "count": 1},
            {"kind": "bindings", "count": 9},
        ]);
        assert_eq!(error.details().unwrap()["referrers"], referrers);
        assert!(error.message().contains("1 runs, 2 entries in assets") && error.message().contains("cascade"));
        assert_eq!(rows(on, &["projects", "events", "runs", "aux_entries", "bindings"]), before);
        assert_eq!(get(on, "p").name, "P");
    });
}

fn empty(env: &Env) {
    env.within(|on| {
        on.projects().create(&named("p", "P")).unwrap();
        on.projects().delete(&DeleteProject::new("p")).unwrap();
        assert_eq!(code(on.projects().get(&ProjectId::new("p"))), ErrorCode::NotFound);
        let event = ("project.deleted".to_owned(), json!({"name": "P", "slug": "p", "removed": {}}));
        assert_eq!(told(on, "project:p"), [event]);
        for delete in [DeleteProject::new("p"), DeleteProject::cascade("p"), DeleteProject::cascade("nobody")] {
            assert_eq!(code(on.projects().delete(&delete)), ErrorCode::NotFound);
        }
        for id in ["", "a\u{0}", &"x".repeat(129)] {
            assert_eq!(code(on.projects().delete(&DeleteProject::cascade(id))), ErrorCode::InvalidArgument);
        }
    });
}

fn nothing_left(env: &Env) {
    // On PostgreSQL with pg_trgm, so that the texts of searches are there to be left.
    let store = searched(env);
    furnish(&store, "spared");
    furnish(&store, "doomed");
    under_way(&store, "doomed");
    let (spared, held) = (counts(&store, "spared"), counts(&store, "doomed"));
    for (table, count) in &held {
        let found_by_others =
            ["run_steps", "search_texts", "search_docsize", "aux_rivals"].map(|name| format!("sprongus_{name}"));
        let of_projects = spared[table] > 0 || table == "sprongus_aux_batches";
        assert!(*count > 0 || !of_projects || found_by_others.contains(table), "{table} held nothing: {held:?}");
    }
    assert!(held.values().filter(|count| **count > 0).count() >= 18, "{held:?}");
    assert!(!mentions(&store, "doomed").is_empty());

    store.projects().delete(&DeleteProject::cascade("doomed")).unwrap();

    let left: Vec<_> = counts(&store, "doomed").into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(left, [], "left behind");
    // The presets that it had belong to the store.
    let named: Vec<_> = mentions(&store, "doomed").into_iter().filter(|row| !row.contains("doomed-input")).collect();
    assert_eq!(named, [] as [String; 0]);
    assert_eq!(counts(&store, "spared"), spared, "another project's");
    let event = told(sprongus_conformance::Face::Store(&store), "project:doomed");
    let (kind, payload) = &event[0];
    assert_eq!((event.len(), kind.as_str()), (1, "project.deleted"));
    assert_eq!((&payload["removed"]["runs"], &payload["removed"]["entries"]), (&json!(10), &json!(704)));
    assert_eq!(code(store.projects().delete(&DeleteProject::cascade("doomed"))), ErrorCode::NotFound);
    furnish_again(&store);
}

/// SQLite: a bulk write that was given up, with an entry that another wrote meanwhile.
fn under_way(store: &Store, project: &str) {
    if store.backend() == sprongus::Dialect::Postgres {
        return;
    }
    let batch = "INSERT INTO sprongus_aux_batches (project_id, table_name, owner, boot, alive) VALUES ($1, 'repos', 'x', 'b', 0)";
    store.execute(batch, &[project.into()]).unwrap();
    let rival = "INSERT INTO sprongus_aux_rivals (batch, entry_id, undone) SELECT id, 'r', 0 FROM sprongus_aux_batches";
    store.execute(rival, &[]).unwrap();
}

/// The same can be made again, and found.
fn furnish_again(store: &Store) {
    store.execute("DELETE FROM sprongus_presets WHERE label = 'doomed-input'", &[]).unwrap();
    furnish(store, "doomed");
    store.projects().delete(&DeleteProject::cascade("doomed")).unwrap();
    assert!(counts(store, "doomed").values().all(|count| *count == 0));
}

fn lent(env: &Env) {
    env.within(|on| {
        for project in ["p", "q"] {
            on.projects().create(&named(project, project)).unwrap();
            on.projects().install(&InstallProject { project: Some(project.into()) }).unwrap();
            let run = Enqueue { project: Some(project.into()), ..Enqueue::new(project, parsed(r#"{"n":1}"#)) };
            on.runs().enqueue(&run).unwrap();
            let claim = Claim { kinds: Some(vec![project.into()]), ..Claim::new("w") };
            let run = on.runs().claim_next(&claim).unwrap().remove(0);
            on.runs().save_step(&SaveStep::new(&run.id, run.lease, "s", Json::null())).unwrap();
            let table = on.aux_of(project, "project_skills");
            let items = (0..30).map(|n| Ok(json!({"id": format!("s-{n}"), "name": format!("skill {n}")})));
            table.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        }
        on.projects().delete(&DeleteProject::cascade("p")).unwrap();
        for table in ["aux_entries", "aux_versions", "aux_keys", "aux_refs", "bindings", "runs"] {
            let sql = format!("SELECT project_id, count(*) FROM sprongus_{table} GROUP BY project_id");
            let left = on.query(&sql, &[]).unwrap();
            assert!(left.iter().all(|row| row.values()[0] == sprongus::Value::text("q")), "{table}: {left:?}");
        }
        for (table, left) in [("runs", 1), ("run_steps", 1), ("aux_entries", 30), ("bindings", 9), ("projects", 1)] {
            let rows = on.query(&format!("SELECT count(*) FROM sprongus_{table}"), &[]).unwrap();
            assert_eq!(rows[0].values(), [sprongus::Value::Int(left)], "{table}");
        }
        let events = on.query("SELECT DISTINCT project_id FROM sprongus_events", &[]).unwrap();
        assert_eq!(events.len(), 2, "those of q, and the deletion, which is the store's");
        assert_eq!(code(on.aux_of("p", "project_skills").create(json!({"name": "x"}), None)), ErrorCode::NotFound);
    });
}

fn without_record(env: &Env) {
    env.within(|on| {
        on.aux_of("loose", "assets").create(json!({"title": "x"}), Some("a")).unwrap();
        assert_eq!(code(on.projects().delete(&DeleteProject::new("loose"))), ErrorCode::Referenced);
        on.projects().delete(&DeleteProject::cascade("loose")).unwrap();
        assert_eq!(code(on.aux_of("loose", "assets").get("a")), ErrorCode::NotFound);
        let removed = json!({"name": null, "slug": null, "removed": {"entries": 1}});
        assert_eq!(told(on, "project:loose"), [("project.deleted".to_owned(), removed)]);
        assert_eq!(code(on.projects().delete(&DeleteProject::cascade("loose"))), ErrorCode::NotFound);
    });
}

fn rolled_back(env: &Env) {
    let store = env.open();
    furnish(&store, "kept");
    let before = counts(&store, "kept");
    let undone: sprongus::Result<()> = store.transaction(|tx| {
        tx.projects().delete(&DeleteProject::cascade("kept"))?;
        assert_eq!(code(tx.projects().get(&ProjectId::new("kept"))), ErrorCode::NotFound);
        Err(sprongus::Error::misuse("changed my mind"))
    });
    assert_eq!(code(undone), ErrorCode::Misuse);
    assert_eq!(counts(&store, "kept"), before);
    store
        .transaction(|tx| {
            let within: sprongus::Result<()> = tx.transaction(|inner| {
                inner.projects().delete(&DeleteProject::cascade("kept"))?;
                Err(sprongus::Error::misuse("changed my mind"))
            });
            assert_eq!(code(within), ErrorCode::Misuse);
            assert_eq!(tx.aux("kept", "assets").get("a-1")?.version, 2);
            tx.projects().delete(&DeleteProject::cascade("kept"))
        })
        .unwrap();
    assert!(counts(&store, "kept").values().all(|count| *count == 0));
}

fn anew(env: &Env) {
    env.within(|on| {
        let keyed = || Enqueue {
            project: Some("p".into()),
            idempotency_key: Some("k".into()),
            ..Enqueue::new("k", Json::null())
        };
        let message = || Accept { project: Some("p".into()), ..Accept::new("mail", "m-1") };
        let mut runs = Vec::new();
        for _ in 0..3 {
            on.projects().create(&named("p", "P")).unwrap();
            let run = on.runs().enqueue(&keyed()).unwrap();
            assert!(!run.deduplicated);
            runs.push(run.id);
            assert!(on.inbox().accept(&message()).unwrap().first);
            let entry = on.aux("assets").create(json!({"title": "x"}), Some("a")).unwrap();
            assert_eq!(entry.version, 1);
            assert_eq!(on.aux("assets").history("a").unwrap().len(), 1);
            on.projects().delete(&DeleteProject::cascade("p")).unwrap();
        }
        let kinds: Vec<_> = told(on, "project:p").into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["project.deleted"; 3], "the store remembers each");
        runs.dedup();
        assert_eq!(runs.len(), 3);
    });
}

fn reports(env: &Env) {
    env.within(|on| {
        on.runs().enqueue(&Enqueue { project: Some("p".into()), ..Enqueue::new("k", Json::null()) }).unwrap();
        let run = on.runs().claim_next(&Claim::new("w")).unwrap().remove(0);
        on.projects().delete(&DeleteProject::cascade("p")).unwrap();
        let before = rows(on, &["events", "runs", "artifacts", "run_steps"]);
        assert_eq!(code(on.runs().heartbeat(&Heartbeat::new(&run.id, run.lease))), ErrorCode::NotFound);
        let output = Succeed { output: Some(Json::null()), ..Succeed::new(&run.id, run.lease) };
        assert_eq!(code(on.runs().succeed(&output)), ErrorCode::NotFound);
        assert_eq!(code(on.runs().fail(&Fail::new(&run.id, run.lease, "x"))), ErrorCode::NotFound);
        assert_eq!(
            code(on.runs().save_step(&SaveStep::new(&run.id, run.lease, "s", Json::null()))),
            ErrorCode::NotFound
        );
        assert_eq!(code(on.runs().get(&GetRun::new(&run.id))), ErrorCode::NotFound);
        assert_eq!(rows(on, &["events", "runs", "artifacts", "run_steps"]), before);
    });
}

fn handler(env: &Env) {
    let store = env.open();
    let worker = store.worker(leased(300)).unwrap();
    let (seen, saw) = mpsc::channel();
    let endless = move |context: &sprongus::worker::Context| {
        while !context.canceled() {
            std::thread::sleep(Duration::from_millis(10));
        }
        seen.send(context.heartbeat(Json::null()).unwrap_err().code()).unwrap();
        Ok(Outcome::None)
    };
    worker.handle("endless", endless).unwrap();
    let run = Enqueue { project: Some("p".into()), ..Enqueue::new("endless", Json::null()) };
    let id = store.runs().enqueue(&run).unwrap().id;
    worker.start().unwrap();
    eventually(|| store.runs().get(&GetRun::new(&id)).unwrap().state == RunState::Running);
    // By another store where there can be one: what it did is found out by the next heartbeat.
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    other.projects().delete(&DeleteProject::cascade("p")).unwrap();
    let refused = saw.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!([ErrorCode::LeaseLost, ErrorCode::NotFound].contains(&refused), "{refused}");
    assert!(worker.stop(None));
    assert_eq!(counts(&store, "p").values().sum::<i64>(), 0, "nothing that it did came back");
}

fn feed(env: &Env) {
    let store = env.open();
    let all = ReadEvents { limit: 1_000, ..ReadEvents::default() };
    store.runs().enqueue(&Enqueue::new("before", Json::null())).unwrap();
    let early = store.events().read(&ReadEvents { limit: 1, ..all.clone() }).unwrap().cursor;
    let run = Enqueue { project: Some("p".into()), ..Enqueue::new("k", Json::null()) };
    let gone = store.runs().enqueue(&run).unwrap();
    store.aux("p", "assets").create(json!({"title": "x"}), Some("a")).unwrap();
    let within = store.events().read(&all).unwrap().cursor;
    let (tell, heard) = mpsc::channel();
    let subscription = store
        .events()
        .subscribe(&SubscribeEvents::default(), move |event| {
            let _ = tell.send(event.kind.clone());
        })
        .unwrap();
    store.projects().delete(&DeleteProject::cascade("p")).unwrap();
    store.runs().enqueue(&Enqueue::new("after", Json::null())).unwrap();
    for after in [None, Some(early), Some(within.clone())] {
        let read = store.events().read(&ReadEvents { after: after.clone(), ..all.clone() }).unwrap();
        let kinds: Vec<&str> = read.items.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds[kinds.len() - 2..], ["project.deleted", "run.enqueued"]);
        assert!(read.items.iter().all(|event| event.run_id.as_deref() != Some(gone.id.as_str())));
        assert_eq!(kinds.len(), if after.is_none() { 3 } else { 2 });
    }
    assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap(), "project.deleted");
    subscription.close();
    let mine = ReadEvents { project: Some("p".into()), ..all };
    assert!(store.events().read(&mine).unwrap().items.is_empty());
}

fn waiter(env: &Env) {
    let store = env.open();
    let run = Enqueue { project: Some("p".into()), ..Enqueue::new("k", Json::null()) };
    let id = store.runs().enqueue(&run).unwrap().id;
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| store.runs().wait(&WaitRun { timeout: Some(Duration::from_secs(20)), ..WaitRun::new(&id) }));
        std::thread::sleep(Duration::from_millis(100));
        store.projects().delete(&DeleteProject::cascade("p")).unwrap();
        assert_eq!(code(waiting.join().unwrap()), ErrorCode::NotFound);
    });
}
