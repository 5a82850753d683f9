//! PostgreSQL: what a role may, and where a store listens.

use std::time::{Duration, Instant};

use sprongus::doctor::Severity;
use sprongus::runs::{Cancel, Enqueue, WaitRun};
use sprongus::{Json, Options, Store};
use sprongus_conformance::{Backend, Env};
use sprongus_testkit::Postgres;

use super::{codes, finding, of_the_store, report};

/// A role that may use the case's schema, and its URL.
fn role(env: &Env, name: &str, more: &str) -> String {
    let (server, schema) = (Postgres::shared(), env.schema().unwrap());
    let name = format!("{name}_{schema}");
    for sql in [format!("CREATE ROLE {name} LOGIN {more}"), format!("GRANT USAGE ON SCHEMA {schema} TO {name}")] {
        server.psql(&sql);
    }
    server.psql(&format!("GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {name}"));
    env.url().replace("user=postgres", &format!("user={name}"))
}

pub(super) fn not_looked_at(env: &Env) {
    let store = env.open();
    if env.backend() != Backend::Postgres {
        return assert!(!codes(&report(&store)).contains(&"not_looked_at"), "SQLite has no roles");
    }
    let url = role(env, "reader", "");
    let (server, schema) = (Postgres::shared(), env.schema().unwrap());
    server.psql(&format!("REVOKE ALL ON {schema}.sprongus_bindings FROM reader_{schema}"));
    let reader = Store::open(&url, Options { migrate: false, ..env.options() }).unwrap();
    let found = of_the_store(report(&reader));
    let told = finding(&found, "not_looked_at");
    assert!(told.severity == Severity::Advice && told.message.starts_with("bindings could not be looked at"), "{told}");
    assert!(told.fix.contains("a role that may read them"));
    assert_eq!(of_the_store(report(&store)).findings, [], "as a role that may");
}

pub(super) fn pool(env: &Env) {
    let store = env.open();
    if env.backend() != Backend::Postgres {
        return assert!(!codes(&report(&store)).contains(&"pool_too_large"));
    }
    let url = role(env, "narrow", "CONNECTION LIMIT 8");
    let open = |pool_size| Store::open(&url, Options { migrate: false, pool_size, ..env.options() }).unwrap();
    let found = of_the_store(report(&open(4)));
    assert_eq!(codes(&found), ["pool_too_large"]);
    let (one, _) = found.findings[0].fix.split_once(" or less").unwrap();
    let size = one.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(of_the_store(report(&open(size))).findings, [], "with a pool_size of {size}");
}

pub(super) fn deaf(env: &Env) {
    let store = env.open();
    assert_eq!(of_the_store(report(&store)).findings, []);
    if env.backend() != Backend::Postgres {
        return;
    }
    let pooled = |listen_url: Option<&str>| {
        let listen_url = listen_url.map(str::to_owned);
        env.open_with(Options { statement_cache: false, listen_url, ..env.options() })
    };
    let found = of_the_store(report(&pooled(None)));
    assert_eq!((codes(&found), found.ok), (vec!["no_listen"], true));
    assert!(found.findings[0].fix.starts_with("open the store with listen_url"));
    assert_eq!(of_the_store(report(&pooled(Some(env.url())))).findings, []);
    // It leads to a database that has no such tables; that is known once somebody waits.
    let elsewhere = Postgres::shared().create_database(&format!("elsewhere_{}", env.schema().unwrap()));
    let lost = pooled(Some(&elsewhere));
    assert_eq!(waited(&store, &lost), ["listen_failed"]);
    let well = pooled(Some(env.url()));
    assert_eq!(waited(&store, &well), Vec::<String>::new());
}

/// What is found while somebody waits on that store: what is found first, or nothing once it hears.
fn waited(store: &Store, on: &Store) -> Vec<String> {
    let run = store.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    std::thread::scope(|scope| {
        let wait = WaitRun { timeout: Some(Duration::from_secs(60)), ..WaitRun::new(&*run.id) };
        let waiting = scope.spawn(move || on.runs().wait(&wait).map(drop));
        let begun = Instant::now();
        let listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN sprongus_%' AND query LIKE '%' || \
                       to_regclass('sprongus_runs')::oid";
        let hears = || store.query(listens, &[]).unwrap()[0].values() != [sprongus::Value::Int(0)];
        let mut found = of_the_store(report(on));
        while found.findings.is_empty() && !hears() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it neither hears nor fails");
            std::thread::sleep(Duration::from_millis(20));
            found = of_the_store(report(on));
        }
        store.runs().cancel(&Cancel::new(&*run.id)).unwrap();
        waiting.join().unwrap().unwrap();
        found.findings.into_iter().map(|one| one.code).collect()
    })
}
