//! Artifacts are found by their keys, and a list steps from key to key: with statistics or without.

use sprongus::artifacts::{ArtifactId, ArtifactKey, ArtifactVersions, ListArtifacts, PutArtifact};
use sprongus::{Dialect, Executor, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::migrated;

/// Keys, and the versions of each.
const KEYS: u32 = 60;
const VERSIONS: u32 = 100;

/// Rows beside which a walk shows.
fn seed(execute: &mut dyn FnMut(&str), dialect: Dialect) {
    let (series, empty) = match dialect {
        Dialect::Sqlite => ("WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {last})", "x''"),
        Dialect::Postgres => ("WITH n AS (SELECT generate_series(0, {last}) AS n)", "''::bytea"),
    };
    let series = series.replace("{last}", &(KEYS * VERSIONS - 1).to_string());
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    execute(&format!(
        "INSERT INTO sprongus_artifacts (id, kind, logical_key, version, media_type, content, sha256, size, metadata, created_at) \
         {series} SELECT 'seed' || n, 'k' || (n % 3), 'key' || (n % {KEYS}), 1 + n / {KEYS}, 'text/plain', {empty}, '{hash}', 0, \
         '{{}}', '2026-01-01T00:00:00.000000Z' FROM n"
    ));
}

fn ask(tx: &Tx<'_>) {
    let on = tx.artifacts();
    let put = PutArtifact::text("k0", "key0", "new");
    let made = on.put(&put).unwrap();
    assert_eq!(made.version, i64::from(VERSIONS) + 1);
    let same = on.put(&PutArtifact { if_changed: true, ..put }).unwrap();
    assert_eq!(same.id, made.id);
    assert_eq!(on.get(&ArtifactId::new(&made.id)).unwrap().version, made.version);
    assert_eq!(on.latest(&ArtifactKey::new("k0", "key0")).unwrap().id, made.id);
    assert_eq!(on.versions(&ArtifactVersions::new("k0", "key0")).unwrap().len(), 50);
    for kind in [None, Some("k1".to_owned())] {
        let list = ListArtifacts { kind, limit: 10, ..ListArtifacts::default() };
        let cursor = on.list(&list).unwrap().next_cursor;
        assert!(cursor.is_some(), "there are more");
        assert_eq!(on.list(&ListArtifacts { cursor, ..list }).unwrap().len(), 10);
    }
}

fn explained(inner: impl Executor, walks: impl Fn(&String) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_artifacts" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    ask(&tx);
    let plans = plans.lock().unwrap();
    assert!(plans.len() > 12, "every statement was explained");
    for (sql, plan) in plans.iter() {
        assert!(!plan.iter().any(&walks), "reads too much: {sql}\n{}", plan.join("\n"));
    }
}

#[test]
fn sqlite_steps_from_key_to_key() {
    let (_folder, file) = temp_file("artifacts.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite);
    let own = host.transaction().unwrap();
    explained(LentSqlite::new(&own).unwrap(), |line| {
        line.starts_with("SCAN sprongus_artifacts") || line.starts_with("SCAN other") || line.starts_with("SCAN here")
    });
}

fn on_postgres(schema: &str, analyzed: bool) {
    let mut host = migrated(schema, |_| {});
    seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres);
    if analyzed {
        host.batch_execute("ANALYZE sprongus_artifacts").unwrap();
    }
    let mut own = host.transaction().unwrap();
    explained(LentPostgres::new(&mut own), |line| line.contains("Seq Scan on sprongus_artifacts"));
}

#[test]
fn postgres_steps_from_key_to_key() {
    on_postgres("artifact_plans", true);
}

#[test]
fn postgres_steps_from_key_to_key_without_statistics() {
    on_postgres("artifact_plans_new", false);
}
