//! Approvals, steps and messages are looked up by what names them, and a page of approvals is read from the end of an index.

use sprongus::inbox::Accept;
use sprongus::runs::approvals::{Decide, DecisionFilter, GetApproval, ListApprovals, RequestApproval};
use sprongus::runs::{Claim, Enqueue, FindStep, ListSteps, SaveStep};
use sprongus::{Dialect, Executor, Json, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::migrated;
use crate::runs::index_of;

/// 20,000 decided approvals of 20 projects and 500 scopes, 300 pending ones, 20,000 steps, 20,000 messages.
fn seed(execute: &mut dyn FnMut(&str), dialect: Dialect, analyze: bool) {
    let rows = |n: i64| match dialect {
        Dialect::Sqlite => {
            format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {n}) SELECT")
        }
        Dialect::Postgres => format!("WITH n AS (SELECT generate_series(1, {n}) AS n) SELECT"),
    };
    let (then, json) = match dialect {
        Dialect::Sqlite => ("strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1704067200 + n, 'unixepoch')", "'{}'"),
        Dialect::Postgres => ("to_timestamp(1704067200 + n)", "'{}'::jsonb"),
    };
    for (count, decision, name) in [(20_000, "'approved'", "d"), (300, "NULL", "u")] {
        execute(&format!(
            "INSERT INTO sprongus_approvals (id, project_id, run_id, scope, step, decision, metadata, created_at) {} \
             '{name}' || n, 'p' || (n % 20), '{name}' || (n / 10), 's' || (n % 500), '', {decision}, {json}, {then} FROM n",
            rows(count)
        ));
    }
    execute(&format!(
        "INSERT INTO sprongus_run_steps (run_id, name, output, attempt, at) {} 'd' || (n / 10), 's' || n, {json}, 1, {then} \
         FROM n",
        rows(20_000)
    ));
    execute(&format!(
        "INSERT INTO sprongus_inbox (project_id, channel_id, message_id, id, at) {} '', 'mail', 'm' || n, n, {then} FROM n",
        rows(20_000)
    ));
    if analyze {
        TABLES.iter().for_each(|table| execute(&format!("ANALYZE {table}")));
    }
}

/// A list, and the index it is read from: of one run there are few.
fn lists(dialect: Dialect) -> [(ListApprovals, &'static str); 8] {
    let all = ListApprovals::default();
    let some = |text: &str| Some(text.to_owned());
    let pending = ListApprovals { decision: Some(DecisionFilter::Pending), ..all.clone() };
    let of_run = match dialect {
        Dialect::Sqlite => "sqlite_autoindex_sprongus_approvals_2",
        Dialect::Postgres => "sprongus_approvals_run_id_scope_step_key",
    };
    [
        (all.clone(), "sprongus_approvals_created"),
        (ListApprovals { project: some("p3"), ..all.clone() }, "sprongus_approvals_project"),
        (ListApprovals { project: some("p3"), ..pending.clone() }, "sprongus_approvals_pending_project"),
        (ListApprovals { run_id: some("d7"), ..all.clone() }, of_run),
        (ListApprovals { run_id: some("d7"), project: some("p3"), ..pending.clone() }, of_run),
        (ListApprovals { scope: some("s7"), ..all.clone() }, "sprongus_approvals_scope"),
        (ListApprovals { decision: Some(DecisionFilter::Denied), ..all }, "sprongus_approvals_decided"),
        (pending, "sprongus_approvals_pending"),
    ]
}

/// Everything else that is said of them.
fn work(tx: &Tx<'_>) {
    let many = tx.runs().enqueue(&Enqueue { needs_approval: true, ..Enqueue::new("a", Json::null()) }).unwrap();
    tx.approvals().get(&GetApproval::new(&many.id)).unwrap();
    tx.approvals().approve(&Decide::new(&many.id, "ann")).unwrap();
    let run = tx.runs().claim_next(&Claim::new("w")).unwrap().remove(0);
    tx.runs().find_step(&FindStep::new(&run.id, run.lease, "s")).unwrap();
    tx.runs().save_step(&SaveStep::new(&run.id, run.lease, "s", Json::null())).unwrap();
    tx.runs().steps(&ListSteps::new(&run.id)).unwrap();
    tx.approvals().request(&RequestApproval::new(&run.id, run.lease, "push", "x")).unwrap();
    tx.approvals().deny(&Decide { scope: "push".to_owned(), ..Decide::new(&run.id, "ann") }).unwrap();
    for _ in 0..2 {
        let enqueue = Some(Enqueue::new("b", Json::null()));
        tx.inbox().accept(&Accept { enqueue, ..Accept::new("mail", "new") }).unwrap();
    }
}

fn explained(inner: impl Executor, scans: impl Fn(&str) -> bool, sort: &str) {
    let plans = Plans::default();
    let dialect = inner.dialect();
    let tx = Tx::attach(Explaining { inner, plans: plans.clone(), about: "sprongus_" }, Options::default()).unwrap();
    for (list, wanted) in lists(dialect) {
        plans.lock().unwrap().clear();
        let first = tx.approvals().list(&ListApprovals { limit: 2, ..list.clone() }).unwrap();
        if let Some(cursor) = first.next_cursor {
            tx.approvals().list(&ListApprovals { limit: 2, cursor: Some(cursor), ..list.clone() }).unwrap();
        }
        for (sql, plan) in plans.lock().unwrap().iter().filter(|(sql, _)| sql.contains("sprongus_approvals")) {
            let used: Vec<&str> = plan.iter().filter_map(|line| index_of(line)).collect();
            assert_eq!(used, [wanted], "{sql}\n{}", plan.join("\n"));
            let sorts = plan.iter().any(|line| line.contains(sort));
            assert!(!sorts || list.run_id.is_some(), "sorts: {sql}\n{}", plan.join("\n"));
        }
    }
    plans.lock().unwrap().clear();
    work(&tx);
    let plans = plans.lock().unwrap();
    let ours: Vec<_> = plans.iter().filter(|(sql, _)| TABLES.iter().any(|table| sql.contains(table))).collect();
    assert!(ours.len() > 10, "every statement was explained");
    for (sql, plan) in ours {
        assert!(!plan.iter().any(|line| scans(line)), "walks: {sql}\n{}", plan.join("\n"));
    }
}

const TABLES: [&str; 3] = ["sprongus_approvals", "sprongus_run_steps", "sprongus_inbox"];

#[test]
fn sqlite_finds_what_approvals_are_asked_for() {
    for analyze in [true, false] {
        let (_folder, file) = temp_file("approvals.db");
        drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
        let mut host = rusqlite::Connection::open(&file).unwrap();
        seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite, analyze);
        let own = host.transaction().unwrap();
        let scans = |line: &str| line.starts_with("SCAN") && index_of(line).is_none() && !line.contains("CONSTANT ROW");
        explained(LentSqlite::new(&own).unwrap(), scans, "USE TEMP B-TREE");
    }
}

#[test]
fn postgres_finds_what_approvals_are_asked_for() {
    for analyze in [true, false] {
        let mut host = migrated(&format!("plans_approvals_{analyze}"), |_| {});
        seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres, analyze);
        let mut own = host.transaction().unwrap();
        let scans = |line: &str| TABLES.iter().any(|table| line.contains(&format!("Seq Scan on {table}")));
        explained(LentPostgres::new(&mut own), scans, "Sort Key");
    }
}
