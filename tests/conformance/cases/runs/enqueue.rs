//! Into the queue.

use std::time::Duration;

use sprongus::presets::{BindRunPreset, CreatePreset, PresetKind};
use sprongus::runs::{Enqueue, EnqueueMany, GetRun, ListRuns, RunEvents};
use sprongus::{ErrorCode, Json, Options, RunState, Scope};
use sprongus_conformance::{Case, Env};

use super::{case, claims, code, get, json, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::an_enqueued_run_is_kept_whole", &["runs.enqueue", "runs.get", "runs.events"], true, whole),
        case("runs::what_enqueue_answers_is_what_is_stored", &["runs.enqueue", "runs.enqueue_many"], true, answered),
        case("runs::the_same_key_gives_the_first_run", &["runs.enqueue"], true, keyed),
        case("runs::many_are_enqueued_all_or_none", &["runs.enqueue_many"], true, many),
        case("runs::what_cannot_be_enqueued_writes_nothing", &["runs.enqueue"], true, refused),
        case("runs::inputs_have_a_size", &["runs.enqueue"], false, sized),
        case("runs::a_run_may_wait_for_its_approval", &["runs.enqueue"], true, gated),
        case("runs::a_bound_preset_judges_inputs", &["runs.enqueue"], true, bound),
        case("runs::projects_are_walls", &["runs.get", "runs.cancel"], false, walled),
        case("runs::no_project_means_the_handles_own", &["runs.list", "runs.claim_next"], false, own),
        case("runs::ids_that_no_run_can_have", &["runs.get", "runs.events"], true, ids),
    ]
}

fn whole(env: &Env) {
    env.within(|on| {
        let asked = Enqueue {
            project: Some("p1".to_owned()),
            idempotency_key: Some("clé 🗝".to_owned()),
            max_attempts: 5,
            priority: -7,
            timeout: Some(Duration::from_millis(1500)),
            requested_by: Some("ann".to_owned()),
            channel_id: Some("mail".to_owned()),
            conversation_id: Some("c-1".to_owned()),
            parent: Some("other".to_owned()),
            ..Enqueue::new("resize", json(r#"{"b":1.0,"a":[1e16,-0.0,"é"]}"#))
        };
        let run = on.runs().enqueue(&asked).unwrap();
        assert_eq!(run.input.as_str(), r#"{"a":[1e16,0.0,"é"],"b":1.0}"#);
        assert_eq!((run.kind.as_str(), run.project_id.as_deref()), ("resize", Some("p1")));
        assert_eq!((run.state, run.state_code, run.version), (RunState::Queued, 0, 1));
        assert_eq!((run.attempt, run.max_attempts, run.series, run.lease, run.priority), (0, 5, 1, 0, -7));
        assert_eq!(run.timeout, Some(Duration::from_millis(1500)));
        assert_eq!((run.requested_by.as_deref(), run.parent_id.as_deref()), (Some("ann"), Some("other")));
        assert_eq!((run.channel_id.as_deref(), run.conversation_id.as_deref()), (Some("mail"), Some("c-1")));
        assert_eq!((run.run_at, run.updated_at), (run.created_at, run.created_at));
        assert!(run.progress.is_null() && !run.deduplicated && run.claimed_by.is_none() && run.finished_at.is_none());
        assert_eq!(get(on.runs(), &run.id), run);
        let events = on.runs().events(&RunEvents::new(&run.id)).unwrap();
        assert_eq!((events.len(), events[0].kind.as_str(), events[0].seq), (1, "run.enqueued", 1));
        assert_eq!(events[0].payload.as_str(), r#"{"attempt":0,"from":null,"to":"queued"}"#);
        assert_eq!(serde_json::to_value(&run).unwrap()["timeout"], 1.5);
    });
}

fn answered(env: &Env) {
    env.within(|on| {
        let odd = Duration::from_nanos(1_500_000_999);
        let asked = [
            kind("a"),
            Enqueue { delay: Some(odd), timeout: Some(odd), ..kind("a") },
            Enqueue { run_at: Some("1999-12-31T23:59:59.5Z".parse().unwrap()), ..kind("a") },
            Enqueue {
                run_at: Some("2999-12-31T23:59:59Z".parse().unwrap()),
                project: Some("p".to_owned()),
                ..kind("a")
            },
            Enqueue { needs_approval: true, requested_by: Some("ann".to_owned()), ..kind("a") },
            Enqueue { idempotency_key: Some("k".to_owned()), priority: 7, ..kind("a") },
        ];
        for one in &asked {
            let run = on.runs().enqueue(one).unwrap();
            assert_eq!(run.timeout.is_some(), one.timeout.is_some());
            if one.delay.is_some() {
                assert_eq!(run.run_at.since(run.created_at), Duration::from_micros(1_500_000));
            }
            assert_eq!(get(on.runs(), &run.id), run);
        }
        let runs = on.runs().enqueue_many(&EnqueueMany::new(asked.to_vec())).unwrap();
        assert!(runs[5].deduplicated);
        for run in &runs[..5] {
            assert_eq!(&get(on.runs(), &run.id), run);
        }
    });
}

fn keyed(env: &Env) {
    env.within(|on| {
        let asked = Enqueue { idempotency_key: Some("k".to_owned()), ..kind("a") };
        let first = on.runs().enqueue(&asked).unwrap();
        let again = on.runs().enqueue(&asked).unwrap();
        assert!(!first.deduplicated && again.deduplicated);
        assert_eq!(again.id, first.id);
        let elsewhere = on.runs().enqueue(&Enqueue { project: Some("p".to_owned()), ..asked.clone() }).unwrap();
        assert!(elsewhere.id != first.id && !elsewhere.deduplicated, "no project is a project of its own");
        for other in [
            Enqueue { kind: "b".to_owned(), ..asked.clone() },
            Enqueue { input: json(r#"{"n":1.0}"#), ..asked.clone() },
        ] {
            assert_eq!(code(on.runs().enqueue(&other)), ErrorCode::Conflict);
        }
        let same = Enqueue { input: json(" {\"n\" : 1} "), priority: 3, ..asked };
        assert_eq!(on.runs().enqueue(&same).unwrap().priority, 0, "the first run stays as it is");
        assert_eq!(told(on.runs(), &first.id), ["run.enqueued"]);
    });
}

fn many(env: &Env) {
    env.within(|on| {
        let keyed = Enqueue { idempotency_key: Some("k".to_owned()), ..kind("a") };
        let items = vec![kind("a"), keyed.clone(), kind("b"), keyed.clone()];
        let runs = on.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
        let kinds: Vec<&str> = runs.iter().map(|run| run.kind.as_str()).collect();
        assert_eq!(kinds, ["a", "a", "b", "a"]);
        assert!(runs[3].deduplicated && runs[3].id == runs[1].id);
        let clash = EnqueueMany::new(vec![kind("new"), Enqueue { kind: "other".to_owned(), ..keyed }]);
        let error = on.runs().enqueue_many(&clash).unwrap_err();
        assert_eq!((error.code(), &error.details().unwrap()["item"]), (ErrorCode::Conflict, &1.into()));
        let bad = EnqueueMany::new(vec![kind("new"), kind("")]);
        assert!(on.runs().enqueue_many(&bad).unwrap_err().message().starts_with("item 1: "));
        assert_eq!(on.runs().list(&ListRuns::default()).unwrap().len(), 3, "nothing of the refused ones is there");
        assert!(on.runs().enqueue_many(&EnqueueMany::default()).unwrap().is_empty());
        let gated = |n: i64| Enqueue { needs_approval: n % 100 < 2, priority: n, ..kind("c") };
        let runs = on.runs().enqueue_many(&EnqueueMany::new((0..1201).map(gated).collect())).unwrap();
        assert!(runs.iter().map(|run| run.priority).eq(0..1201), "in the order they were given");
        let waiting = runs.iter().filter(|run| run.state == RunState::AwaitingApproval);
        assert!(waiting.clone().count() == 25 && waiting.clone().all(|run| run.priority % 100 < 2));
        assert_eq!(told(on.runs(), &runs[1].id), ["run.approval_requested"]);
        assert_eq!(told(on.runs(), &runs[1200].id), ["run.approval_requested"]);
        assert_eq!(told(on.runs(), &runs[1199].id), ["run.enqueued"]);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        let long = "x".repeat(513);
        let named = |name: &str| Some(name.to_owned());
        let now = "2024-01-01T00:00:00Z".parse().unwrap();
        let second = Some(Duration::from_secs(1));
        for bad in [
            kind(""),
            kind("a\0"),
            kind(&long),
            kind("sync/*"),
            Enqueue { project: named(""), ..kind("a") },
            Enqueue { project: named(&"p".repeat(129)), ..kind("a") },
            Enqueue { idempotency_key: named("a\nb"), ..kind("a") },
            Enqueue { requested_by: named(&long), ..kind("a") },
            Enqueue { channel_id: named(""), ..kind("a") },
            Enqueue { conversation_id: named("\u{85}"), ..kind("a") },
            Enqueue { parent: named(""), ..kind("a") },
            Enqueue { max_attempts: 0, ..kind("a") },
            Enqueue { run_at: Some(now), delay: second, ..kind("a") },
            Enqueue { delay: Some(Duration::MAX), ..kind("a") },
            Enqueue { timeout: Some(Duration::ZERO), ..kind("a") },
        ] {
            assert_eq!(code(on.runs().enqueue(&bad)), ErrorCode::InvalidArgument, "{bad:?}");
        }
        assert!(on.runs().list(&ListRuns::default()).unwrap().is_empty());
        let kept = Enqueue { max_attempts: i64::MAX, priority: i64::MIN, ..kind("🙂 a/b*") };
        assert_eq!(on.runs().enqueue(&kept).unwrap().priority, i64::MIN);
    });
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_payload_bytes: 10, ..env.options() });
    let of = |n: usize| Enqueue::new("a", json(&format!("\"{}\"", "x".repeat(n))));
    store.runs().enqueue(&of(8)).unwrap();
    let error = store.runs().enqueue(&of(9)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TooLarge);
    assert!(error.message().contains("11 bytes") && !error.message().contains("xxx"));
}

fn gated(env: &Env) {
    env.within(|on| {
        let run = on.runs().enqueue(&Enqueue { needs_approval: true, ..kind("a") }).unwrap();
        assert_eq!((run.state, run.state_code), (RunState::AwaitingApproval, 1));
        assert_eq!(told(on.runs(), &run.id), ["run.approval_requested"]);
        assert!(claims(on.runs(), &sprongus::runs::Claim::new("w")).is_empty());
    });
}

fn bound(env: &Env) {
    env.within(|on| {
        let definition = json(r#"{"type":"object","required":["file"],"properties":{"file":{"type":"string"}}}"#);
        on.presets().create(&CreatePreset::new("resize-in", PresetKind::RunInput, definition)).unwrap();
        let binding = BindRunPreset { kind: "resize".to_owned(), address: "resize-in".to_owned(), project: None };
        on.presets().bind_run(&binding).unwrap();
        let error = on.runs().enqueue(&Enqueue::new("resize", json(r#"{"file":7}"#))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Validation);
        assert_eq!(error.violations_list()[0].path, "/file");
        assert_eq!(code(on.runs().enqueue(&Enqueue::new("resize", Json::null()))), ErrorCode::Validation);
        on.runs().enqueue(&Enqueue::new("resize", json(r#"{"file":"a.png"}"#))).unwrap();
        put(on.runs(), "other");
        assert_eq!(on.runs().list(&ListRuns::default()).unwrap().len(), 2);
    });
}

fn walled(env: &Env) {
    let store = env.open();
    let free = put(store.runs(), "a");
    let other = store.runs().enqueue(&Enqueue { project: Some("q".to_owned()), ..kind("a") }).unwrap();
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    let own = put(mine.runs(), "a");
    assert_eq!(own.project_id.as_deref(), Some("p"));
    for hidden in [&free.id, &other.id] {
        assert_eq!(code(mine.runs().get(&GetRun::new(hidden))), ErrorCode::NotFound);
        assert_eq!(code(mine.runs().events(&RunEvents::new(hidden))), ErrorCode::NotFound);
        assert_eq!(code(mine.runs().cancel(&sprongus::runs::Cancel::new(hidden))), ErrorCode::NotFound);
    }
    let named = Enqueue { project: Some("q".to_owned()), ..kind("a") };
    assert_eq!(code(mine.runs().enqueue(&named)), ErrorCode::PermissionDenied);
    let listed = mine.runs().list(&ListRuns::default()).unwrap();
    assert_eq!(listed.iter().map(|run| &run.id).collect::<Vec<_>>(), [&own.id]);
    let all = sprongus::runs::Claim { limit: 10, ..sprongus::runs::Claim::new("w") };
    assert_eq!(claims(mine.runs(), &all), std::slice::from_ref(&own.id));
    let theirs = store.runs().claim_next(&all).unwrap();
    let stale = sprongus::runs::Succeed::new(&theirs[0].id, theirs[0].lease);
    assert_eq!(code(mine.runs().succeed(&stale)), ErrorCode::NotFound);
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(reader.runs().enqueue(&kind("a"))), ErrorCode::PermissionDenied);
    let writer = store.scoped("p", &[Scope::RunsWrite]).unwrap();
    assert_eq!(code(writer.runs().get(&GetRun::new(&own.id))), ErrorCode::PermissionDenied);
}

fn own(env: &Env) {
    let store = env.open();
    let other = store.runs().enqueue(&Enqueue { project: Some("q".to_owned()), ..kind("a") }).unwrap();
    let admin = store.scoped("p", &[Scope::Admin]).unwrap();
    let mine = put(admin.runs(), "a");
    let listed = |project: Option<&str>| {
        let request = ListRuns { project: project.map(str::to_owned), ..ListRuns::default() };
        admin.runs().list(&request).unwrap().iter().map(|run| run.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!((listed(None), listed(Some("q"))), (vec![mine.id.clone()], vec![other.id.clone()]));
    let all = sprongus::runs::Claim { limit: 10, ..sprongus::runs::Claim::new("w") };
    assert_eq!(claims(admin.runs(), &all), [mine.id]);
    let named = sprongus::runs::Claim { projects: Some(vec!["q".to_owned()]), ..all };
    assert_eq!(claims(admin.runs(), &named), [other.id], "admin lifts the wall for what is named");
}

fn ids(env: &Env) {
    env.within(|on| {
        for bad in ["", "a\0", "a\n", &"x".repeat(129)] {
            assert_eq!(code(on.runs().get(&GetRun::new(bad))), ErrorCode::InvalidArgument);
            assert_eq!(code(on.runs().events(&RunEvents::new(bad))), ErrorCode::InvalidArgument);
        }
        for none in ["x", "' OR 1=1 --", "🙂", "01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert_eq!(code(on.runs().get(&GetRun::new(none))), ErrorCode::NotFound);
        }
    });
}
