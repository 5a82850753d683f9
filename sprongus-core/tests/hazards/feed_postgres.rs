//! PostgreSQL: what else goes on at the server stalls no feed, and whoever gives positions may die at it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use sprongus::events::{FollowEvents, ReadEvents};
use sprongus::runs::{Enqueue, EnqueueMany};
use sprongus::{Event, Json, Options, Store};
use sprongus_testkit::{Postgres, Proxy, When};

fn open(url: &str, schema: &str) -> Store {
    Store::open(url, Options { schema: Some(schema.to_owned()), ..Options::default() }).unwrap()
}

fn client(url: &str, schema: &str) -> Client {
    let mut client = Client::connect(url, NoTls).unwrap();
    client.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
    client
}

fn put(store: &Store, many: usize) {
    store.runs().enqueue_many(&EnqueueMany::new(vec![Enqueue::new("a", Json::null()); many])).unwrap();
}

/// One read; the cursor moves on.
fn read(store: &Store, after: &mut Option<String>) -> Vec<Event> {
    let request = ReadEvents { after: after.clone(), limit: 1_000, ..ReadEvents::default() };
    let batch = store.events().read(&request).unwrap();
    *after = Some(batch.cursor);
    batch.items
}

/// Events with that many different positions and ids.
fn positions(client: &mut Client) -> i64 {
    let sql = "SELECT count(*), count(DISTINCT position), count(DISTINCT id) FROM sprongus_events";
    let row = client.query_one(sql, &[]).unwrap();
    let counts: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
    assert!(counts.iter().all(|count| *count == counts[0]), "each its own: {counts:?}");
    counts[0]
}

/// Snapshots and transaction ids that are held for as long as somebody likes, here and in another database.
#[test]
fn transactions_of_others_stall_no_feed() {
    let server = Postgres::shared();
    let (url, schema) = (server.url(), "feed_held");
    let store = open(url, schema);
    put(&store, 1);
    let elsewhere = server.create_database(&format!("feed_elsewhere_{}", std::process::id()));
    let mut held: Vec<Client> = [url, url, &elsewhere].iter().map(|url| Client::connect(url, NoTls).unwrap()).collect();
    held[0].batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class").unwrap();
    held[1].batch_execute("BEGIN; SELECT txid_current()").unwrap();
    held[2].batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current()").unwrap();
    let open_one = store.begin().unwrap();
    open_one.runs().enqueue(&Enqueue::new("late", Json::null())).unwrap();

    let (reader, mut after, mut seen) = (open(url, schema), None, 0);
    let rounds = 150;
    for _ in 0..rounds {
        put(&reader, 20);
        seen += read(&reader, &mut after).len();
    }
    assert_eq!(seen, 1 + 20 * rounds, "each round's events at once");
    open_one.commit().unwrap();
    assert_eq!(read(&reader, &mut after).len(), 1, "and the late one");
    assert_eq!(positions(&mut client(url, schema)), 2 + 20 * rounds as i64);
    held.iter_mut().for_each(|held| assert!(!held.is_closed(), "they were held all along"));
    reader.close();
    store.close();
    // Old places in the index cannot be swept while the snapshots are held. Walked each time, they were over 200,000.
    let walked = index_tuples_read(url, schema, 20 * rounds as i64);
    assert!(walked < 40_000, "{walked} places of the index were read");
}

/// The snapshot of a server does not name transactions that are open after the last that has ended.
#[test]
fn a_younger_transaction_that_wrote_before_an_older_one_is_not_passed_over() {
    let server = Postgres::start();
    let [store, other] = [(); 2].map(|()| open(server.url(), "feed"));
    let mut older = client(server.url(), "feed");
    let mut after = None;
    for round in 0..2 {
        // By hand: a savepoint would have an id that is younger still, and end with it.
        older.batch_execute("BEGIN; SELECT txid_current()").unwrap();
        let younger = other.begin().unwrap();
        younger.runs().enqueue(&Enqueue::new("younger", Json::null())).unwrap();
        let event = format!(
            "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) \
             VALUES ('older {round}', 'older', {round} + 1, 'run.started', now(), 'a', 'null')"
        );
        older.batch_execute(&format!("{event}; COMMIT")).unwrap();
        assert_eq!(read(&store, &mut after).len(), 1, "round {round}");
        assert_eq!(read(&store, &mut after).len(), 0);
        younger.commit().unwrap();
        assert_eq!(read(&store, &mut after).len(), 1, "round {round}");
    }
}

/// Retention deletes in a transaction that stays open, and is rolled back in the end.
#[test]
fn events_that_are_being_deleted_hold_nobody_up() {
    let (url, schema) = (Postgres::shared().url(), "feed_deleting");
    let store = open(url, schema);
    put(&store, 4);
    let mut pruning = client(url, schema);
    pruning
        .batch_execute("BEGIN; DELETE FROM sprongus_events WHERE run_id = (SELECT min(id) FROM sprongus_runs)")
        .unwrap();
    let (mut after, start) = (None, Instant::now());
    assert_eq!(read(&store, &mut after).len(), 3);
    put(&store, 2);
    assert_eq!(read(&store, &mut after).len(), 2);
    assert!(start.elapsed() < Duration::from_secs(5), "nobody waited: {:?}", start.elapsed());
    pruning.batch_execute("ROLLBACK").unwrap();
    assert_eq!(read(&store, &mut after).len(), 1, "what stayed is not passed over");
    assert_eq!(positions(&mut client(url, schema)), 6);
}

/// What was read of the index of events without a position, once the sessions have handed in their counts.
fn index_tuples_read(url: &str, schema: &str, least: i64) -> i64 {
    let mut client = client(url, schema);
    let sql = "SELECT coalesce(sum(idx_tup_read), 0)::bigint FROM pg_stat_user_indexes \
               WHERE schemaname = $1 AND indexrelname = 'sprongus_events_new'";
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let read: i64 = client.query_one(sql, &[&schema]).unwrap().get(0);
        if read >= least {
            return read;
        }
        assert!(Instant::now() < until, "the counts never came: {read}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A reader that was stopped in the middle of its turn.
#[test]
fn a_reader_whose_turn_does_not_end_holds_nobody_up() {
    let (url, schema) = (Postgres::shared().url(), "feed_turn");
    let store = open(url, schema);
    put(&store, 3);
    let mut after = None;
    assert_eq!(read(&store, &mut after).len(), 3);
    let mut other = client(url, schema);
    let lock = "SELECT pg_advisory_lock(hashtextextended('sprongus_positions:' || current_schema(), 0))";
    other.batch_execute(lock).unwrap();
    put(&store, 2);
    let start = Instant::now();
    assert_eq!(read(&store, &mut Some(after.clone().unwrap())).len(), 0);
    assert_eq!(read(&store, &mut None).len(), 3, "what has a position is read");
    let follow = FollowEvents { after: after.clone(), ..FollowEvents::default() };
    let mut follow = store.events().follow(&follow).unwrap();
    assert_eq!(follow.next_within(Duration::from_millis(50)).unwrap(), None);
    assert!(start.elapsed() < Duration::from_secs(5), "nobody waited: {:?}", start.elapsed());
    drop(other);
    assert!(follow.next_within(Duration::from_secs(20)).unwrap().is_some(), "its session ended, and so its turn");
    assert_eq!(read(&store, &mut after).len(), 2);
}

/// The server ends the session of a reader that has given positions and not committed them.
#[test]
fn a_reader_that_dies_at_giving_positions_leaves_none_behind() {
    let (url, schema) = (Postgres::shared().url(), "feed_dies");
    let store = open(url, schema);
    put(&store, 500);
    let mut other = client(url, schema);
    other.batch_execute("BEGIN; ALTER SEQUENCE sprongus_positions OWNED BY NONE").unwrap();
    let mut events = std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(&store, &mut None));
        let mut watcher = client(url, schema);
        let stuck =
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%sprongus_positions%'";
        let until = Instant::now() + Duration::from_secs(20);
        let pid: i32 = loop {
            if let Some(row) = watcher.query_opt(stuck, &[]).unwrap() {
                break row.get(0);
            }
            assert!(Instant::now() < until && !reading.is_finished(), "the reader never came to its turn");
            std::thread::sleep(Duration::from_millis(5));
        };
        let died: bool = watcher.query_one("SELECT pg_terminate_backend($1)", &[&pid]).unwrap().get(0);
        assert!(died, "the fault struck");
        other.batch_execute("COMMIT").unwrap();
        reading.join().unwrap()
    });
    assert_eq!(events.len(), 500, "another attempt gave them");
    put(&store, 1);
    let mut after = Some(store.events().position().unwrap());
    assert!(read(&store, &mut after).is_empty());
    events = read(&store, &mut None);
    assert_eq!(events.iter().map(|event| &event.id).collect::<BTreeSet<_>>().len(), 501);
    assert_eq!(positions(&mut client(url, schema)), 501);
}

#[test]
fn a_reader_whose_answer_was_lost_skips_and_repeats_nothing() {
    let proxy = Proxy::before(Postgres::shared());
    for (round, when) in (1..).zip([When::Before, When::After]) {
        let schema = format!("feed_lost_{round}");
        let store = open(&proxy.url(), &schema);
        put(&store, 5);
        proxy.cut_on("setval('sprongus_positions'", when);
        let mut after = None;
        let events = read(&store, &mut after);
        assert_eq!(proxy.fired().statements, round, "the fault struck");
        assert_eq!(events.len(), 5);
        put(&store, 1);
        assert_eq!(read(&store, &mut after).len(), 1);
        assert_eq!(positions(&mut client(Postgres::shared().url(), &schema)), 6);
    }
}

/// Tables copied one by one bring no sequence along.
#[test]
fn positions_go_on_without_their_sequence() {
    let (url, schema) = (Postgres::shared().url(), "feed_moved");
    let store = open(url, schema);
    put(&store, 5);
    let mut after = None;
    assert_eq!(read(&store, &mut after).len(), 5);
    client(url, schema).batch_execute("SELECT setval('sprongus_positions', 1, false)").unwrap();
    assert!(read(&store, &mut after).is_empty());
    put(&store, 3);
    assert_eq!(read(&store, &mut after).len(), 3);
    assert_eq!(positions(&mut client(url, schema)), 8);
}
