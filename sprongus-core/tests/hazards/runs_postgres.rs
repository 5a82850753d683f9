//! PostgreSQL: the answer to a statement that was its own COMMIT gets lost; every operation on runs finds out how it ended.

use std::time::Duration;

use sprongus::runs::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, FailMany, GetRun, Heartbeat, RunEvents, RunOutput, Snooze, Succeed,
    SucceedMany,
};
use sprongus::{ErrorCode, Json, Options, Result, Run, RunState, Store};
use sprongus_testkit::{Postgres, Proxy, When};

/// Cuts the connection once on a statement with those words, before and after the server has run it; the operation on a
/// claimed run gives the same answer all the same, with each event once.
pub(crate) fn survives(schema: &str, words: &str, events: &[&str], work: impl Fn(&Store, &Run) -> Result<Run>) {
    let proxy = Proxy::before(Postgres::shared());
    for (round, when) in (1..).zip([When::Before, When::After]) {
        let options = Options { schema: Some(format!("{schema}_{round}")), ..Options::default() };
        let store = Store::open(&proxy.url(), options).unwrap();
        store.runs().enqueue(&Enqueue::new("a", Json::null())).unwrap();
        let run = store.runs().claim_next(&Claim::new("w")).unwrap().remove(0);
        proxy.cut_on(words, when);
        let answer = work(&store, &run).unwrap();
        assert_eq!(proxy.fired().statements, round, "the fault struck");
        assert_eq!(store.runs().get(&GetRun::new(&answer.id)).unwrap(), answer);
        let told = store.runs().events(&RunEvents::new(&answer.id)).unwrap();
        assert_eq!(told.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), events);
    }
}

const UPDATE: &str = "UPDATE sprongus_runs SET";
const INSERT: &str = "INSERT INTO sprongus_runs";

#[test]
fn an_enqueue_is_made_once() {
    survives("lost_enqueue", INSERT, &["run.enqueued"], |store, _| {
        let run = store.runs().enqueue(&Enqueue::new("b", Json::null()))?;
        assert!(!run.deduplicated);
        Ok(run)
    });
    survives("lost_keyed", INSERT, &["run.enqueued"], |store, _| {
        let keyed = Enqueue { idempotency_key: Some("k".to_owned()), ..Enqueue::new("b", Json::null()) };
        store.runs().enqueue(&keyed)
    });
    survives("lost_many", "COMMIT", &["run.enqueued"], |store, _| {
        let many = EnqueueMany::new(vec![Enqueue::new("b", Json::null()), Enqueue::new("c", Json::null())]);
        Ok(store.runs().enqueue_many(&many)?.remove(1))
    });
}

#[test]
fn a_claim_whose_answer_was_lost_is_found() {
    let proxy = Proxy::before(Postgres::shared());
    let options = Options { schema: Some("lost_claim".to_owned()), ..Options::default() };
    let store = Store::open(&proxy.url(), options).unwrap();
    let ids: Vec<String> = (0..3)
        .map(|n| store.runs().enqueue(&Enqueue { priority: -n, ..Enqueue::new("a", Json::null()) }).unwrap().id)
        .collect();
    proxy.cut_on(UPDATE, When::After);
    let runs = store.runs().claim_next(&Claim { limit: 2, ..Claim::new("w") }).unwrap();
    assert_eq!(proxy.fired().statements, 1);
    assert_eq!(runs.iter().map(|run| &run.id).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
    assert!(runs.iter().all(|run| run.attempt == 1 && run.state == RunState::Running));
}

#[test]
fn reports_are_taken_once() {
    let begun = ["run.enqueued", "run.started"];
    survives("lost_beat", UPDATE, &begun, |store, run| {
        store.runs().heartbeat(&Heartbeat { progress: Some(Json::parse("1")?), ..Heartbeat::new(&run.id, run.lease) })
    });
    survives("lost_success", UPDATE, &[begun[0], begun[1], "run.succeeded"], |store, run| {
        let output = Some(Json::parse("[1]")?);
        let done = store.runs().succeed(&Succeed { output: output.clone(), ..Succeed::new(&run.id, run.lease) })?;
        assert_eq!(Some(store.runs().output(&RunOutput::new(&run.id))?), output);
        Ok(done)
    });
    survives("lost_failure", "COMMIT", &[begun[0], begun[1], "run.retry_scheduled"], |store, run| {
        store.runs().fail(&Fail::new(&run.id, run.lease, "x"))
    });
    survives("lost_snooze", "COMMIT", &[begun[0], begun[1], "run.snoozed"], |store, run| {
        store.runs().snooze(&Snooze::new(&run.id, run.lease, Duration::from_secs(9)))
    });
    survives("lost_successes", UPDATE, &[begun[0], begun[1], "run.succeeded"], |store, run| {
        let item = Succeed { output: Some(Json::null()), ..Succeed::new(&run.id, run.lease) };
        store.runs().succeed_many(&SucceedMany { items: vec![item] })?.remove(0)
    });
    survives("lost_failures", "COMMIT", &[begun[0], begun[1], "run.retry_scheduled"], |store, run| {
        store.runs().fail_many(&FailMany { items: vec![Fail::new(&run.id, run.lease, "x")] })?.remove(0)
    });
    survives("lost_cancel", "COMMIT", &[begun[0], begun[1], "run.canceled"], |store, run| {
        store.runs().cancel(&Cancel::new(&run.id))
    });
}

/// Batches of the same keys in opposite orders: a circle would cost a second, and one of the two its work.
#[test]
fn rivals_with_the_same_keys_never_wait_in_a_circle() {
    let server = Postgres::start();
    let store = Store::open(server.url(), Options::default()).unwrap();
    let keyed = |n: i64| Enqueue { idempotency_key: Some(format!("k{n}")), ..Enqueue::new("a", Json::null()) };
    let batch: Vec<Enqueue> = (0..600).map(keyed).collect();
    let (forth, back) = (EnqueueMany::new(batch.clone()), EnqueueMany::new(batch.into_iter().rev().collect()));
    std::thread::scope(|scope| {
        for many in [&forth, &back, &forth, &back] {
            scope.spawn(|| assert_eq!(store.runs().enqueue_many(many).unwrap().len(), 600));
        }
    });
    store.close();
    let mut host = postgres::Client::connect(server.url(), postgres::NoTls).unwrap();
    // A session hands in its counts when it ends.
    while host
        .query_one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", &[])
        .unwrap()
        .get::<_, i64>(0)
        > 1
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let circles = host.query_one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", &[]);
    assert_eq!(circles.unwrap().get::<_, i64>(0), 0);
}

/// More of each kind than a claim of several kinds looks at are in the hands of a rival that has not committed.
#[test]
fn a_claim_steps_over_all_that_rivals_hold() {
    let options = Options { schema: Some("stepped_over".to_owned()), ..Options::default() };
    let store = Store::open(Postgres::shared().url(), options).unwrap();
    let item = |n: i64| Enqueue { priority: n, ..Enqueue::new(if n % 2 == 0 { "a" } else { "b" }, Json::null()) };
    let last = store.runs().enqueue_many(&EnqueueMany::new((0..300).map(item).collect())).unwrap();
    let both = || Claim { kinds: Some(vec!["a".to_owned(), "b".to_owned()]), ..Claim::new("w") };
    let claim = |limit: i64| store.runs().claim_next(&Claim { limit, ..both() }).unwrap();
    let rival = store.begin().unwrap();
    rival.query("SELECT id FROM sprongus_runs WHERE priority >= 3 FOR UPDATE", &[]).unwrap();
    let taken = std::thread::scope(|scope| scope.spawn(|| [claim(1), claim(9), claim(9)].concat()).join().unwrap());
    let ids = |runs: &[Run]| runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&taken), [2, 1, 0].map(|at: usize| last[at].id.clone()), "in their order, each once");
    rival.rollback().unwrap();
    assert_eq!(claim(1000).len(), 297);
}

/// The server's answer when a disk is full (SQLSTATE 53100), given by a trigger: an event cannot be written.
#[test]
fn a_server_without_room_is_an_error_and_nothing_is_written() {
    let options = Options { schema: Some("without_room".to_owned()), ..Options::default() };
    let store = Store::open(Postgres::shared().url(), options).unwrap();
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
                $$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$";
    store.execute(full, &[]).unwrap();
    store
        .execute("CREATE TRIGGER full_disk BEFORE INSERT ON sprongus_events EXECUTE FUNCTION full_disk()", &[])
        .unwrap();
    let enqueue = || store.runs().enqueue(&Enqueue::new("a", Json::null()));
    assert_eq!(enqueue().unwrap_err().code(), ErrorCode::StorageFull);
    assert_eq!(store.query("SELECT id FROM sprongus_runs", &[]).unwrap(), []);
    store.execute("DROP TRIGGER full_disk ON sprongus_events", &[]).unwrap();
    enqueue().unwrap();
}
