//! Messages from outside: each processed once, with or without a run.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use sprongus::inbox::{Accept, Accepted};
use sprongus::presets::{BindRunPreset, CreatePreset, PresetKind};
use sprongus::runs::{Enqueue, ListRuns, Succeed};
use sprongus::{Error, ErrorCode, Options, RunState, Scope};
use sprongus_conformance::{Case, Env};

use crate::runs::{claim_one, code, eight, get, json, kind, picture, told};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("inbox::a_message_is_taken_once", true, once),
        case("inbox::its_run_is_enqueued_with_it", true, runs),
        case("inbox::a_repeat_is_answered_whatever_it_brings", true, repeats),
        case("inbox::what_is_refused_was_not_taken", true, refused),
        case("inbox::a_run_under_its_key_is_the_messages", true, keyed),
        case("inbox::a_run_may_wait_at_its_gate", true, gated),
        case("inbox::bad_messages_write_nothing", true, bad),
        case("inbox::inputs_have_a_size", false, sized),
        case("inbox::a_run_that_is_gone_leaves_its_message", true, pruned),
        case("inbox::projects_are_apart", false, walled),
        case("inbox::goes_with_its_transaction", false, undone),
        case("inbox::eight_accept_the_same_message", false, race),
        case("inbox::a_rival_that_rolls_back_leaves_the_message", false, rolled_back),
    ]
}

fn case(name: &'static str, transactional: bool, run: fn(&Env)) -> Case {
    Case { name, covers: &["inbox.accept"], transactional, run }
}

fn with(message: &str, enqueue: Enqueue) -> Accept {
    Accept { enqueue: Some(enqueue), ..Accept::new("mail", message) }
}

fn once(env: &Env) {
    env.within(|on| {
        let accept = |channel: &str, message: &str, project: Option<&str>| {
            let project = project.map(str::to_owned);
            on.inbox().accept(&Accept { project, ..Accept::new(channel, message) }).unwrap()
        };
        for (channel, message, project) in [
            ("mail", "1", None),
            ("mail", "2", None),
            ("chat", "1", None),
            ("mail", "1", Some("p")),
            ("Mail", "1", None),
            ("mail", "1 ", None),
        ] {
            assert_eq!(accept(channel, message, project), Accepted { run: None, first: true });
            let before = picture(on);
            assert_eq!(accept(channel, message, project), Accepted { run: None, first: false });
            assert_eq!(picture(on), before);
        }
        assert!(on.runs().list(&ListRuns::default()).unwrap().is_empty());
    });
}

fn runs(env: &Env) {
    env.within(|on| {
        let mail = Accept { project: Some("p".to_owned()), ..with("1", kind("reply")) };
        let first = on.inbox().accept(&mail).unwrap();
        let run = first.run.unwrap();
        assert!(first.first && !run.deduplicated);
        assert_eq!((run.kind.as_str(), run.project_id.as_deref()), ("reply", Some("p")), "the message's project");
        assert_eq!(get(on.runs(), &run.id), run);
        assert_eq!(told(on.runs(), &run.id), ["run.enqueued"]);
        let named = Enqueue { project: Some("p".to_owned()), ..kind("reply") };
        let again = on.inbox().accept(&Accept { project: Some("p".to_owned()), ..with("1", named) }).unwrap();
        assert_eq!(again, Accepted { run: Some(run), first: false });
        let claimed = claim_one(on.runs());
        let done = on.runs().succeed(&Succeed::new(&claimed.id, claimed.lease)).unwrap();
        assert_eq!(on.inbox().accept(&mail).unwrap().run, Some(done), "as it is now");
        assert_eq!(on.runs().list(&ListRuns::default()).unwrap().len(), 1);
    });
}

fn repeats(env: &Env) {
    env.within(|on| {
        bind(on.presets());
        let taken = Enqueue { idempotency_key: Some("k".to_owned()), ..kind("other") };
        on.runs().enqueue(&taken).unwrap();
        let first = on.inbox().accept(&with("1", kind("reply"))).unwrap();
        let silent = on.inbox().accept(&Accept::new("mail", "2")).unwrap();
        let before = picture(on);
        let huge = json(&format!("\"{}\"", "x".repeat(1 << 20)));
        for enqueue in [
            kind("another"),
            Enqueue::new("reply", huge),
            Enqueue::new("judged", json("7")),
            Enqueue { idempotency_key: Some("k".to_owned()), ..kind("reply") },
        ] {
            let again = on.inbox().accept(&with("1", enqueue.clone())).unwrap();
            assert_eq!((&again.run, again.first), (&first.run, false));
            let again = on.inbox().accept(&with("2", enqueue)).unwrap();
            assert_eq!((&again.run, again.first), (&silent.run, false), "one without a run stays without");
        }
        assert_eq!(on.inbox().accept(&Accept::new("mail", "1")).unwrap().run, first.run);
        assert_eq!(code(on.inbox().accept(&with("1", kind("")))), ErrorCode::InvalidArgument, "no name is no request");
        assert_eq!(picture(on), before);
    });
}

/// Runs of the kind `judged` have an object as their input.
fn bind(presets: sprongus::presets::Presets<'_>) {
    let definition = json(r#"{"type":"object"}"#);
    presets.create(&CreatePreset::new("judged-in", PresetKind::RunInput, definition)).unwrap();
    let binding = BindRunPreset { kind: "judged".to_owned(), address: "judged-in".to_owned(), project: None };
    presets.bind_run(&binding).unwrap();
}

fn refused(env: &Env) {
    env.within(|on| {
        bind(on.presets());
        let taken = Enqueue { idempotency_key: Some("k".to_owned()), ..kind("other") };
        on.runs().enqueue(&taken).unwrap();
        let before = picture(on);
        let clash = Enqueue { idempotency_key: Some("k".to_owned()), ..kind("reply") };
        let huge = json(&format!("\"{}\"", "x".repeat(1 << 20)));
        for (enqueue, refused) in [
            (Enqueue::new("judged", json("7")), ErrorCode::Validation),
            (clash, ErrorCode::Conflict),
            (Enqueue::new("reply", huge), ErrorCode::TooLarge),
        ] {
            assert_eq!(code(on.inbox().accept(&with("1", enqueue))), refused);
        }
        assert_eq!(picture(on), before);
        let good = on.inbox().accept(&with("1", Enqueue::new("judged", json("{}")))).unwrap();
        assert!(good.first && good.run.is_some(), "it may come again");
    });
}

fn keyed(env: &Env) {
    env.within(|on| {
        let enqueue = Enqueue { idempotency_key: Some("k".to_owned()), ..kind("reply") };
        let run = on.runs().enqueue(&enqueue).unwrap();
        let first = on.inbox().accept(&with("1", enqueue.clone())).unwrap();
        assert!(first.first && first.run.as_ref().unwrap().deduplicated);
        let again = on.inbox().accept(&with("1", kind("reply"))).unwrap();
        assert_eq!(again, Accepted { run: Some(run), first: false });
        assert!(on.inbox().accept(&with("2", enqueue)).unwrap().first, "another message may have the same run");
        assert_eq!(on.runs().list(&ListRuns::default()).unwrap().len(), 1);
    });
}

fn gated(env: &Env) {
    env.within(|on| {
        let enqueue = Enqueue { needs_approval: true, ..kind("reply") };
        let run = on.inbox().accept(&with("1", enqueue)).unwrap().run.unwrap();
        assert_eq!(run.state, RunState::AwaitingApproval);
        on.approvals().approve(&sprongus::runs::approvals::Decide::new(&run.id, "ann")).unwrap();
        assert_eq!(claim_one(on.runs()).id, run.id);
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        let before = picture(on);
        let project = |name: &str| Some(name.to_owned());
        let elsewhere = Enqueue { project: project("q"), ..kind("a") };
        for name in ["", "a\0", "a\nb", "\u{85}", &"x".repeat(513)] {
            assert_eq!(code(on.inbox().accept(&Accept::new(name, "1"))), ErrorCode::InvalidArgument, "{name:?}");
            assert_eq!(code(on.inbox().accept(&Accept::new("mail", name))), ErrorCode::InvalidArgument);
            assert_eq!(code(on.inbox().accept(&with("1", kind(name)))), ErrorCode::InvalidArgument);
        }
        for bad in [
            Accept { project: project(""), ..Accept::new("mail", "1") },
            Accept { project: project(&"p".repeat(129)), ..Accept::new("mail", "1") },
            with("1", elsewhere.clone()),
            Accept { project: project("p"), ..with("1", elsewhere) },
            with("1", Enqueue { max_attempts: 0, ..kind("a") }),
            with("1", Enqueue { delay: Some(Duration::MAX), ..kind("a") }),
        ] {
            assert_eq!(code(on.inbox().accept(&bad)), ErrorCode::InvalidArgument, "{bad:?}");
        }
        assert_eq!(picture(on), before);
        assert!(on.inbox().accept(&Accept::new("é 🙂", "x".repeat(512))).unwrap().first);
    });
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_payload_bytes: 10, ..env.options() });
    let of = |text: &str| with("1", Enqueue::new("a", json(text)));
    assert_eq!(code(store.inbox().accept(&of(r#""123456789""#))), ErrorCode::TooLarge);
    assert!(store.inbox().accept(&of(r#""12345678""#)).unwrap().first);
    assert!(!store.inbox().accept(&of(r#""123456789""#)).unwrap().first);
}

fn pruned(env: &Env) {
    env.within(|on| {
        let run = on.inbox().accept(&with("1", kind("a"))).unwrap().run.unwrap();
        on.execute("DELETE FROM sprongus_runs WHERE id = $1", &[(&run.id).into()]).unwrap();
        let again = on.inbox().accept(&with("1", kind("a"))).unwrap();
        assert_eq!(again, Accepted { run: None, first: false }, "it is not processed again");
    });
}

fn walled(env: &Env) {
    let store = env.open();
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    let other = store.scoped("q", Scope::DEFAULT).unwrap();
    let own = mine.inbox().accept(&with("1", kind("a"))).unwrap();
    assert_eq!(own.run.as_ref().unwrap().project_id.as_deref(), Some("p"), "no project means the handle's own");
    for stranger in [&store, &other] {
        let theirs = stranger.inbox().accept(&with("1", kind("a"))).unwrap();
        assert!(theirs.first && theirs.run != own.run);
    }
    let named = Accept { project: Some("q".to_owned()), ..Accept::new("mail", "1") };
    assert_eq!(code(mine.inbox().accept(&named)), ErrorCode::PermissionDenied);
    let elsewhere = with("2", Enqueue { project: Some("q".to_owned()), ..kind("a") });
    assert_eq!(code(mine.inbox().accept(&elsewhere)), ErrorCode::InvalidArgument);
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(reader.inbox().accept(&Accept::new("mail", "9"))), ErrorCode::PermissionDenied);
}

fn undone(env: &Env) {
    let store = env.open();
    let undone: Result<(), Error> = store.transaction(|tx| {
        assert!(tx.inbox().accept(&with("1", kind("a")))?.first);
        assert!(!tx.inbox().accept(&with("1", kind("a")))?.first);
        Err(Error::misuse("enough"))
    });
    undone.unwrap_err();
    assert!(store.runs().list(&ListRuns::default()).unwrap().is_empty());
    let kept = store.transaction(|tx| tx.inbox().accept(&with("1", kind("a")))).unwrap();
    assert!(kept.first);
    assert_eq!(store.inbox().accept(&with("1", kind("a"))).unwrap(), Accepted { first: false, ..kept });
}

fn race(env: &Env) {
    let store = env.open();
    let given = eight(env, &store, |store| {
        let messages = ["1", "2", "3", "4", "5"];
        messages.map(|message| store.inbox().accept(&with(message, kind("a"))).unwrap())
    });
    for at in 0..5 {
        let all: Vec<&Accepted> = given.iter().map(|own| &own[at]).collect();
        assert_eq!(all.iter().filter(|accepted| accepted.first).count(), 1);
        let ids: BTreeSet<&String> = all.iter().map(|accepted| &accepted.run.as_ref().unwrap().id).collect();
        assert_eq!(ids.len(), 1, "all get the run of the first");
    }
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 5);
    let silent = eight(env, &store, |store| store.inbox().accept(&Accept::new("chat", "1")).unwrap());
    assert_eq!(silent.iter().filter(|accepted| accepted.first).count(), 1);
}

fn rolled_back(env: &Env) {
    let store = env.open();
    for accept in [with("1", kind("a")), Accept::new("mail", "2")] {
        let (held, go) = mpsc::channel();
        std::thread::scope(|scope| {
            let rival = scope.spawn(|| {
                let tx = store.begin().unwrap();
                let first = tx.inbox().accept(&accept).unwrap();
                held.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(300));
                tx.rollback().unwrap();
                first
            });
            go.recv().unwrap();
            let second = store.inbox().accept(&accept).unwrap();
            let gone = rival.join().unwrap();
            assert!(gone.first && second.first);
            assert!(second.run.is_none() || second.run != gone.run);
        });
    }
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 1);
}
