//! Waiting for what comes.

use std::time::{Duration, Instant};

use sprongus::events::{Follow, FollowEvents, ReadEvents};
use sprongus::runs::{Enqueue, EnqueueMany};
use sprongus::{ErrorCode, Event, Json, Scope};
use sprongus_conformance::{Backend, Case, Env};

use super::{batch, case, check_order, code, put};

const NONE: &[&str] = &[];
const SOON: Duration = Duration::from_secs(20);

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("events::follow_begins_now_and_waits", NONE, false, now),
        case("events::follow_goes_on_from_a_cursor", NONE, false, cursor),
        case("events::follow_is_woken_by_commits", NONE, false, woken),
        case("events::follow_sees_what_others_commit", NONE, false, others),
        case("events::follow_is_stopped_from_elsewhere", NONE, false, stopped),
        case("events::follow_ends_with_the_store", NONE, false, closed),
        case("events::follow_keeps_to_types_and_projects", NONE, false, chosen),
        case("events::follow_refuses_what_read_refuses", NONE, true, refused),
    ]
}

fn next(follow: &mut Follow) -> Event {
    follow.next_within(SOON).unwrap().expect("an event")
}

fn none(follow: &mut Follow) {
    assert_eq!(follow.next_within(Duration::from_millis(30)).unwrap(), None);
}

fn now(env: &Env) {
    let store = env.open();
    put(&store, "before");
    let mut follow = store.events().follow(&FollowEvents::default()).unwrap();
    let start = Instant::now();
    none(&mut follow);
    assert!(start.elapsed() >= Duration::from_millis(30), "it waited");
    let run = put(&store, "after");
    assert_eq!(next(&mut follow).run_id, Some(run.id));
    none(&mut follow);
    let many = vec![Enqueue::new("many", Json::null()); 250];
    store.runs().enqueue_many(&EnqueueMany::new(many)).unwrap();
    let events: Vec<Event> = (0..250).map(|_| follow.next().unwrap().unwrap()).collect();
    assert_eq!(check_order(&events), 250);
    assert_eq!(follow.next_within(Duration::ZERO).unwrap(), None);
}

fn cursor(env: &Env) {
    let store = env.open();
    let runs: Vec<_> = (0..5).map(|_| put(&store, "a")).collect();
    let first = batch(store.events(), &ReadEvents { limit: 1, ..ReadEvents::default() });
    let after = |cursor: &str| FollowEvents { after: Some(cursor.to_owned()), ..FollowEvents::default() };
    let mut follow = store.events().follow(&after(&first.cursor)).unwrap();
    assert_eq!(next(&mut follow).run_id.as_ref(), Some(&runs[1].id));
    assert_eq!(next(&mut follow).run_id.as_ref(), Some(&runs[2].id));
    let mut other = store.events().follow(&after(&follow.cursor())).unwrap();
    assert_eq!(next(&mut other).run_id.as_ref(), Some(&runs[3].id), "after what was handed out, not what was read");
    assert_eq!(next(&mut follow).run_id.as_ref(), Some(&runs[3].id));
    assert_eq!(next(&mut follow).run_id.as_ref(), Some(&runs[4].id));
    none(&mut follow);
    assert_eq!(follow.cursor(), store.events().position().unwrap());
}

/// A hundred times from the commit to the event: were a single one only seen by polling, it would show.
fn woken(env: &Env) {
    let store = env.open();
    let mut follow = store.events().follow(&FollowEvents::default()).unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        let (sent, seen) = std::sync::mpsc::channel();
        scope.spawn(move || {
            for _ in 0..100 {
                sent.send(next(&mut follow).run_id).unwrap();
            }
        });
        for _ in 0..100 {
            let run = put(&store, "a");
            assert_eq!(seen.recv_timeout(SOON).unwrap(), Some(run.id));
        }
    });
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

fn others(env: &Env) {
    let store = env.open();
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    let mut follow = store.events().follow(&FollowEvents::default()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (0..5).map(|_| next(&mut follow).run_id.unwrap()).collect::<Vec<_>>());
        let mut runs = Vec::new();
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(20));
            runs.push(put(&other, "a").id);
        }
        assert_eq!(waiting.join().unwrap(), runs);
    });
}

fn stopped(env: &Env) {
    let store = env.open();
    let mut follow = store.events().follow(&FollowEvents::default()).unwrap();
    let stop = follow.stop();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| follow.next().is_none());
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished() && !stop.is_stopped());
        stop.stop();
        assert!(waiting.join().unwrap());
    });
    put(&store, "a");
    assert!(follow.next().is_none() && follow.next_within(SOON).unwrap().is_none(), "for good");
    drop((follow, store));
    stop.stop();
}

fn closed(env: &Env) {
    let store = env.open();
    let mut follow = store.events().follow(&FollowEvents::default()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (code(follow.next().unwrap()), follow.next().is_none()));
        std::thread::sleep(Duration::from_millis(50));
        store.close();
        assert_eq!(waiting.join().unwrap(), (ErrorCode::Misuse, true), "once, and then it is over");
    });
    assert_eq!(code(store.events().follow(&FollowEvents::default())), ErrorCode::Misuse);
}

fn chosen(env: &Env) {
    let store = env.open();
    let of = |project: &str| Enqueue { project: Some(project.to_owned()), ..Enqueue::new("a", Json::null()) };
    let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
    let mut follow = scoped.events().follow(&FollowEvents::default()).unwrap();
    let types = Some(vec!["run.canceled".to_owned()]);
    let mut canceled = store.events().follow(&FollowEvents { types, ..FollowEvents::default() }).unwrap();
    store.runs().enqueue(&of("q")).unwrap();
    let run = store.runs().enqueue(&of("p")).unwrap();
    assert_eq!(next(&mut follow).run_id.as_ref(), Some(&run.id));
    // One look is enough.
    assert!(canceled.next_within(Duration::ZERO).unwrap().is_none());
    let passed = canceled.cursor();
    assert_eq!(passed, store.events().position().unwrap(), "what the filter kept back was looked at");
    store.runs().cancel(&sprongus::runs::Cancel::new(&run.id)).unwrap();
    assert_eq!(next(&mut canceled).kind, "run.canceled");
}

fn refused(env: &Env) {
    env.within(|on| {
        let follow = |request: &FollowEvents| on.events().follow(request).map(drop);
        if env.backend().lent() {
            assert_eq!(code(follow(&FollowEvents::default())), ErrorCode::Misuse);
            return;
        }
        follow(&FollowEvents::default()).unwrap();
        let bad = [
            FollowEvents { after: Some("garbage".to_owned()), ..FollowEvents::default() },
            FollowEvents { types: Some(vec!["*".to_owned()]), ..FollowEvents::default() },
            FollowEvents { project: Some(String::new()), ..FollowEvents::default() },
        ];
        for request in bad {
            assert_eq!(code(follow(&request)), ErrorCode::InvalidArgument, "{request:?}");
        }
        let store = env.open();
        put(&store, "a");
        let future = Some(store.events().position().unwrap());
        let other = Env::fresh(env.backend());
        let elsewhere = other.open();
        let after = FollowEvents { after: future, ..FollowEvents::default() };
        assert_eq!(code(elsewhere.events().follow(&after)), ErrorCode::InvalidArgument);
        let tx = store.begin().unwrap();
        assert_eq!(code(tx.events().follow(&FollowEvents::default())), ErrorCode::Misuse);
    });
}
