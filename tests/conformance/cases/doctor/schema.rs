//! Drift: each damage is done to a real schema, found by its name, and gone when the fix was applied as told.

use sprongus::Store;
use sprongus::doctor::Severity::{self, Advice, Error, Warning};
use sprongus_conformance::{Backend, Env};

use super::fix::{apply, obey, run};
use super::{codes, finding, of_the_store, report};

/// What is done, as what it is found, how bad it is, and what the message says.
type Damage = (&'static [&'static str], &'static str, Severity, &'static str);

const EVERYWHERE: &[Damage] = &[
    (
        &["DROP INDEX sprongus_aux_refs_to"],
        "missing_index",
        Warning,
        "sprongus_aux_refs_to of sprongus_aux_refs is missing",
    ),
    (&["DROP INDEX sprongus_aux_keys_unique"], "missing_index", Error, "what it keeps apart may collide"),
    (
        &[
            "DROP INDEX sprongus_aux_keys_unique",
            "CREATE INDEX sprongus_aux_keys_unique ON sprongus_aux_keys (project_id)",
        ],
        "schema_drift",
        Error,
        "the index sprongus_aux_keys_unique of sprongus_aux_keys is another",
    ),
    // The same columns, of other rows; in another order; in another direction.
    (
        &[
            "DROP INDEX sprongus_approvals_pending",
            "CREATE INDEX sprongus_approvals_pending ON sprongus_approvals (created_at DESC, id DESC) WHERE decision IS NOT NULL",
        ],
        "schema_drift",
        Error,
        "sprongus_approvals_pending of sprongus_approvals is another",
    ),
    (
        &[
            "DROP INDEX sprongus_aux_keys_entry",
            "CREATE INDEX sprongus_aux_keys_entry ON sprongus_aux_keys (project_id, table_name, entry_id)",
        ],
        "schema_drift",
        Error,
        "sprongus_aux_keys_entry of sprongus_aux_keys is another",
    ),
    (
        &[
            "DROP INDEX sprongus_runs_state",
            "CREATE INDEX sprongus_runs_state ON sprongus_runs (state, created_at, id)",
        ],
        "schema_drift",
        Error,
        "sprongus_runs_state of sprongus_runs is another",
    ),
    (
        &["ALTER TABLE sprongus_approvals DROP COLUMN note"],
        "schema_drift",
        Error,
        "the column note of sprongus_approvals is missing",
    ),
    (&["DROP TABLE sprongus_run_steps"], "schema_drift", Error, "the table sprongus_run_steps is missing"),
    (&["DROP VIEW sprongus_aux_seen"], "schema_drift", Error, "the view sprongus_aux_seen is missing"),
    (
        &["ALTER TABLE sprongus_aux_refs ADD COLUMN mine TEXT"],
        "schema_extra",
        Advice,
        "the column mine of sprongus_aux_refs",
    ),
    (&["CREATE INDEX mine ON sprongus_runs (created_at)"], "schema_extra", Advice, "every write keeps it"),
    (&["CREATE UNIQUE INDEX mine ON sprongus_runs (created_at)"], "schema_extra", Warning, "may refuse writes"),
    (
        &["CREATE TABLE sprongus_mine (a TEXT)"],
        "schema_extra",
        Advice,
        "the table sprongus_mine has a name of the library's",
    ),
    (&["CREATE VIEW sprongus_mine AS SELECT 1 AS a"], "schema_extra", Advice, "the view sprongus_mine"),
    (&["UPDATE sprongus_migrations SET checksum = 'x' WHERE version = 3"], "migrations", Error, "another checksum"),
    (&["DELETE FROM sprongus_migrations WHERE version = 5"], "migrations", Error, "lacks the migration 5"),
];

const SQLITE: &[Damage] = &[(
    &["CREATE TRIGGER mine BEFORE INSERT ON sprongus_runs BEGIN SELECT raise(ABORT, 'no'); END"],
    "schema_extra",
    Warning,
    "the trigger mine of sprongus_runs",
)];

const POSTGRES: &[Damage] = &[
    (
        &["ALTER TABLE sprongus_runs ALTER COLUMN series TYPE integer"],
        "schema_drift",
        Error,
        "series of sprongus_runs is integer, not bigint",
    ),
    (
        &["ALTER TABLE sprongus_runs ALTER COLUMN kind DROP NOT NULL"],
        "schema_drift",
        Error,
        "kind of sprongus_runs should be NOT NULL",
    ),
    (
        &["ALTER TABLE sprongus_runs ALTER COLUMN error SET NOT NULL"],
        "schema_drift",
        Error,
        "error of sprongus_runs should not be NOT NULL",
    ),
    (
        &["ALTER TABLE sprongus_runs ALTER COLUMN attempt DROP DEFAULT"],
        "schema_drift",
        Error,
        "attempt of sprongus_runs has lost its default",
    ),
    (
        &["ALTER TABLE sprongus_runs DROP CONSTRAINT sprongus_runs_state_check"],
        "schema_drift",
        Error,
        "sprongus_runs has lost a constraint: CHECK (state IN",
    ),
    (
        &["ALTER TABLE sprongus_aux_versions DROP CONSTRAINT sprongus_aux_versions_pkey"],
        "schema_drift",
        Error,
        "PRIMARY KEY (project_id, table_name, id, version)",
    ),
    (
        &["ALTER TABLE sprongus_approvals DROP CONSTRAINT sprongus_approvals_run_id_scope_step_key"],
        "schema_drift",
        Error,
        "UNIQUE (run_id, scope, step)",
    ),
    (&["DROP SEQUENCE sprongus_positions"], "schema_drift", Error, "the sequence sprongus_positions is missing"),
    (
        &[
            "DROP VIEW sprongus_aux_seen",
            "CREATE VIEW sprongus_aux_seen AS SELECT * FROM sprongus_aux_entries WHERE version > 1",
        ],
        "schema_drift",
        Error,
        "the view sprongus_aux_seen is another",
    ),
    // The view has to go first, and comes back.
    (
        &[
            "DROP VIEW sprongus_aux_seen",
            "ALTER TABLE sprongus_aux_entries ALTER COLUMN id TYPE text COLLATE \"default\"",
            "CREATE VIEW sprongus_aux_seen AS SELECT project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary FROM sprongus_aux_entries",
        ],
        "wrong_collation",
        Error,
        "sprongus_aux_entries.id is not ordered by code point",
    ),
    (
        &["ALTER TABLE sprongus_aux_refs ALTER COLUMN to_id TYPE text COLLATE \"default\""],
        "wrong_collation",
        Error,
        "sprongus_aux_refs.to_id",
    ),
    (
        &["ALTER TABLE sprongus_runs ADD COLUMN mine TEXT NOT NULL"],
        "schema_extra",
        Warning,
        "every insert fails without a value",
    ),
    (
        &["ALTER TABLE sprongus_runs ADD CONSTRAINT mine CHECK (priority < 10)"],
        "schema_extra",
        Warning,
        "a constraint that is not the library's: CHECK",
    ),
    (
        &[
            "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER mine BEFORE INSERT ON sprongus_runs FOR EACH ROW EXECUTE FUNCTION mine()",
        ],
        "schema_extra",
        Warning,
        "the trigger mine of sprongus_runs",
    ),
];

pub(super) fn drift(env: &Env) {
    let store = env.open();
    let own = if env.backend() == Backend::Postgres { POSTGRES } else { SQLITE };
    for (damage, code, severity, said) in EVERYWHERE.iter().chain(own) {
        damage.iter().for_each(|sql| run(&store, sql));
        let found = of_the_store(report(&store));
        let one = finding(&found, code);
        assert!(one.message.contains(said), "{}: {said}", one.message);
        assert_eq!((one.severity, found.ok), (*severity, *severity == Advice), "{damage:?}");
        let others: Vec<&str> =
            codes(&found).into_iter().filter(|other| other != code && *other != "not_looked_at").collect();
        assert_eq!(others, Vec::<&str>::new(), "{damage:?} is nothing else: {found:?}");
        apply(&store, one);
        assert_eq!(of_the_store(report(&store)).findings, [], "{damage:?} is mended");
    }
    newer(&store);
    use_it(&store);
}

/// A newer library's register: nothing here mends it.
fn newer(store: &Store) {
    run(store, "INSERT INTO sprongus_migrations (version, name, checksum, applied_at) VALUES (99, 'later', 'x', 'y')");
    let found = of_the_store(report(store));
    assert!(finding(&found, "migrations").message.ends_with("does not know: 99"));
    assert!(finding(&found, "migrations").fix.starts_with("update the library"));
    run(store, "DELETE FROM sprongus_migrations WHERE version = 99");
    assert_eq!(of_the_store(report(store)).findings, []);
}

/// Many at once, the register among them: it tells what to do until all is well, and the store works.
pub(super) fn ruin(env: &Env) {
    let store = env.open();
    for sql in [
        "DROP VIEW sprongus_aux_seen",
        "DROP TABLE sprongus_migrations",
        "DROP TABLE sprongus_aux_refs",
        "DROP TABLE sprongus_approvals",
        "DROP TABLE sprongus_bindings",
        "DROP INDEX sprongus_runs_idempotency",
        "ALTER TABLE sprongus_runs DROP COLUMN awaiting",
        "CREATE INDEX mine ON sprongus_events (at)",
    ] {
        run(&store, sql);
    }
    let found = of_the_store(report(&store));
    assert!(found.findings.len() >= 7 && !found.ok, "{found:?}");
    assert!(
        codes(&found).contains(&"not_looked_at"),
        "what stands on a missing table is not an error of the doctor's: {found:?}"
    );
    obey(&store, |store| of_the_store(report(store)));
    use_it(&store);
    drop(store);
    if env.backend() != Backend::SqliteMemory {
        use_it(&env.open());
    }
}

fn use_it(store: &Store) {
    let entry = store.aux("p", "assets").create(serde_json::json!({}), None).unwrap();
    assert_eq!(store.aux("p", "assets").get(&entry.id).unwrap(), entry);
    store.runs().enqueue(&sprongus::runs::Enqueue::new("k", sprongus::Json::null())).unwrap();
}

/// What SQLite cannot alter comes back with the copy, or by undoing what was done.
pub(super) fn by_hand(env: &Env) {
    if env.backend() != Backend::SqliteFile {
        let store = env.open();
        return assert!(of_the_store(report(&store)).ok);
    }
    let store = env.open();
    let folder = sprongus_testkit::temp_dir();
    let copy = folder.path().join("copy.db");
    store.snapshot(&copy).unwrap();
    let by_hand = |store: &Store, said: &str| {
        let found = of_the_store(report(store));
        let one = finding(&found, "schema_drift");
        assert!(
            one.message.contains(said) && one.fix.contains("undo that, or restore the database from a copy"),
            "{one:?}"
        );
    };
    run(&store, "ALTER TABLE sprongus_approvals DROP COLUMN note");
    run(&store, "ALTER TABLE sprongus_approvals ADD COLUMN note INTEGER");
    by_hand(&store, "note of sprongus_approvals is integer, not text");
    run(&store, "ALTER TABLE sprongus_approvals DROP COLUMN note");
    run(&store, "ALTER TABLE sprongus_approvals ADD COLUMN note TEXT");
    assert_eq!(of_the_store(report(&store)).findings, []);
    run(&store, "ALTER TABLE sprongus_approvals DROP COLUMN metadata");
    by_hand(&store, "the column metadata of sprongus_approvals is missing");
    store.close();
    drop(store);
    std::fs::copy(&copy, env.url()).unwrap();
    assert_eq!(of_the_store(report(&env.open())).findings, []);
}
