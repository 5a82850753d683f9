//! A page of runs is read from the end of an index, however many runs there are.

use sprongus::runs::{ListRuns, Order, RunState};
use sprongus::{Dialect, Executor, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::migrated;
use crate::runs::{FINISHED, seed};

/// Every list that more than a project or a channel has to answer.
fn lists() -> [ListRuns; 5] {
    let all = ListRuns::default();
    let some = |kinds: &[&str]| Some(kinds.iter().map(|kind| (*kind).to_owned()).collect());
    [
        all.clone(),
        ListRuns { order: Order::Oldest, ..all.clone() },
        ListRuns { state: Some(vec![RunState::Running, RunState::Queued]), ..all.clone() },
        ListRuns { kind: some(&["k1", "k2"]), ..all.clone() },
        ListRuns { kind: some(&["k1"]), state: Some(vec![RunState::Succeeded]), ..all },
    ]
}

fn explained(inner: impl Executor, walks: impl Fn(&[String]) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_runs" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    for list in lists() {
        let first = tx.runs().list(&list).unwrap();
        assert_eq!(first.items.len(), usize::try_from(list.limit).unwrap());
        let cursor = first.next_cursor;
        assert!(cursor.is_some(), "there are more");
        tx.runs().list(&ListRuns { cursor, ..list }).unwrap();
    }
    tx.runs().list(&ListRuns { parent: Some("k1".to_owned()), ..ListRuns::default() }).unwrap();
    let plans = plans.lock().unwrap();
    assert_eq!(plans.len(), 11);
    let of_parent = plans.last().unwrap().1.join("\n");
    assert!(of_parent.contains("sprongus_runs_parent"), "{of_parent}");
    for (sql, plan) in plans.iter() {
        assert!(!walks(plan), "reads more than a page of {FINISHED}: {sql}\n{}", plan.join("\n"));
    }
}

/// Whether what an index of all runs gives is sorted, where the index should have had the order.
fn sorts(plan: &[String], sort: &str) -> bool {
    let index = |line: &str| ["sprongus_runs_state", "sprongus_runs_kind"].iter().any(|name| line.contains(name));
    let both = |one: &str, other: &str| index(one) && other.contains(sort);
    plan.windows(2).any(|two| both(&two[0], &two[1]) || both(&two[1], &two[0]))
}

#[test]
fn sqlite_reads_a_page_from_an_index() {
    let (_folder, file) = temp_file("lists.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite);
    let own = host.transaction().unwrap();
    explained(LentSqlite::new(&own).unwrap(), |plan| {
        let scans = plan.iter().any(|line| line.contains("SCAN sprongus_runs"));
        scans || sorts(plan, "USE TEMP B-TREE")
    });
}

#[test]
fn postgres_reads_a_page_from_an_index() {
    let mut host = migrated("plans_lists", |_| {});
    seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres);
    let mut own = host.transaction().unwrap();
    explained(LentPostgres::new(&mut own), |plan| {
        let scans = plan.iter().any(|line| line.contains("Seq Scan on sprongus_runs"));
        scans || sorts(plan, "Sort Key")
    });
}
