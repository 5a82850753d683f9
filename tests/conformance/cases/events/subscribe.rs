//! A function of the host's, told of what this store commits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sprongus::events::{ReadEvents, SubscribeEvents, Subscription};
use sprongus::runs::{Claim, Enqueue, EnqueueMany, Succeed};
use sprongus::{Error, ErrorCode, Event, Json, Scope, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, check_order, code, drain, put};

const NONE: &[&str] = &[];
const SOON: Duration = Duration::from_secs(20);

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("events::subscribers_are_told_the_events_of_the_feed", NONE, false, same_as_feed),
        case("events::subscribers_are_told_in_the_order_of_seq", NONE, false, in_order),
        case("events::what_is_rolled_back_is_never_told", NONE, false, rolled_back),
        case("events::subscribers_are_told_of_their_own_store_alone", NONE, false, own),
        case("events::a_slow_subscriber_holds_nobody_up", NONE, false, slow),
        case("events::a_panic_of_a_subscriber_hurts_nobody", NONE, false, panics),
        case("events::a_subscription_ends_when_it_is_closed", NONE, false, closes),
        case("events::a_subscriber_may_end_its_subscription", NONE, false, closes_itself),
        case("events::subscriptions_end_with_the_store", NONE, false, ends_with_store),
        case("events::subscribers_see_what_their_handle_may", NONE, true, scoped),
    ]
}

fn subscribe(store: &Store) -> (Subscription, Receiver<Event>) {
    let (tell, told) = channel();
    let tell = move |event: &Event| tell.send(event.clone()).unwrap_or(());
    (store.events().subscribe(&SubscribeEvents::default(), tell).unwrap(), told)
}

fn take(told: &Receiver<Event>, many: usize) -> Vec<Event> {
    (0..many).map(|_| told.recv_timeout(SOON).unwrap()).collect()
}

fn silent(told: &Receiver<Event>) {
    assert!(told.recv_timeout(Duration::from_millis(30)).is_err());
}

fn same_as_feed(env: &Env) {
    let store = env.open();
    let (_subscription, told) = subscribe(&store);
    super::every_change(&store);
    let feed = drain(store.events(), &ReadEvents::default());
    let mut by_id = take(&told, feed.len());
    silent(&told);
    assert_eq!(check_order(&by_id), feed.len());
    let mut of_feed = feed;
    by_id.sort_by(|a, b| a.id.cmp(&b.id));
    of_feed.sort_by(|a, b| a.id.cmp(&b.id));
    for (told, stored) in by_id.iter().zip(&of_feed) {
        assert_eq!(told, stored, "the record that the feed has, to the last member");
    }
}

/// One thread enqueues, others claim and report at once: the claim's call often comes back before that of the enqueue.
fn in_order(env: &Env) {
    let store = env.open();
    let (_subscription, told) = subscribe(&store);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..150).for_each(|_| drop(put(&store, "a"))));
        for n in 0..3 {
            let store = &store;
            scope.spawn(move || {
                let (mut done, start) = (0, Instant::now());
                while done < 50 && start.elapsed() < SOON {
                    for run in store.runs().claim_next(&Claim::new(format!("w{n}"))).unwrap() {
                        store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
                        done += 1;
                    }
                }
            });
        }
    });
    assert_eq!(check_order(&take(&told, 450)), 450);
    silent(&told);
}

fn rolled_back(env: &Env) {
    let store = env.open();
    let (_subscription, told) = subscribe(&store);
    let enqueue = |on: &sprongus::Tx<'_>, kind: &str| on.runs().enqueue(&Enqueue::new(kind, Json::null())).unwrap();
    let undone: Result<(), Error> = store.transaction(|tx| {
        enqueue(tx, "undone");
        Err(Error::misuse("enough"))
    });
    undone.unwrap_err();
    let tx = store.begin().unwrap();
    let first = enqueue(&tx, "first");
    let savepoint = tx.savepoint().unwrap();
    enqueue(&savepoint, "undone");
    savepoint.rollback().unwrap();
    let second = enqueue(&tx, "second");
    silent(&told);
    tx.commit().unwrap();
    let events = take(&told, 2);
    assert_eq!([&events[0].run_id, &events[1].run_id], [&Some(first.id), &Some(second.id)], "after the commit");
    drop(store.begin().map(|tx| enqueue(&tx, "dropped")));
    assert_eq!(code(store.runs().enqueue(&Enqueue::new("", Json::null()))), ErrorCode::InvalidArgument);
    silent(&told);
}

fn own(env: &Env) {
    let store = env.open();
    let (_subscription, told) = subscribe(&store);
    if env.backend() != Backend::SqliteMemory {
        put(&env.open(), "of another store");
        silent(&told);
    }
    let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
    let run = scoped.runs().enqueue(&Enqueue::new("a", Json::null())).unwrap();
    assert_eq!(take(&told, 1)[0].run_id, Some(run.id), "by whichever handle of the store");
}

fn slow(env: &Env) {
    let store = env.open();
    let (go_on, wait) = channel::<()>();
    let count = Arc::new(AtomicU64::new(0));
    let counted = count.clone();
    let tell = move |_: &Event| {
        let _ = wait.recv();
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let subscription = store.events().subscribe(&SubscribeEvents::default(), tell).unwrap();
    let (_other, told) = subscribe(&store);
    for _ in 0..11 {
        let many = vec![Enqueue::new("a", Json::null()); 1_000];
        store.runs().enqueue_many(&EnqueueMany::new(many)).unwrap();
    }
    assert_eq!(take(&told, 11_000).len(), 11_000, "the other one is told of all");
    let missed = subscription.missed();
    assert!((999..=1_000).contains(&missed), "10,000 wait, one may be told just now: {missed}");
    drop(go_on);
    let start = Instant::now();
    while count.load(Ordering::SeqCst) + missed < 11_000 {
        assert!(start.elapsed() < SOON, "told of {}", count.load(Ordering::SeqCst));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(subscription.missed(), missed);
}

fn panics(env: &Env) {
    let store = env.open();
    let (tell, told) = channel();
    let tell = move |event: &Event| {
        tell.send(event.clone()).unwrap();
        panic!("a subscriber fails");
    };
    let _subscription = store.events().subscribe(&SubscribeEvents::default(), tell).unwrap();
    let runs = [put(&store, "a"), put(&store, "b")];
    for run in runs {
        assert_eq!(take(&told, 1)[0].run_id, Some(run.id), "each time anew");
    }
}

fn closes(env: &Env) {
    let store = env.open();
    let (subscription, told) = subscribe(&store);
    put(&store, "a");
    take(&told, 1);
    subscription.close();
    assert!(told.recv().is_err(), "the function has been dropped");
    subscription.close();
    put(&store, "b");
    let (dropped, told) = subscribe(&store);
    drop(dropped);
    put(&store, "c");
    assert!(told.recv_timeout(SOON).is_err());
}

fn closes_itself(env: &Env) {
    let store = env.open();
    let own: Arc<Mutex<Option<Subscription>>> = Arc::default();
    let (tell, told) = channel();
    let ends = own.clone();
    let subscribed = {
        let mut own = own.lock().unwrap();
        let request = SubscribeEvents::default();
        let subscription = store.events().subscribe(&request, move |event| {
            let mut own = ends.lock().unwrap();
            own.as_ref().unwrap().close();
            drop(own.take());
            tell.send(event.kind.clone()).unwrap();
        });
        *own = Some(subscription.unwrap());
        own.is_some()
    };
    assert!(subscribed);
    put(&store, "a");
    put(&store, "b");
    assert_eq!(told.recv_timeout(SOON).unwrap(), "run.enqueued");
    assert!(told.recv_timeout(SOON).is_err(), "once");
    assert!(own.lock().unwrap().is_none());
}

fn ends_with_store(env: &Env) {
    let store = env.open();
    let (subscription, told) = subscribe(&store);
    (0..20).for_each(|_| drop(put(&store, "a")));
    store.close();
    assert_eq!(told.iter().count(), 20, "what was committed is told, and then it is over");
    subscription.close();
    assert_eq!(code(store.events().subscribe(&SubscribeEvents::default(), |_| {})), ErrorCode::Misuse);
}

fn scoped(env: &Env) {
    env.within(|on| {
        let subscribe = |request: &SubscribeEvents| on.events().subscribe(request, |_| {}).map(drop);
        if env.backend().lent() {
            assert_eq!(code(subscribe(&SubscribeEvents::default())), ErrorCode::Misuse);
            return;
        }
        let bad = SubscribeEvents { types: Some(vec!["RunCreated".to_owned()]), ..SubscribeEvents::default() };
        assert_eq!(code(subscribe(&bad)), ErrorCode::InvalidArgument);
        let store = env.open();
        let (tell, told) = channel();
        let handle = store.scoped("p", &[Scope::RunsRead]).unwrap();
        let request = SubscribeEvents { types: Some(vec!["run.canceled".to_owned()]), ..SubscribeEvents::default() };
        let _subscription =
            handle.events().subscribe(&request, move |event| tell.send(event.clone()).unwrap()).unwrap();
        for project in ["q", "p"] {
            let run = Enqueue { project: Some(project.to_owned()), ..Enqueue::new("a", Json::null()) };
            let run = store.runs().enqueue(&run).unwrap();
            store.runs().cancel(&sprongus::runs::Cancel::new(&run.id)).unwrap();
        }
        assert_eq!(take(&told, 1)[0].kind, "run.canceled");
        silent(&told);
        let other = SubscribeEvents { project: Some("q".to_owned()), ..SubscribeEvents::default() };
        assert_eq!(code(handle.events().subscribe(&other, |_| {})), ErrorCode::PermissionDenied);
        let aux = SubscribeEvents { types: Some(vec!["aux.*".to_owned()]), ..SubscribeEvents::default() };
        assert_eq!(code(handle.events().subscribe(&aux, |_| {})), ErrorCode::PermissionDenied);
    });
}
