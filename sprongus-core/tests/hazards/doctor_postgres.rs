//! What hurts a PostgreSQL server is done to one, found, and gone once the fix was applied as told.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sprongus::clock::testing::ManualClock;
use sprongus::clock::{Clock, SystemClock};
use sprongus::doctor::{Examine, Finding};
use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, Setup};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(server: &Postgres) -> Store {
    Store::open(server.url(), Options::default()).unwrap()
}

fn findings(store: &Store, code: &str) -> Vec<Finding> {
    store.doctor().unwrap().findings.into_iter().filter(|one| one.code == code).collect()
}

/// The finding, once it is there: settings take a moment to be read, and counts to be told.
fn found(store: &Store, code: &str) -> Finding {
    let begun = Instant::now();
    loop {
        if let Some(one) = findings(store, code).pop() {
            return one;
        }
        assert!(begun.elapsed() < PATIENCE, "no {code} in {:?}", store.doctor().unwrap());
        sleep(Duration::from_millis(20));
    }
}

fn gone(store: &Store, code: &str) {
    let begun = Instant::now();
    while let Some(one) = findings(store, code).pop() {
        assert!(begun.elapsed() < PATIENCE, "it does not go: {one}");
        sleep(Duration::from_millis(20));
    }
}

/// Runs the statements of a fix, which follow its last colon.
fn apply(server: &Postgres, finding: &Finding) {
    let sql = finding.fix.rsplit_once(": ").map_or(finding.fix.as_str(), |(_, sql)| sql);
    sql.split("; ").for_each(|statement| drop(server.psql(statement)));
}

/// Does it, finds it as `code`, applies the fix, and finds it no more.
fn each(server: &Postgres, store: &Store, damage: &[&str], code: &str, said: &str) {
    damage.iter().for_each(|sql| drop(server.psql(sql)));
    let one = found(store, code);
    assert!(one.message.contains(said), "{one}");
    apply(server, &one);
    gone(store, code);
}

fn with(settings: &[&str]) -> Postgres {
    let settings = settings.iter().map(|one| (*one).to_owned()).collect();
    Postgres::start_with(Setup { max_connections: 20, settings, ..Setup::default() })
}

#[test]
fn settings_that_hurt_are_found_and_set() {
    let server = with(&[]);
    let store = open(&server);
    assert_eq!(store.doctor().unwrap().findings, []);
    for (setting, code) in [
        ("fsync", "not_durable"),
        ("full_page_writes", "not_durable"),
        ("synchronous_commit", "synchronous_commit"),
        ("autovacuum", "no_autovacuum"),
        ("track_counts", "no_autovacuum"),
    ] {
        let off = format!("ALTER SYSTEM SET {setting} = off");
        server.psql(&off);
        server.psql("SELECT pg_reload_conf()");
        let one = found(&store, code);
        assert!(one.message.contains(setting), "{one}");
        apply(&server, &one);
        // A role's own setting is that of the sessions to come.
        let again = if one.fix.contains("open the store anew") { open(&server) } else { store.clone() };
        gone(&again, code);
        server.psql(&format!("ALTER SYSTEM RESET {setting}"));
        server.psql("SELECT pg_reload_conf()");
    }
    // In the URL a setting goes before the role's.
    let hasty = format!("{}&options=-c%20synchronous_commit%3Doff", server.url());
    let hasty = Store::open(&hasty, Options::default()).unwrap();
    assert!(found(&hasty, "synchronous_commit").fix.starts_with("take it out of the options of the store's URL"));
    gone(&open(&server), "synchronous_commit");
    let alone = ["ALTER TABLE sprongus_runs SET (autovacuum_enabled = off)"];
    each(&server, &store, &alone, "no_autovacuum", "autovacuum leaves sprongus_runs alone");
}

#[test]
fn what_holds_vacuum_up_is_found_and_ended() {
    let server = with(&["wal_level=logical", "max_prepared_transactions=2", "autovacuum=off"]);
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let store = Store::open(server.url(), Options { clock: clock.clone(), ..Options::default() }).unwrap();
    let other = open(&server);
    std::thread::scope(|scope| {
        let (told, (ended, end)) = (channel(), channel::<()>());
        scope.spawn(move || {
            let open: sprongus::Result<()> = other.transaction(|tx| {
                tx.execute("DELETE FROM sprongus_rates", &[])?;
                told.0.send(()).unwrap();
                let _ = end.recv();
                Ok(())
            });
            assert!(open.is_err(), "the doctor's fix ended it");
        });
        told.1.recv().unwrap();
        for (later, code, said) in
            [(120, "idle_in_transaction", "stands still for 1"), (3600, "old_transaction", "is open for 3")]
        {
            clock.set(SystemClock::new().now().saturating_add(Duration::from_secs(later)));
            let one = found(&store, code);
            assert!(one.message.contains(said) && one.message.contains("\"sprongus\""), "{one}");
        }
        apply(&server, &found(&store, "old_transaction"));
        gone(&store, "old_transaction");
        drop(ended);
    });
    let prepare = "BEGIN; DELETE FROM sprongus_rates; PREPARE TRANSACTION 'it''s'";
    each(&server, &store, &[prepare], "prepared_transaction", "\"it's\"");
    for (make, kept) in [
        (
            "SELECT pg_create_logical_replication_slot('forgotten', 'pgoutput')",
            "it keeps dead rows and the server's log",
        ),
        ("SELECT pg_create_physical_replication_slot('forgotten', true)", "it keeps the server's log"),
    ] {
        each(&server, &store, &[make], "idle_slot", kept);
    }
    let dead = [
        "INSERT INTO sprongus_rates SELECT n::text, 'x', 1, now() FROM generate_series(1, 150000) AS n",
        "DELETE FROM sprongus_rates",
    ];
    each(
        &server,
        &store,
        &dead,
        "dead_rows",
        "sprongus_rates has 150000 dead rows beside 0 live ones; it was never vacuumed",
    );
}

#[test]
fn connections_and_indexes_are_looked_at() {
    let server = with(&[]);
    let store = open(&server);
    let many: Vec<Store> = (0..18).map(|_| open(&server)).collect();
    let one = found(&store, "few_connections_left");
    assert!(one.message.starts_with("19 of 20") && one.fix.starts_with("close what nobody needs"), "{one}");
    drop(many);
    gone(&store, "few_connections_left");
    // Its making is broken off by what is there twice.
    for sql in [
        "INSERT INTO sprongus_aux_refs SELECT 'p', 't', n::text, 'f', 'to', 'one' FROM generate_series(1, 2) AS n",
        "DROP INDEX sprongus_aux_refs_to",
    ] {
        server.psql(sql);
    }
    let broken =
        "CREATE UNIQUE INDEX CONCURRENTLY sprongus_aux_refs_to ON sprongus_aux_refs (project_id, to_table, to_id)";
    assert!(std::panic::catch_unwind(|| server.psql(broken)).is_err());
    each(&server, &store, &[], "invalid_index", "sprongus_aux_refs_to of sprongus_aux_refs was never finished");
    assert_eq!(findings(&store, "schema_drift"), [], "what is made anew is the library's");
    // Deep: an index that missed a row.
    let deep = |code: &str| -> Option<Finding> {
        let report = store.examine(&Examine { deep: true }).unwrap();
        report.findings.into_iter().find(|one| one.code == code)
    };
    let unlooked = deep("not_looked_at").unwrap();
    assert!(unlooked.message.contains("amcheck"), "{unlooked}");
    apply(&server, &unlooked);
    assert_eq!((deep("not_looked_at"), deep("damaged")), (None, None));
    let switch = |on: bool| {
        server.psql(&format!(
            "UPDATE pg_index SET indisready = {on}, indisvalid = {on} WHERE indexrelid = 'sprongus_aux_refs_to'::regclass"
        ));
    };
    switch(false);
    server.psql("INSERT INTO sprongus_aux_refs VALUES ('p', 't', 'missed', 'f', 'to', 'one')");
    switch(true);
    assert_eq!(findings(&store, "damaged"), [], "it takes a deep look");
    let one = deep("damaged").unwrap();
    assert!(one.message.contains("the index sprongus_aux_refs_to does not fit its table"), "{one}");
    apply(&server, &one);
    assert_eq!(deep("damaged"), None);
}

#[test]
fn transaction_ids_that_run_out_are_found() {
    // Else the server sees to it by itself, in its own time.
    let server = with(&["autovacuum_freeze_max_age=2000000000", "vacuum_failsafe_age=2100000000"]);
    drop(open(&server));
    server.advance_ids(1_100_000_000);
    let store = open(&server);
    each(&server, &store, &[], "transaction_ids", "of 2,147,483,648 transaction ids are in use");
}

#[test]
fn a_standby_that_holds_rows_is_found() {
    let primary = with(&[]);
    let store = open(&primary);
    let standby = primary.standby();
    assert_eq!(findings(&store, "standby_feedback"), []);
    std::thread::scope(|scope| {
        let query = scope.spawn(|| std::panic::catch_unwind(|| standby.psql("SELECT pg_sleep(180)")));
        let held = "SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL";
        let begun = Instant::now();
        while primary.psql(held) == "0" {
            assert!(begun.elapsed() < PATIENCE, "the standby does not say what it reads");
            sleep(Duration::from_millis(20));
        }
        // Each block with an exception handler takes a transaction id.
        primary.psql(
            "DO $$ BEGIN FOR n IN 1..110000 LOOP BEGIN INSERT INTO sprongus_config VALUES ('p', n::text, '1', now()); \
             EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$",
        );
        let one = found(&store, "standby_feedback");
        assert!(one.fix.starts_with("end the old query on the standby"), "{one}");
        standby.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(180)'");
        assert!(query.join().unwrap().is_err());
    });
    gone(&store, "standby_feedback");
}
