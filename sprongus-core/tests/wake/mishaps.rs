//! Connections lost, servers restarted, stores closed: nobody waits longer than it takes to get over it.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use sprongus::runs::{GetRun, WaitRun};
use sprongus::{ErrorCode, Options, Store};
use sprongus_testkit::Postgres;

use crate::child::Other;
use crate::places::{Place, open};
use crate::{beside_others, put, worker};

/// Well under the poll interval of the worker here.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_short_lived_process_wakes_others_sqlite() {
    let _ground = beside_others();
    wakes_once(&Place::sqlite());
}

#[test]
fn a_short_lived_process_wakes_others_postgres() {
    let _ground = beside_others();
    wakes_once(&Place::postgres());
}

fn wakes_once(place: &Place) {
    let store = place.open();
    let mut other = Other::start("enqueue once", &place.url, &place.schema);
    assert_eq!(other.hear(), "ready");
    let (began, starts) = mpsc::channel();
    let worker = worker(&store, began);
    std::thread::sleep(Duration::from_millis(300));
    other.order("go");
    starts.recv_timeout(SOON).expect("the run started");
    other.end();
    assert!(worker.stop(Some(SOON)), "{:?}", worker.metrics());
}

#[test]
fn a_listener_that_was_cut_off_listens_again() {
    let _ground = beside_others();
    let server = Postgres::start();
    let place = Place::on(&server);
    let store = open(&hearing(&place), &place.schema);
    let mut other = Other::start("enqueue", &place.url, &place.schema);
    assert_eq!(other.hear(), "ready");
    let (began, starts) = mpsc::channel();
    let worker = worker(&store, began);
    let mut go = |what: &str| {
        other.order("go");
        starts.recv_timeout(SOON).unwrap_or_else(|_| panic!("the run did not start: {what}"));
        other.hear();
    };
    wait_for_listeners(&server, 1);
    go("undisturbed");
    let cut = server.psql(&format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {LISTENING}"));
    assert_eq!(cut, "1", "there was one to be cut off");
    go("while it was away, or after");
    wait_for_listeners(&server, 1);
    go("listening again");
    drop(worker);
}

#[test]
fn a_server_that_restarts_is_listened_to_again() {
    let _ground = beside_others();
    let server = Postgres::start();
    let place = Place::on(&server);
    let store = open(&hearing(&place), &place.schema);
    let (began, starts) = mpsc::channel();
    let worker = worker(&store, began);
    wait_for_listeners(&server, 1);
    server.stop();
    std::thread::sleep(Duration::from_millis(300));
    server.restart();
    let other = place.open();
    // Perhaps before the worker's store listens again: the look after that finds it.
    put(&other, Duration::ZERO);
    starts.recv_timeout(SOON).expect("the run started that was enqueued after the restart");
    wait_for_listeners(&server, 1);
    put(&other, Duration::ZERO);
    starts.recv_timeout(SOON).expect("and one more");
    assert!(worker.stop(Some(SOON)));
}

#[test]
fn a_pooler_in_transaction_mode_is_not_listened_to() {
    let _ground = beside_others();
    let server = Postgres::start();
    let place = Place::on(&server);
    drop(place.open());
    let pooled = || Options { schema: Some(place.schema.clone()), statement_cache: false, ..Options::default() };
    let (began, starts) = mpsc::channel();
    let store = Store::open(&hearing(&place), pooled()).unwrap();
    let deaf = worker(&store, began);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(listeners(&server), 0);
    // But it tells others, who have a way to the server itself.
    let direct = Options { listen_url: Some(hearing(&place)), ..pooled() };
    let (began, other_starts) = mpsc::channel();
    let listening = worker(&Store::open(&place.url, direct).unwrap(), began);
    wait_for_listeners(&server, 1);
    assert!(deaf.stop(Some(SOON)));
    drop(starts);
    put(&store, Duration::ZERO);
    other_starts.recv_timeout(SOON).expect("woken by way of listen_url");
    assert!(listening.stop(Some(SOON)));
}

#[test]
fn a_listen_url_that_leads_nowhere_is_no_error_but_a_bad_one_is() {
    let _ground = beside_others();
    let place = Place::postgres();
    let with = |url: &str| Options {
        schema: Some(place.schema.clone()),
        listen_url: Some(url.to_owned()),
        ..Options::default()
    };
    let refused = Store::open(&place.url, with("postgresql://:secret@[")).map(drop).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidArgument);
    assert!(refused.message().contains("listen_url") && !refused.message().contains("secret"), "{refused}");
    let store = Store::open(&place.url, with("postgresql://nobody@127.0.0.1:1/none")).unwrap();
    let (began, starts) = mpsc::channel();
    let worker = worker(&store, began);
    put(&store, Duration::ZERO);
    starts.recv_timeout(SOON).expect("in this process no connection is needed");
    assert!(worker.stop(Some(SOON)));
}

#[test]
fn closing_the_store_ends_every_wait() {
    let _ground = beside_others();
    for place in [Place::sqlite(), Place::postgres()] {
        let store = place.open();
        let waiting = store.clone();
        let id = put(&store, Duration::from_secs(3600));
        let waits = std::thread::spawn(move || waiting.runs().wait(&WaitRun { timeout: None, ..WaitRun::new(&id) }));
        let (began, _starts) = mpsc::channel();
        let working = worker(&store, began);
        std::thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        store.close();
        assert_eq!(waits.join().unwrap().unwrap_err().code(), ErrorCode::Misuse);
        assert!(working.stop(Some(SOON)));
        assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    }
}

#[test]
fn a_wait_hears_of_another_process() {
    let _ground = beside_others();
    for place in [Place::sqlite(), Place::postgres()] {
        let store = place.open();
        let id = put(&store, Duration::from_millis(500));
        let mut other = Other::start("work", &place.url, &place.schema);
        assert_eq!(other.hear(), "ready");
        let run = store.runs().wait(&WaitRun { timeout: Some(SOON), ..WaitRun::new(&id) }).unwrap();
        assert_eq!(run, store.runs().get(&GetRun::new(&id)).unwrap());
        other.end();
    }
}

/// The session of its own that a store listens and notifies by, where it was opened by [`hearing`].
const LISTENING: &str = "application_name = 'hearer' AND query ~ '^(LISTEN|SET LOCAL synchronous_commit)'";

fn hearing(place: &Place) -> String {
    format!("{}&application_name=hearer", place.url)
}

fn listeners(server: &Postgres) -> i64 {
    server.psql(&format!("SELECT count(*) FROM pg_stat_activity WHERE {LISTENING}")).parse().unwrap()
}

fn wait_for_listeners(server: &Postgres, count: i64) {
    let end = Instant::now() + SOON;
    while listeners(server) != count {
        assert!(Instant::now() < end, "{count} sessions should listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
