//! PostgreSQL: a claim takes no more than it may, whatever plan is chosen: each way to plan is taken away in turn.

use std::collections::BTreeSet;

use sprongus::runs::{Claim, Enqueue, EnqueueMany, LimitKind};
use sprongus::{Dialect, Json, LentPostgres, Options, Store, Tx};
use sprongus_testkit::Postgres;

use crate::ground::analyze;

/// Ways that the planner may be kept from.
const WAYS: [&str; 9] =
    ["nestloop", "hashjoin", "mergejoin", "indexscan", "bitmapscan", "seqscan", "sort", "material", "hashagg"];

fn kinds(kinds: &[&str]) -> Option<Vec<String>> {
    Some(kinds.iter().map(|kind| (*kind).to_owned()).collect())
}

/// Every claim of a queue where more could be taken than may be.
fn claims(tx: &Tx<'_>, plan: &str) {
    let runs = tx.runs();
    let mut taken = BTreeSet::new();
    for (kinds, limit, full) in [
        (kinds(&["full"]), 2, 2),
        (None, 5, 1),
        (kinds(&["full", "open"]), 3, 0),
        (kinds(&["open"]), 2, 0),
        (kinds(&["f/*", "open", "fu/*"]), 3, 0),
    ] {
        let claimed = runs.claim_next(&Claim { kinds, limit, ..Claim::new("w") }).unwrap();
        assert_eq!(claimed.len() as i64, limit, "{plan}: as many as were asked for, and no more");
        assert_eq!(claimed.iter().filter(|run| run.kind == "full").count(), full, "{plan}: three at once");
        let ordered = |a: &sprongus::Run, b: &sprongus::Run| (b.priority, &a.id) <= (a.priority, &b.id);
        assert!(claimed.is_sorted_by(ordered), "{plan}: in the order of claims");
        for run in claimed {
            assert!(taken.insert(run.id), "{plan}: none twice");
        }
    }
    let full = runs.claim_next(&Claim { kinds: kinds(&["full"]), limit: 100, ..Claim::new("w") }).unwrap();
    assert!(full.is_empty(), "{plan}: the limit is reached");
    let state = "SELECT count(*) FROM sprongus_runs WHERE state = 'running'";
    assert_eq!(
        tx.query(state, &[]).unwrap()[0].values()[0],
        sprongus::Value::Int(15),
        "{plan}: nothing else was taken"
    );
}

#[test]
fn a_claim_takes_no_more_than_it_may_by_any_plan() {
    let url = Postgres::shared().url();
    let schema = format!("forced_{}", std::process::id());
    let store = Store::open(url, Options { schema: Some(schema.clone()), ..Options::default() }).unwrap();
    store.runs().limit_kind(&LimitKind { concurrency: Some(3), ..LimitKind::new("full") }).unwrap();
    let item = |n: i64| {
        let kind = if n % 3 == 0 { "full" } else { "open" };
        Enqueue { priority: n % 4, ..Enqueue::new(kind, Json::null()) }
    };
    store.runs().enqueue_many(&EnqueueMany::new((0..400).map(item).collect())).unwrap();
    let mut host = postgres::Client::connect(url, postgres::NoTls).unwrap();
    // A way that is taken away costs so much to the planner that each statement would be compiled.
    host.batch_execute(&format!("SET search_path TO {schema}; SET jit = off")).unwrap();
    let off = |way: &&str| format!("SET LOCAL enable_{way} = off;");
    let mut plans = vec![String::new(), WAYS.iter().map(off).collect()];
    plans.extend(WAYS.iter().map(off));
    // The first ones by twos as well: the ways to join and to read.
    for (n, one) in WAYS[..5].iter().enumerate() {
        plans.extend(WAYS[..n].iter().map(|two| off(one) + &off(two)));
    }
    for mode in ["force_generic_plan", "force_custom_plan"] {
        for plan in &plans {
            let mut own = host.transaction().unwrap();
            own.batch_execute(&format!("{plan} SET LOCAL plan_cache_mode = {mode}")).unwrap();
            claims(&Tx::attach(LentPostgres::new(&mut own), Options::default()).unwrap(), plan);
            own.rollback().unwrap();
        }
        host.batch_execute(analyze(Dialect::Postgres)).unwrap();
    }
    println!("{} plans", 2 * plans.len());
}
