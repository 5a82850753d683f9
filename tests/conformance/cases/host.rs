//! The host's own SQL and its transactions: shapes, savepoints, poison, what is refused.

use std::time::Duration;

use sprongus::{Dialect, Error, ErrorCode, Options, Store, Timestamp, Tx, Value};
use sprongus_conformance::{Backend, Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("host::declared_columns_give_the_same_shapes", true, shapes),
        case("host::nulls_and_missing_rows", true, nulls),
        case("host::a_parameter_may_stand_anywhere_and_twice", true, parameters),
        case("host::rows_changed_are_counted", true, counted),
        case("host::transaction_control_is_refused", true, control),
        case("host::mistakes_in_sql_have_a_code", false, mistakes),
        case("host::constraints_have_codes", false, constraints),
        case("host::a_deferred_constraint_refuses_the_commit", false, deferred),
        case("host::a_table_that_changes_is_read_as_it_is", false, changing),
        case("host::query_only_reads", false, only_reads),
        case("host::savepoints_nest", false, savepoints),
        case("host::a_failed_statement_poisons_until_rolled_back", false, poison),
        case("host::a_swallowed_failure_cannot_commit", false, swallowed),
        case("host::the_store_inside_its_transaction_is_misuse", false, inside),
        case("host::an_ended_transaction_is_misuse", false, ended),
        case("host::a_dropped_transaction_writes_nothing", false, dropped),
        case("host::a_savepoint_that_is_gone_touches_no_later_one", false, gone),
        case("host::what_was_wrong_is_said_though_undoing_fails", false, first_error),
        case("host::endless_waits_are_refused", false, endless),
        case("host::a_closed_store_is_misuse", false, closed),
        case("host::a_panic_rolls_back", false, panics),
        case("host::read_only_writes_nothing", false, read_only),
        case("host::scoped_handles_have_no_sql", false, scoped),
        Case { name: "host::info_names_the_backend", covers: &["store.info"], transactional: false, run: info },
    ]
}

fn case(name: &'static str, transactional: bool, run: fn(&Env)) -> Case {
    Case { name, covers: &[], transactional, run }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

const SHAPES: &str = "CREATE TABLE shapes (yes BOOLEAN, whole BIGINT, half DOUBLE PRECISION, price NUMERIC(10, 2), \
     word TEXT, raw BYTEA, day DATE, clock TIME, local TIMESTAMP, instant TIMESTAMPTZ, ident UUID, doc JSONB, words TEXT[])";

fn shapes(env: &Env) {
    let day: jiff::civil::Date = "2024-02-29".parse().unwrap();
    let clock: jiff::civil::Time = "23:59:58.000001".parse().unwrap();
    let instant: Timestamp = "2024-02-29T12:00:00.5+02:00".parse().unwrap();
    let row = [
        Value::Bool(true),
        Value::Int(i64::MAX),
        Value::Float(0.1),
        Value::Decimal("12.50".into()),
        Value::text("naïve 🦀"),
        Value::Bytes(vec![0, 255, 7].into()),
        Value::Date(day),
        Value::Time(clock),
        Value::DateTime(day.to_datetime(clock)),
        Value::Timestamp(instant),
        Value::Uuid(*b"0123456789abcdef"),
        Value::json(r#"{"a":[1,2.5,null]}"#),
        Value::Array(vec![Value::text("x"), Value::Null, Value::text("y,\"z")]),
    ];
    env.within(|on| {
        on.execute(SHAPES, &[]).unwrap();
        let marks: Vec<String> = (1..=row.len()).map(|n| format!("${n}")).collect();
        on.execute(&format!("INSERT INTO shapes VALUES ({})", marks.join(", ")), &row).unwrap();
        let got = on.query("SELECT * FROM shapes", &[]).unwrap();
        assert_eq!(got.len(), 1);
        for (index, (got, wanted)) in got[0].values().iter().zip(&row).enumerate() {
            match (got, wanted) {
                // JSONB spells documents its own way; the document is the same.
                (Value::Json(got), Value::Json(wanted)) => {
                    let parse = |text: &str| sprongus::Json::parse(text).unwrap();
                    assert_eq!(parse(got), parse(wanted));
                }
                _ => assert_eq!(got, wanted, "column {index}"),
            }
        }
    });
}

fn nulls(env: &Env) {
    env.within(|on| {
        on.execute(SHAPES, &[]).unwrap();
        on.execute("INSERT INTO shapes (word) VALUES ($1)", &[Value::Null]).unwrap();
        let rows = on.query("SELECT * FROM shapes", &[]).unwrap();
        assert!(rows[0].values().iter().all(Value::is_null));
        assert_eq!(on.query("SELECT word FROM shapes WHERE word = $1", &["x".into()]).unwrap(), []);
    });
}

fn parameters(env: &Env) {
    env.within(|on| {
        on.execute("CREATE TABLE p (a BIGINT, b TEXT)", &[]).unwrap();
        on.execute("INSERT INTO p (b, a) VALUES ($2, $1)", &[1.into(), "it's $1".into()]).unwrap();
        let rows = on.query("SELECT b FROM p WHERE a = $1 OR a = $1 + 1", &[1.into()]).unwrap();
        assert_eq!(rows[0].values(), [Value::text("it's $1")]);
    });
}

fn counted(env: &Env) {
    env.within(|on| {
        on.execute("CREATE TABLE c (n BIGINT)", &[]).unwrap();
        assert_eq!(on.execute("INSERT INTO c VALUES (1), (2), (3)", &[]).unwrap(), 3);
        assert_eq!(on.execute("CREATE TABLE d (n BIGINT)", &[]).unwrap(), 0);
        assert_eq!(on.execute("UPDATE c SET n = n + $1 WHERE n > 1", &[10.into()]).unwrap(), 2);
        assert_eq!(on.execute("DELETE FROM c WHERE n = 99", &[]).unwrap(), 0);
    });
}

fn control(env: &Env) {
    env.within(|on| {
        for sql in ["COMMIT", "begin", "/* a */ ROLLBACK", "\u{feff}COMMIT", "SAVEPOINT x", "RELEASE x", "", "  ;  "] {
            assert_eq!(code(on.execute(sql, &[])), ErrorCode::InvalidArgument, "{sql:?}");
        }
        // COMMIT to the one database, and a comment or a mistake to the other.
        let hidden = match env.backend() {
            Backend::Postgres | Backend::LentPostgres => "-- a\rCOMMIT /*\n SELECT 1 */",
            _ => "/* /* */ COMMIT -- */ SELECT 1",
        };
        assert_eq!(code(on.execute(hidden, &[])), ErrorCode::InvalidArgument);
        on.execute("CREATE TABLE after_all (n BIGINT)", &[]).unwrap();
    });
}

fn mistakes(env: &Env) {
    let store = env.open();
    for sql in
        ["SELEC 1", "SELECT * FROM no_such_table", "SELECT no_such_column FROM sprongus_runs", "SELECT 1; SELECT 2"]
    {
        assert_eq!(code(store.query(sql, &[])), ErrorCode::InvalidArgument, "{sql:?}");
    }
    assert_eq!(code(store.query("SELECT kind FROM sprongus_runs WHERE kind = $1", &[])), ErrorCode::InvalidArgument);
    assert_eq!(code(store.query("SELECT 1", &[1.into()])), ErrorCode::InvalidArgument);
    assert_eq!(code(store.query("SELECT $2 || 'x'", &[1.into(), "y".into()])), ErrorCode::InvalidArgument);
}

fn constraints(env: &Env) {
    let store = env.open();
    store.execute("CREATE TABLE parent (id BIGINT PRIMARY KEY)", &[]).unwrap();
    store
        .execute("CREATE TABLE child (id BIGINT NOT NULL CHECK (id > 0), parent BIGINT REFERENCES parent (id))", &[])
        .unwrap();
    store.execute("INSERT INTO parent VALUES (1)", &[]).unwrap();
    assert_eq!(code(store.execute("INSERT INTO parent VALUES (1)", &[])), ErrorCode::Conflict);
    assert_eq!(code(store.execute("INSERT INTO child VALUES (NULL, 1)", &[])), ErrorCode::Validation);
    assert_eq!(code(store.execute("INSERT INTO child VALUES (0, 1)", &[])), ErrorCode::Validation);
    assert_eq!(code(store.execute("INSERT INTO child VALUES (1, 2)", &[])), ErrorCode::Referenced);
}

fn deferred(env: &Env) {
    let store = env.open();
    store.execute("CREATE TABLE parent (id BIGINT PRIMARY KEY)", &[]).unwrap();
    let child = "CREATE TABLE child (parent BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";
    store.execute(child, &[]).unwrap();
    let refused = store.transaction(|tx| {
        tx.execute("INSERT INTO child VALUES (1)", &[])?;
        tx.runs().enqueue(&sprongus::runs::Enqueue::new("a", sprongus::Json::null()))
    });
    assert_eq!(code(refused.map(drop)), ErrorCode::Referenced);
    assert_eq!(store.query("SELECT parent FROM child", &[]).unwrap(), []);
    let kept = store.transaction(|tx| {
        tx.execute("INSERT INTO child VALUES (2)", &[])?;
        tx.execute("INSERT INTO parent VALUES (2)", &[])
    });
    assert_eq!(kept.unwrap(), 1);
}

fn changing(env: &Env) {
    let store = env.open_with(Options { pool_size: 1, ..env.options() });
    let row = || {
        let row = store.query("SELECT * FROM changing", &[]).unwrap().remove(0);
        (row.columns().to_vec(), row.into_values())
    };
    store.execute("CREATE TABLE changing (a BIGINT)", &[]).unwrap();
    store.execute("INSERT INTO changing VALUES ($1)", &[1.into()]).unwrap();
    assert_eq!(row(), (vec!["a".to_owned()], vec![Value::Int(1)]));
    store.execute("ALTER TABLE changing ADD COLUMN b BOOLEAN", &[]).unwrap();
    store.execute("UPDATE changing SET b = $1", &[true.into()]).unwrap();
    assert_eq!(row(), (vec!["a".to_owned(), "b".to_owned()], vec![Value::Int(1), Value::Bool(true)]));
    store.execute("ALTER TABLE changing DROP COLUMN a", &[]).unwrap();
    assert_eq!(row(), (vec!["b".to_owned()], vec![Value::Bool(true)]));
}

fn only_reads(env: &Env) {
    let store = env.open();
    store.execute("CREATE TABLE t (n BIGINT)", &[]).unwrap();
    for sql in [
        "INSERT INTO t VALUES (1)",
        "DELETE FROM t",
        "CREATE TABLE u (n BIGINT)",
        "INSERT INTO t VALUES (1) RETURNING n",
    ] {
        assert_eq!(code(store.query(sql, &[])), ErrorCode::InvalidArgument, "{sql:?}");
    }
    assert_eq!(store.query("SELECT n FROM t", &[]).unwrap(), []);
}

fn with_table(env: &Env) -> Store {
    let store = env.open();
    store.execute("CREATE TABLE t (n BIGINT PRIMARY KEY)", &[]).unwrap();
    store
}

fn insert(tx: &Tx<'_>, n: i64) -> Result<u64, Error> {
    tx.execute("INSERT INTO t VALUES ($1)", &[n.into()])
}

fn numbers(store: &Store) -> Vec<Value<'static>> {
    let rows = store.query("SELECT n FROM t ORDER BY n", &[]).unwrap();
    rows.into_iter().flat_map(sprongus::Row::into_values).collect()
}

fn savepoints(env: &Env) {
    let store = with_table(env);
    store
        .transaction(|tx| {
            insert(tx, 1)?;
            tx.transaction(|inner| {
                insert(inner, 2)?;
                let undone: Result<(), _> = inner.transaction(|innermost| {
                    insert(innermost, 3)?;
                    Err(Error::invalid("changed my mind"))
                });
                assert_eq!(code(undone), ErrorCode::InvalidArgument);
                insert(inner, 4).map(drop)
            })?;
            insert(tx, 5)
        })
        .unwrap();
    assert_eq!(numbers(&store), [1, 2, 4, 5].map(Value::Int));
}

fn poison(env: &Env) {
    let store = with_table(env);
    store
        .transaction(|tx| {
            insert(tx, 1)?;
            let inner = tx.transaction(|inner| {
                assert_eq!(code(insert(inner, 1)), ErrorCode::Conflict);
                assert_eq!(code(insert(inner, 2)), ErrorCode::Misuse);
                assert_eq!(code(inner.query("SELECT 1", &[])), ErrorCode::Misuse);
                Ok(())
            });
            assert_eq!(code(inner), ErrorCode::Misuse);
            insert(tx, 3)
        })
        .unwrap();
    assert_eq!(numbers(&store), [1, 3].map(Value::Int));
}

fn swallowed(env: &Env) {
    let store = with_table(env);
    let result = store.transaction(|tx| {
        insert(tx, 1)?;
        insert(tx, 1).unwrap_err();
        Ok(())
    });
    assert_eq!(code(result), ErrorCode::Misuse);
    assert_eq!(numbers(&store), []);
}

fn inside(env: &Env) {
    let store = with_table(env);
    store
        .transaction(|_| {
            assert_eq!(code(store.query("SELECT 1", &[])), ErrorCode::Misuse);
            assert_eq!(code(store.begin().map(drop)), ErrorCode::Misuse);
            let clone = store.clone();
            assert_eq!(code(clone.execute("DELETE FROM t", &[])), ErrorCode::Misuse);
            Ok(())
        })
        .unwrap();
    assert_eq!(numbers(&store), []);
}

fn ended(env: &Env) {
    let store = with_table(env);
    let tx = store.begin().unwrap();
    let inner = tx.savepoint().unwrap();
    insert(&inner, 1).unwrap();
    let again = inner.acting_as("somebody", None).unwrap();
    inner.rollback().unwrap();
    assert_eq!(code(insert(&again, 2)), ErrorCode::Misuse);
    insert(&tx, 3).unwrap();
    let whole = tx.acting_as("somebody", None).unwrap();
    tx.commit().unwrap();
    assert_eq!(code(insert(&whole, 4)), ErrorCode::Misuse);
    assert_eq!(code(whole.commit()), ErrorCode::Misuse);
    assert_eq!(numbers(&store), [3].map(Value::Int));
}

fn dropped(env: &Env) {
    let store = with_table(env);
    let tx = store.begin().unwrap();
    insert(&tx, 1).unwrap();
    drop(tx);
    assert_eq!(numbers(&store), []);
    store.transaction(|tx| insert(tx, 2)).unwrap();
    assert_eq!(numbers(&store), [2].map(Value::Int));
}

fn gone(env: &Env) {
    let store = with_table(env);
    let tx = store.begin().unwrap();
    let outer = tx.savepoint().unwrap();
    let inner = tx.savepoint().unwrap();
    let twin = inner.acting_as("somebody", None).unwrap();
    outer.rollback().unwrap();
    let outer = tx.savepoint().unwrap();
    let later = tx.savepoint().unwrap();
    insert(&later, 1).unwrap();
    assert_eq!(code(insert(&twin, 2)), ErrorCode::Misuse);
    assert_eq!(code(twin.commit()), ErrorCode::Misuse);
    drop(inner);
    insert(&later, 3).unwrap();
    later.commit().unwrap();
    outer.commit().unwrap();
    tx.commit().unwrap();
    assert_eq!(numbers(&store), [1, 3].map(Value::Int));
}

/// A statement that ends the whole transaction behind the library's back.
fn ends_all(tx: &Tx<'_>, backend: Dialect) {
    insert(tx, 1).unwrap();
    let ended = match backend {
        Dialect::Sqlite => tx.execute("INSERT OR ROLLBACK INTO t VALUES (1)", &[]).map(drop),
        Dialect::Postgres => tx.query("SELECT pg_terminate_backend(pg_backend_pid())", &[]).map(drop),
    };
    assert!(matches!(code(ended), ErrorCode::Conflict | ErrorCode::Unavailable));
}

fn first_error(env: &Env) {
    let store = with_table(env);
    let own = |tx: &Tx<'_>| -> Result<(), Error> {
        ends_all(tx, store.backend());
        Err(Error::invalid("the host's own reason"))
    };
    let whole = store.transaction(|tx| {
        let inner = tx.transaction(own);
        assert_eq!(code(insert(tx, 2)), ErrorCode::Misuse, "the rest of it is gone too");
        inner
    });
    assert_eq!(whole.unwrap_err().message(), "the host's own reason");
    let swallowed = store.transaction(|tx| {
        tx.transaction(own).unwrap_err();
        Ok(())
    });
    assert_eq!(code(swallowed), ErrorCode::Misuse);
    store.transaction(|tx| insert(tx, 3)).unwrap();
    assert_eq!(numbers(&store), [Value::Int(3)]);
}

fn endless(env: &Env) {
    for options in [
        Options { call_timeout: Duration::MAX, ..env.options() },
        Options { busy_timeout: Duration::MAX, ..env.options() },
        Options { backoff_base: Duration::MAX, ..env.options() },
        Options { backoff_cap: Duration::MAX, ..env.options() },
    ] {
        assert_eq!(code(Store::open(env.url(), options).map(drop)), ErrorCode::InvalidArgument);
    }
    let weeks = Duration::from_secs(24 * 86_400);
    let patient = Options { call_timeout: weeks, busy_timeout: weeks, ..env.options() };
    env.open_with(patient).execute("CREATE TABLE u (n BIGINT)", &[]).unwrap();
}

fn closed(env: &Env) {
    let store = env.open();
    let clone = store.clone();
    store.close();
    store.close();
    assert_eq!(code(clone.query("SELECT 1", &[])), ErrorCode::Misuse);
    assert_eq!(code(clone.begin().map(drop)), ErrorCode::Misuse);
}

fn panics(env: &Env) {
    let store = with_table(env);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Result<(), _> = store.transaction(|tx| {
            insert(tx, 1)?;
            std::panic::resume_unwind(Box::new("a bug of the host's"))
        });
    }));
    assert!(caught.is_err());
    assert_eq!(numbers(&store), []);
    store.transaction(|tx| insert(tx, 2)).unwrap();
}

fn read_only(env: &Env) {
    if env.url() == ":memory:" {
        // Nothing can be in a database in memory that nobody may write: the schema is missing, and that is said.
        let opened = Store::open(env.url(), Options { read_only: true, ..env.options() });
        assert_eq!(code(opened.map(drop)), ErrorCode::SchemaVersion);
        return;
    }
    with_table(env);
    let store = env.open_with(Options { read_only: true, ..env.options() });
    assert_eq!(code(store.execute("INSERT INTO t VALUES (1)", &[])), ErrorCode::PermissionDenied);
    assert_eq!(code(store.begin().map(drop)), ErrorCode::PermissionDenied);
    assert_eq!(numbers(&store), []);
}

fn scoped(env: &Env) {
    let store = with_table(env).scoped("p1", sprongus::Scope::DEFAULT).unwrap();
    assert_eq!(code(store.query("SELECT 1", &[])), ErrorCode::PermissionDenied);
    assert_eq!(code(store.execute("DELETE FROM t", &[])), ErrorCode::PermissionDenied);
    assert_eq!(code(store.scoped("p2", &[]).map(drop)), ErrorCode::PermissionDenied);
    assert_eq!(code(store.scoped("p1", &[sprongus::Scope::Admin]).map(drop)), ErrorCode::PermissionDenied);
}

fn info(env: &Env) {
    let store = env.open();
    let info = sprongus::ops::call(&store, "store.info", b"").unwrap();
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["backend"], store.backend().as_str());
    assert_eq!(info["schemaVersion"], store.schema_version());
    assert_eq!(code(sprongus::ops::call(&store, "store.nothing", b"")), ErrorCode::NotFound);
    assert_eq!(code(sprongus::ops::call(&store, "store.info", b"{\"x\": 1}")), ErrorCode::InvalidArgument);
}
