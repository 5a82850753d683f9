//! A doctor's look does not grow with the entries: each reference costs one look at its entry, each table one at its first.

use sprongus::{Dialect, Executor, LentPostgres, LentSqlite, Options, Store, Tx, ops};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::{analyze, migrated};
use crate::projects::seed;

fn explained(inner: impl Executor, walks: impl Fn(&str, &str) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_aux_" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    let report = ops::call(&tx, "store.doctor", b"").unwrap();
    assert!(report.contains("dangling_refs"), "references were looked at: {report}");
    let plans = plans.lock().unwrap();
    for (sql, plan) in plans.iter() {
        assert!(!plan.iter().any(|line| walks(sql, line)), "reads all entries: {sql}\n{}", plan.join("\n"));
    }
    let asked = |what: &str| plans.iter().any(|(sql, _)| sql.contains(what));
    assert!(asked("FROM sprongus_aux_refs") && asked("table_name > "), "both were explained");
}

/// One of the references leads nowhere.
const ASTRAY: &str = "INSERT INTO sprongus_aux_refs (project_id, from_table, from_id, field, to_table, to_id) \
                      VALUES ('mine', 'storyboard', 'r0', 'assetIds', 'assets', 'nowhere')";

#[test]
fn sqlite_asks_the_doctors_keys() {
    let (_folder, file) = temp_file("doctor.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite);
    host.execute_batch(ASTRAY).unwrap();
    let own = host.transaction().unwrap();
    explained(LentSqlite::new(&own).unwrap(), |sql, line| {
        let entries = ["SCAN e", "SCAN v", "SCAN sprongus_aux_entries", "SCAN sprongus_aux_versions"];
        let half = sql.contains("table_name > ") && line.starts_with("SEARCH") && !line.contains("table_name>?");
        line.contains("AUTOMATIC")
            || half
            || entries.iter().any(|walk| line == *walk || line.starts_with(&format!("{walk} ")))
    });
}

#[test]
fn postgres_asks_the_doctors_keys() {
    let mut host = migrated("doctor_plans", |_| {});
    seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres);
    host.batch_execute(ASTRAY).unwrap();
    host.batch_execute(analyze(Dialect::Postgres)).unwrap();
    let mut own = host.transaction().unwrap();
    explained(LentPostgres::new(&mut own), |_, line| {
        line.contains("Seq Scan on sprongus_aux_entries") || line.contains("Seq Scan on sprongus_aux_versions")
    });
}
