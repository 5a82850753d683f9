//! A read of the feed costs what it looks at, however long the history and however rare what is asked for.

use sprongus::events::{Events, ReadEvents};
use sprongus::runs::Enqueue;
use sprongus::{Dialect, Executor, Json, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::{Postgres, temp_file};

use crate::explain::{Explaining, Plans};
use crate::ground::migrated;

const EVENTS: i64 = 200_000;
/// Events that one call looks at.
const LOOKED_AT: i64 = 10_000;

/// Events of 1,000 subjects, one in 50,000 of a rare type and project; positioned, or as their writers left them.
fn seed(execute: &mut dyn FnMut(&str), dialect: Dialect, positioned: bool) {
    let (rows, json, time) = match dialect {
        Dialect::Sqlite => (
            format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {EVENTS})"),
            "'null'",
            "'2024-01-01T00:00:00.000000Z'",
        ),
        Dialect::Postgres => (
            format!("WITH n AS (SELECT generate_series(1, {EVENTS}) AS n)"),
            "'null'::jsonb",
            "TIMESTAMPTZ '2024-01-01Z'",
        ),
    };
    let position = if positioned { "n" } else { "NULL" };
    execute(&format!(
        "INSERT INTO sprongus_events (position, id, project_id, subject, seq, type, at, actor, payload) {rows} \
         SELECT {position}, 'e' || n, CASE WHEN n % 50000 = 0 THEN 'rare' ELSE 'p' END, 's' || (n % 1000), 1 + n / 1000, \
         CASE WHEN n % 50000 = 0 THEN 'preset.bound' ELSE 'run.started' END, {time}, 'a', {json} FROM n"
    ));
}

fn filters() -> [ReadEvents; 4] {
    let all = ReadEvents::default();
    let types = |types: &[&str]| Some(types.iter().map(|name| (*name).to_owned()).collect());
    [
        all.clone(),
        ReadEvents { types: types(&["preset.bound"]), ..all.clone() },
        ReadEvents { types: types(&["preset.*", "aux.*"]), ..all.clone() },
        ReadEvents { project: Some("rare".to_owned()), types: types(&["preset.*"]), ..all },
    ]
}

/// Reads on until the cursor stays; how many reads, and how many events.
fn drain(events: Events<'_>, request: &ReadEvents) -> (i64, i64) {
    let (mut request, mut reads, mut many) = (request.clone(), 0, 0);
    loop {
        let batch = events.read(&request).unwrap();
        (reads, many) = (reads + 1, many + batch.items.len() as i64);
        if request.after.as_ref() == Some(&batch.cursor) {
            return (reads, many);
        }
        request.after = Some(batch.cursor);
    }
}

fn explained(inner: impl Executor, bounded: impl Fn(&[String]) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_events" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    for request in filters() {
        let one = tx.events().read(&request).unwrap();
        assert_eq!(one.items.len(), if request.types.is_some() { 0 } else { 100 });
        let later = tx.events().read(&ReadEvents { after: Some(one.cursor.clone()), ..request.clone() }).unwrap();
        assert_ne!(later.cursor, one.cursor, "the cursor moves on");
    }
    for request in &filters()[1..] {
        let (reads, many) = drain(tx.events(), request);
        assert_eq!((reads, many), (EVENTS / LOOKED_AT + 1, EVENTS / 50_000), "all of it, by bounded steps");
    }
    let plans = plans.lock().unwrap();
    assert!(plans.len() > 60, "every statement was explained: {}", plans.len());
    for (sql, plan) in plans.iter() {
        assert!(bounded(plan), "reads more than {LOOKED_AT} events: {sql}\n{}", plan.join("\n"));
    }
}

#[test]
fn sqlite_reads_the_feed_by_bounded_steps() {
    let (_folder, file) = temp_file("feed.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite, true);
    let own = host.transaction().unwrap();
    let by_position =
        |line: &String| !line.contains("sprongus_events") || line.contains("INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
    explained(LentSqlite::new(&own).unwrap(), |plan| plan.iter().all(by_position));
}

#[test]
fn postgres_reads_the_feed_by_bounded_steps() {
    for analyzed in [false, true] {
        let mut host = migrated(&format!("plans_feed_{analyzed}"), |_| {});
        let mut own = host.transaction().unwrap();
        seed(&mut |sql| own.batch_execute(sql).unwrap(), Dialect::Postgres, true);
        if analyzed {
            own.batch_execute("ANALYZE sprongus_events").unwrap();
        }
        // Another index would be walked without regard to positions.
        let by_position = |line: &String| {
            !line.contains("Seq Scan on sprongus_events")
                && (!line.contains("Index") || !line.contains(" sprongus_events_pkey"))
        };
        explained(LentPostgres::new(&mut own), |plan| plan.iter().all(by_position));
    }
}

/// Giving positions is not explained, for it is done beside a transaction: the server counts what it read.
#[test]
fn postgres_gives_positions_by_bounded_steps() {
    let server = Postgres::start();
    let store = Store::open(server.url(), Options::default()).unwrap();
    let mut host = postgres::Client::connect(server.url(), postgres::NoTls).unwrap();
    seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres, false);
    // By these figures almost every event has no position.
    host.batch_execute("ANALYZE sprongus_events").unwrap();
    let mut request = ReadEvents { limit: 1_000, ..ReadEvents::default() };
    let batches = 30;
    for _ in 0..batches {
        let batch = store.events().read(&request).unwrap();
        assert_eq!(batch.items.len(), 1_000);
        request.after = Some(batch.cursor);
    }
    store.runs().enqueue(&Enqueue::new("a", Json::null())).unwrap();
    store.close();
    let sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while host.query_one(sessions, &[]).unwrap().get::<_, i64>(0) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let read = "SELECT (SELECT coalesce(seq_tup_read, 0) FROM pg_stat_user_tables WHERE relname = 'sprongus_events'), \
                sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'sprongus_events'";
    let row = host.query_one(read, &[]).unwrap();
    let (by_scans, by_indexes): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(by_scans, 0, "read by sequential scans");
    assert!((2_000 * batches..10_000 * batches).contains(&by_indexes), "read by indexes: {by_indexes}");
}
