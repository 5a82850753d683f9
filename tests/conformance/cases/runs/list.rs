//! Lists and their pages.

use sprongus::runs::{Cancel, Enqueue, ListRuns, Order};
use sprongus::{ErrorCode, RunState};
use sprongus_conformance::{Case, Env, Face};

use super::{case, claim_one, code, kind};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::lists_filter", &["runs.list"], true, filters),
        case("runs::pages_cover_a_list_once", &["runs.list"], true, pages),
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
