//! Lists and their pages.

use std::collections::BTreeSet;

use sprongus::runs::{Cancel, Enqueue, EnqueueMany, ListRuns, Order};
use sprongus::{ErrorCode, RunState};
use sprongus_conformance::{Case, Env, Face};

use super::{case, claim_one, code, kind};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::lists_filter", &["runs.list"], true, filters),
        case("runs::pages_cover_a_list_once", &["runs.list"], true, pages),
        case("runs::parents_list_their_children", &["runs.list"], true, children),
        case("runs::pages_are_complete_while_runs_are_added", &["runs.list"], false, growing),
        case("runs::bad_lists_are_refused", &["runs.list"], true, refused),
    ]
}

fn shown(on: Face<'_, '_>, request: &ListRuns) -> Vec<i64> {
    on.runs().list(request).unwrap().iter().map(|run| run.priority).collect()
}

/// Runs told apart by their priority.
fn seed(on: Face<'_, '_>) -> Vec<String> {
    let named = |name: &str| Some(name.to_owned());
    let asked = [
        Enqueue { project: named("p"), ..kind("a") },
        Enqueue { channel_id: named("mail"), conversation_id: named("1"), ..kind("b") },
        Enqueue { channel_id: named("mail"), conversation_id: named("2"), ..kind("b") },
        Enqueue { project: named("p"), ..kind("c") },
        kind("a"),
    ];
    let put = |(at, asked): (i64, Enqueue)| on.runs().enqueue(&Enqueue { priority: at, ..asked }).unwrap().id;
    (0..).zip(asked).map(put).collect()
}

fn filters(env: &Env) {
    env.within(|on| {
        let ids = seed(on);
        on.runs().cancel(&Cancel::new(&ids[1])).unwrap();
        assert_eq!(claim_one(on.runs()).id, ids[4]);
        let all = ListRuns::default;
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(shown(on, &all()), [4, 3, 2, 1, 0]);
        assert_eq!(shown(on, &ListRuns { order: Order::Oldest, ..all() }), [0, 1, 2, 3, 4]);
        assert_eq!(shown(on, &ListRuns { project: named("p"), ..all() }), [3, 0]);
        let states = vec![RunState::Canceled, RunState::Running];
        assert_eq!(shown(on, &ListRuns { state: Some(states), ..all() }), [4, 1]);
        assert_eq!(shown(on, &ListRuns { kind: Some(vec!["a".into(), "c".into()]), ..all() }), [4, 3, 0]);
        assert_eq!(shown(on, &ListRuns { channel_id: named("mail"), ..all() }), [2, 1]);
        assert_eq!(shown(on, &ListRuns { conversation_id: named("2"), ..all() }), [2]);
        assert_eq!(shown(on, &ListRuns { project: named("none"), ..all() }), [0; 0]);
        assert_eq!(shown(on, &ListRuns { state: Some(vec![]), ..all() }), [0; 0]);
        assert_eq!(shown(on, &ListRuns { limit: 0, ..all() }), [0; 0]);
        let third = on.runs().get(&sprongus::runs::GetRun::new(&ids[2])).unwrap().created_at;
        let (since, before) = (Some(third), Some(third));
        let late = shown(on, &ListRuns { since, ..all() });
        let early = shown(on, &ListRuns { before, ..all() });
        assert!(late.contains(&2) && !early.contains(&2), "since is inclusive, before exclusive");
        assert_eq!([late, early].concat(), [4, 3, 2, 1, 0]);
    });
}

fn pages(env: &Env) {
    env.within(|on| {
        seed(on);
        for order in [Order::Newest, Order::Oldest] {
            for limit in 1..=6 {
                let mut request = ListRuns { order, limit, ..ListRuns::default() };
                let mut seen = Vec::new();
                loop {
                    let page = on.runs().list(&request).unwrap();
                    assert!(page.items.len() as i64 <= limit);
                    seen.extend(page.items.iter().map(|run| run.priority));
                    request.cursor = page.next_cursor;
                    if request.cursor.is_none() {
                        break;
                    }
                }
                let want = if order == Order::Newest { [4, 3, 2, 1, 0] } else { [0, 1, 2, 3, 4] };
                assert_eq!(seen, want, "{limit} a page");
            }
        }
    });
}

fn children(env: &Env) {
    env.within(|on| {
        let parent = on.runs().enqueue(&kind("fan-out")).unwrap().id;
        let child = |number: i64| Enqueue { parent: Some(parent.clone()), priority: number, ..kind("part") };
        let ids: Vec<String> = (0..5).map(|number| on.runs().enqueue(&child(number)).unwrap().id).collect();
        on.runs().enqueue(&Enqueue { parent: Some("other".to_owned()), ..kind("part") }).unwrap();
        on.runs().cancel(&Cancel::new(&ids[1])).unwrap();
        let of_parent = || ListRuns { parent: Some(parent.clone()), ..ListRuns::default() };
        assert_eq!(shown(on, &of_parent()), [4, 3, 2, 1, 0]);
        assert_eq!(shown(on, &ListRuns { order: Order::Oldest, limit: 2, ..of_parent() }), [0, 1]);
        let canceled = Some(vec![RunState::Canceled]);
        assert_eq!(shown(on, &ListRuns { state: canceled, ..of_parent() }), [1]);
        assert_eq!(shown(on, &ListRuns { kind: Some(vec!["fan-out".into()]), ..of_parent() }), [0; 0]);
        assert_eq!(shown(on, &ListRuns { parent: Some("none".to_owned()), ..ListRuns::default() }), [0; 0]);
        let first = on.runs().list(&ListRuns { limit: 3, ..of_parent() }).unwrap();
        let next = ListRuns { limit: 3, cursor: first.next_cursor.clone(), ..of_parent() };
        assert_eq!(shown(on, &next), [1, 0]);
        let of_another = ListRuns { cursor: first.next_cursor, ..ListRuns::default() };
        assert_eq!(code(on.runs().list(&of_another)), ErrorCode::InvalidArgument, "a cursor belongs to its filters");
    });
}

/// What was there when the first page was asked for is listed once, whatever comes in meanwhile.
fn growing(env: &Env) {
    let store = env.open();
    let put = |count: usize| {
        let items = (0..count).map(|_| kind("a")).collect();
        store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap().into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    let (done, stop) = (std::sync::atomic::AtomicBool::new(false), std::sync::atomic::Ordering::SeqCst);
    let there: BTreeSet<String> = put(90).into_iter().collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(stop) {
                put(3);
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        for order in [Order::Newest, Order::Oldest] {
            for state in [None, Some(vec![RunState::Queued, RunState::Failed])] {
                let mut request = ListRuns { order, state, limit: 11, ..ListRuns::default() };
                let mut seen = Vec::new();
                loop {
                    let page = store.runs().list(&request).unwrap();
                    seen.extend(page.items.into_iter().map(|run| run.id));
                    request.cursor = page.next_cursor;
                    // In the order of coming in, a list of a growing queue has no end.
                    if request.cursor.is_none() || there.iter().all(|id| seen.contains(id)) {
                        break;
                    }
                }
                let once: BTreeSet<String> = seen.iter().cloned().collect();
                assert_eq!(once.len(), seen.len(), "none twice");
                assert!(there.is_subset(&once), "none left out");
            }
        }
        done.store(true, stop);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        seed(on);
        let all = ListRuns::default;
        let cursor = on.runs().list(&ListRuns { limit: 1, ..all() }).unwrap().next_cursor;
        for bad in [
            ListRuns { limit: -1, ..all() },
            ListRuns { limit: 1001, ..all() },
            ListRuns { cursor: Some("x".to_owned()), ..all() },
            ListRuns { cursor: cursor.clone(), order: Order::Oldest, ..all() },
            ListRuns { cursor, kind: Some(vec!["a".into()]), ..all() },
            ListRuns { project: Some(String::new()), ..all() },
            ListRuns { kind: Some(vec!["a\0".into()]), ..all() },
            ListRuns { channel_id: Some(String::new()), ..all() },
            ListRuns { kind: Some(vec!["a".into(); 40_000]), ..all() },
            ListRuns { state: Some(vec![RunState::Queued; 40_000]), ..all() },
        ] {
            assert_eq!(code(on.runs().list(&bad)), ErrorCode::InvalidArgument, "{:.200}", format!("{bad:?}"));
        }
        let wide = ListRuns { kind: Some(vec!["a".into(); 1000]), state: Some(RunState::ALL.into()), ..all() };
        assert_eq!(on.runs().list(&wide).unwrap().len(), 2);
    });
}
