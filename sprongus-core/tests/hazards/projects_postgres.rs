//! PostgreSQL: a table that came up while its project is deleted, of which an entry is being written meanwhile.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use serde_json::json;
use sprongus::aux_store::UpdateOptions;
use sprongus::projects::DeleteProject;
use sprongus::{Options, Store, Value};
use sprongus_testkit::Postgres;

/// The deletion asks for that lock when it has held the tables that there are, and comes to the runs.
const GATE: &str = "
    CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;
    CREATE TRIGGER gate BEFORE DELETE ON sprongus_runs FOR EACH STATEMENT EXECUTE FUNCTION gate()";

/// Waits until so many sessions wait for a lock of that kind.
fn wait_for(host: &mut Client, kind: &str) {
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND wait_event = $1 AND datname = current_database()";
    let end = Instant::now() + Duration::from_secs(60);
    while host.query_one(sql, &[&kind]).unwrap().get::<_, i64>(0) == 0 {
        assert!(Instant::now() < end, "nobody waits for {kind}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_table_that_comes_up_during_the_deletion_goes_whole() {
    let url = Postgres::shared().create_database(&format!("late_table_{}", std::process::id()));
    let store = Store::open(&url, Options::default()).unwrap();
    store.aux("p", "citations").create(json!({"title": "x"}), Some("e")).unwrap();
    let mut host = Client::connect(&url, NoTls).unwrap();
    host.batch_execute(GATE).unwrap();
    host.batch_execute("SELECT pg_advisory_lock(77)").unwrap();
    let (begun, written) = channel();
    std::thread::scope(|scope| {
        let deleting = scope.spawn(|| store.projects().delete(&DeleteProject::cascade("p")));
        wait_for(&mut host, "advisory");
        store.aux("p", "assets").create(json!({"title": "1"}), Some("e")).unwrap();
        let (release, released) = channel::<()>();
        let store = &store;
        let writing = scope.spawn(move || {
            store.transaction(|tx| {
                tx.aux("p", "assets").update("e", json!({"title": "2"}), UpdateOptions::default())?;
                begun.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            })
        });
        written.recv().unwrap();
        host.batch_execute("SELECT pg_advisory_unlock(77)").unwrap();
        // It is at the entry now, whose next version it cannot see.
        wait_for(&mut host, "transactionid");
        release.send(()).unwrap();
        writing.join().unwrap().unwrap();
        deleting.join().unwrap().unwrap();
    });
    for table in ["aux_entries", "aux_versions", "events"] {
        let sql = format!("SELECT count(*) FROM sprongus_{table} WHERE project_id = 'p'");
        assert_eq!(store.query(&sql, &[]).unwrap()[0].values()[0], Value::Int(0), "{table}");
    }
    // The id begins anew.
    let anew = store.aux("p", "assets").create(json!({"title": "3"}), Some("e")).unwrap();
    assert_eq!(anew.version, 1);
    store.aux("p", "assets").update("e", json!({"title": "4"}), UpdateOptions::default()).unwrap();
}
