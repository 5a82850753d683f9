//! Out of the queue.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Claim, Enqueue, StartRun, Succeed};
use sprongus::{Clock, ErrorCode, Options, RunState, SystemClock};
use sprongus_conformance::{Case, Env};

use super::{case, claims, code, get, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::claims_go_by_priority_then_age", &["runs.claim_next"], true, ordered),
        case("runs::claims_are_for_kinds_and_prefixes", &["runs.claim_next"], true, kinds),
        case("runs::claims_are_for_projects", &["runs.claim_next"], true, projects),
        case("runs::a_claim_raises_attempt_and_lease", &["runs.claim_next"], true, raised),
        case("runs::a_dispatched_run_is_started", &["runs.claim_next", "runs.start"], true, dispatched),
        case("runs::what_is_due_later_is_claimed_later", &["runs.claim_next"], false, later),
        case("runs::bad_claims_claim_nothing", &["runs.claim_next"], true, refused),
        case("runs::an_event_in_the_place_of_the_next_stops_a_claim", &["runs.claim_next"], false, taken_place),
    ]
}

fn all() -> Claim {
    Claim { limit: 1000, lease: Duration::from_secs(3600), ..Claim::new("w1") }
}

fn of(names: &[&str]) -> Claim {
    Claim { kinds: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..all() }
}

fn ordered(env: &Env) {
    env.within(|on| {
        let early = "2024-01-01T00:00:00Z".parse().unwrap();
        let a = put(on.runs(), "a").id;
        let b = put(on.runs(), "b").id;
        let urgent = on.runs().enqueue(&Enqueue { priority: 9, ..kind("c") }).unwrap().id;
        let old = on.runs().enqueue(&Enqueue { run_at: Some(early), ..kind("a") }).unwrap().id;
        let idle = on.runs().enqueue(&Enqueue { priority: -1, ..kind("a") }).unwrap().id;
        assert_eq!(claims(on.runs(), &Claim::new("w")), [urgent]);
        assert_eq!(claims(on.runs(), &Claim { limit: 3, ..Claim::new("w") }), [old, a, b]);
        assert_eq!(claims(on.runs(), &all()), [idle]);
        assert!(claims(on.runs(), &all()).is_empty());
        assert!(claims(on.runs(), &Claim { limit: 0, ..all() }).is_empty());
    });
}

/// As somebody leaves it who writes into the library's tables: one answer, of however many runs.
fn taken_place(env: &Env) {
    let store = env.open();
    let runs = store.runs();
    let ids: Vec<String> = (0..3).map(|_| put(runs, "k").id).collect();
    let event = "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) \
                 SELECT 'x', subject, 2, 'made up', at, actor, payload FROM sprongus_events WHERE subject = $1";
    store.execute(event, &[format!("run:{}", ids[0]).into()]).unwrap();
    for limit in [1, 3] {
        assert_eq!(code(runs.claim_next(&Claim { limit, ..all() })), ErrorCode::Conflict, "{limit}");
    }
    assert!(ids.iter().all(|id| get(runs, id).state == RunState::Queued), "nothing is claimed");
    store.execute("DELETE FROM sprongus_events WHERE id = 'x'", &[]).unwrap();
    assert_eq!(claims(runs, &all()), ids);
}

fn kinds(env: &Env) {
    env.within(|on| {
        let ids: Vec<String> =
            ["a", "sync", "sync/x", "sync/y", "sync0", "b", "sync.shelf/z"].map(|kind| put(on.runs(), kind).id).into();
        assert!(claims(on.runs(), &of(&["c", "syn"])).is_empty());
        assert!(claims(on.runs(), &of(&[])).is_empty());
        assert_eq!(claims(on.runs(), &of(&["sync/*"])), [ids[2].clone(), ids[3].clone()]);
        assert_eq!(claims(on.runs(), &of(&["b", "a", "sync.shelf/*", "a"])), [0, 5, 6].map(|at| ids[at].clone()));
        let urgent = on.runs().enqueue(&Enqueue { priority: 1, ..kind("z") }).unwrap().id;
        let one = Claim { limit: 1, ..of(&["sync", "z"]) };
        assert_eq!(claims(on.runs(), &one), [urgent]);
        assert_eq!(claims(on.runs(), &one), [ids[1].clone()]);
        assert_eq!(claims(on.runs(), &all()), [ids[4].clone()]);
    });
}

fn projects(env: &Env) {
    env.within(|on| {
        let of = |project: &str| Enqueue { project: Some(project.to_owned()), ..kind("a") };
        let free = put(on.runs(), "a").id;
        let p = on.runs().enqueue(&of("p")).unwrap().id;
        let q = on.runs().enqueue(&of("q")).unwrap().id;
        let from =
            |projects: &[&str]| Claim { projects: Some(projects.iter().map(|p| (*p).to_owned()).collect()), ..all() };
        assert!(claims(on.runs(), &from(&[])).is_empty());
        assert!(claims(on.runs(), &from(&["r"])).is_empty());
        assert_eq!(claims(on.runs(), &Claim { kinds: Some(vec!["a".into(), "b".into()]), ..from(&["q", "r"]) }), [q]);
        assert_eq!(claims(on.runs(), &all()), [free, p]);
    });
}

fn raised(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run =
            on.runs().claim_next(&Claim { lease: Duration::from_secs(90), ..Claim::new("ann") }).unwrap().remove(0);
        assert_eq!((run.id.as_str(), run.state, run.state_code), (id.as_str(), RunState::Running, 4));
        assert_eq!((run.attempt, run.lease, run.version), (1, 1, 2));
        assert_eq!(run.claimed_by.as_deref(), Some("ann"));
        assert!(run.claimed_at.is_some() && run.started_at == run.claimed_at);
        let until = run.lease_until.unwrap().since(run.claimed_at.unwrap());
        assert!(until >= Duration::from_secs(89) && until <= Duration::from_secs(91), "{until:?}");
        assert_eq!(get(on.runs(), &id), run);
        let event = on.runs().events(&sprongus::runs::RunEvents::new(&id)).unwrap().remove(1);
        assert_eq!((event.kind.as_str(), event.actor.as_str()), ("run.started", "ann"));
        assert_eq!(event.payload.as_str(), r#"{"attempt":1,"from":"queued","to":"running"}"#);
    });
}

fn dispatched(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run = on.runs().claim_next(&Claim { dispatch: true, ..Claim::new("w") }).unwrap().remove(0);
        assert_eq!((run.state, run.state_code, run.started_at), (RunState::Dispatching, 3, None));
        assert_eq!(code(on.runs().succeed(&Succeed::new(&id, run.lease))), ErrorCode::InvalidState);
        assert_eq!(code(on.runs().start(&StartRun::new(&id, 7))), ErrorCode::LeaseLost);
        let started = on.runs().start(&StartRun::new(&id, run.lease)).unwrap();
        assert!(started.state == RunState::Running && started.started_at.is_some());
        assert_eq!(on.runs().start(&StartRun::new(&id, run.lease)).unwrap(), started, "again is no change");
        on.runs().succeed(&Succeed::new(&id, run.lease)).unwrap();
        assert_eq!(code(on.runs().start(&StartRun::new(&id, run.lease))), ErrorCode::LeaseLost);
        assert_eq!(told(on.runs(), &id), ["run.enqueued", "run.dispatched", "run.started", "run.succeeded"]);
    });
}

fn later(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let runs = store.runs();
    let minute = Duration::from_secs(60);
    let delayed = runs.enqueue(&Enqueue { delay: Some(minute), priority: 5, ..kind("a") }).unwrap();
    assert_eq!(delayed.run_at, clock.now().saturating_add(minute));
    let at = runs.enqueue(&Enqueue { run_at: delayed.run_at.checked_add(minute), ..kind("a") }).unwrap().id;
    let now = put(runs, "a").id;
    assert_eq!(claims(runs, &all()), [now]);
    clock.advance(minute - Duration::from_micros(1));
    assert!(claims(runs, &all()).is_empty());
    clock.advance(Duration::from_micros(1));
    let next = put(runs, "a").id;
    assert_eq!(claims(runs, &all()), [delayed.id.clone(), next], "what has become due takes its place in the order");
    clock.advance(minute);
    assert_eq!(claims(runs, &all()), [at]);
    assert_eq!(told(runs, &delayed.id), ["run.enqueued", "run.started"], "becoming due is no transition");
}

fn refused(env: &Env) {
    env.within(|on| {
        put(on.runs(), "a");
        for bad in [
            Claim::new(""),
            Claim::new("w\n"),
            Claim { limit: -1, ..all() },
            Claim { limit: 1001, ..all() },
            Claim { lease: Duration::ZERO, ..all() },
            Claim { lease: Duration::MAX, ..all() },
            of(&[""]),
            of(&["a\0"]),
            Claim { kinds: Some((0..201).map(|n| n.to_string()).collect()), ..all() },
            Claim { projects: Some(vec![String::new()]), ..all() },
            Claim { projects: Some(vec!["p".into(); 40_000]), ..all() },
        ] {
            assert_eq!(code(on.runs().claim_next(&bad)), ErrorCode::InvalidArgument, "{:.200}", format!("{bad:?}"));
        }
        assert!(claims(on.runs(), &Claim { projects: Some(vec!["p".into(); 1000]), ..all() }).is_empty());
        let names: Vec<String> = (0..200).map(|n| format!("k{n}/*")).collect();
        assert!(claims(on.runs(), &Claim { kinds: Some(names), ..all() }).is_empty());
        assert_eq!(claims(on.runs(), &all()).len(), 1);
    });
}
