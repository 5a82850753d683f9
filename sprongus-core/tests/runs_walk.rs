//! Random walks over the operations on runs: SQLite and PostgreSQL answer every step alike, errors included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use sprongus::clock::testing::ManualClock;
use sprongus::{Error, Options, Scope, Store, Tx, ops};
use sprongus_testkit::Postgres;

/// Long enough that walks meet themselves: keys taken, leases run out, runs reported twice.
const STEPS: usize = 120;

/// A store, its clock, and the ids it has given, by the order in which they first showed.
struct Walker {
    store: Store,
    scoped: Store,
    clock: ManualClock,
    names: HashMap<String, usize>,
    runs: Vec<String>,
}

impl Walker {
    fn new(url: &str, schema: Option<String>) -> Self {
        let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        // Tried again at once where nothing else was said: chance would part the two.
        let backoff_base = Duration::ZERO;
        let actor = Some("host".into());
        let options = Options { clock: Arc::new(clock.clone()), schema, actor, backoff_base, ..Options::default() };
        let store = Store::open(url, options).unwrap();
        let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
        Self { store, scoped, clock, names: HashMap::new(), runs: Vec::new() }
    }

    /// The answer with every ULID replaced by its number.
    fn told(&mut self, answer: Result<String, Error>) -> String {
        let mut text = answer.unwrap_or_else(|error| error.to_json().to_string());
        if let Some((page, _)) = text.split_once("\"nextCursor\":\"") {
            text = format!("{page} and more");
        }
        let mut told = String::new();
        for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let (bare, end) = match word.strip_suffix(|c: char| !c.is_ascii_alphanumeric()) {
                Some(bare) => (bare, &word[bare.len()..]),
                None => (word, ""),
            };
            if bare.len() == 26 && bare.starts_with("01") {
                let next = self.names.len();
                let number = *self.names.entry(bare.to_owned()).or_insert(next);
                told.push_str(&format!("#{number}{end}"));
            } else {
                told.push_str(word);
            }
        }
        told
    }

    /// Remembers the runs that an answer names, for later steps.
    fn remember(&mut self, answer: &str) {
        let Ok(answer) = serde_json::from_str::<Value>(answer) else { return };
        let one = std::slice::from_ref(&answer);
        for run in answer.as_array().map_or(one, Vec::as_slice) {
            let id = run["id"].as_str().filter(|_| run.get("maxAttempts").is_some());
            if let Some(id) = id.filter(|id| !self.runs.iter().any(|known| known == id)) {
                self.runs.push(id.to_owned());
            }
        }
    }
}

/// Something a step picks out of a few.
fn one<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())].clone()
}

fn item(rng: &mut Rng) -> Value {
    let mut item = json!({
        "kind": one(rng, &["a", "b", "s/x", "s/y"]),
        "input": one(rng, &[json!(null), json!({"n": 1}), json!({"n": 1.0}), json!([1e16, "é"])]),
        "priority": one(rng, &[0, 0, 5, i64::MIN, i64::MAX]),
        "maxAttempts": rng.i64(0..4),
    });
    let mut maybe = |name: &str, of: &[Value]| {
        if rng.u8(..4) == 0 {
            item[name] = one(rng, of);
        }
    };
    maybe("project", &[json!("p"), json!("q")]);
    maybe("idempotencyKey", &[json!("k1"), json!("k2"), json!("k3")]);
    maybe("delay", &[json!(0), json!(5), json!(3_153_600_000_i64), json!(0.000_000_1)]);
    let times = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-01-01T00:00:20Z"];
    maybe("runAt", &times.map(Value::from));
    maybe("needsApproval", &[json!(true)]);
    maybe("timeout", &[json!(1), json!(0)]);
    item
}

fn claim(rng: &mut Rng) -> Value {
    let mut claim = json!({
        "workerId": one(rng, &["w1", "w2"]),
        "limit": rng.i64(0..4),
        "lease": one(rng, &[json!(3), json!(60), json!(3_153_600_000_i64)]),
        "dispatch": rng.u8(..4) == 0,
    });
    let kinds =
        [json!(["a"]), json!(["a", "b"]), json!(["s/*"]), json!(["s/*", "b", "s/x"]), json!([]), json!(["none"])];
    if rng.bool() {
        claim["kinds"] = one(rng, &kinds);
    }
    if rng.u8(..4) == 0 {
        claim["projects"] = one(rng, &[json!(["p"]), json!(["p", "q"]), json!(["q"]), json!([])]);
    }
    claim
}

fn list(rng: &mut Rng) -> Value {
    let mut list = json!({ "order": one(rng, &["newest", "oldest"]), "limit": rng.i64(0..6) });
    let mut maybe = |name: &str, of: &[Value]| {
        if rng.u8(..3) == 0 {
            list[name] = one(rng, of);
        }
    };
    maybe("state", &[json!(["queued"]), json!(["running", "failed"]), json!([])]);
    maybe("kind", &[json!(["a", "s/x"]), json!(["none"])]);
    maybe("project", &[json!("p"), json!("q")]);
    maybe("since", &["2026-01-01T00:00:10Z".into()]);
    maybe("before", &["2026-01-01T00:00:10+00:00".into()]);
    list
}

/// The next operation and its request; `#n` stands for the n-th run.
fn step(rng: &mut Rng) -> (&'static str, Value) {
    let id = format!("#{}", rng.usize(..12));
    let lease = rng.i64(0..4);
    match rng.u8(..22) {
        0..=2 => ("runs.enqueue", item(rng)),
        3 => ("runs.enqueue_many", json!({ "items": (0..rng.usize(0..5)).map(|_| item(rng)).collect::<Vec<_>>() })),
        4..=6 => ("runs.claim_next", claim(rng)),
        7 => ("runs.start", json!({ "id": id, "lease": lease })),
        8 => ("runs.heartbeat", json!({ "id": id, "lease": lease, "progress": [rng.u8(..3)], "extend": rng.u8(..9) })),
        9 => (
            "runs.succeed",
            json!({ "id": id, "lease": lease, "output": one(rng, &[json!(null), json!({"b": 1, "a": -0.0})]) }),
        ),
        10 => {
            let retry = json!({ "id": id, "lease": lease, "error": "no\u{0} luck", "retryIn": rng.u8(..8) });
            ("runs.fail", one(rng, &[retry, json!({ "id": id, "lease": lease, "error": "bad", "retryable": false })]))
        }
        11 => ("runs.cancel", json!({ "id": id, "reason": "enough" })),
        12 => ("runs.rescue", json!({ "limit": rng.i64(0..3) })),
        13 => ("runs.list", list(rng)),
        14 => ("runs.events", json!({ "id": id })),
        15 => ("runs.output", json!({ "id": id })),
        16 => ("runs.snooze", json!({ "id": id, "lease": lease, "delay": rng.u8(..8) })),
        17 => ("runs.retry", json!({ "id": id })),
        18 => many(rng),
        19 => (
            "runs.find_idempotent",
            json!({ "key": one(rng, &["k1", "k2", "k3"]), "project": one(rng, &[None, Some("p")]) }),
        ),
        20 => {
            let decide = json!({ "runId": id, "by": "eve", "scope": one(rng, &["run", "deploy"]), "note": "as seen" });
            (one(rng, &["approvals.approve", "approvals.approve", "approvals.deny"]), decide)
        }
        _ => one(
            rng,
            &[
                (
                    "approvals.request",
                    json!({ "id": id, "lease": lease, "scope": "deploy", "intentSummary": "put it out" }),
                ),
                ("runs.save_step", json!({ "id": id, "lease": lease, "name": "one", "output": [lease] })),
                ("runs.find_step", json!({ "id": id, "lease": lease, "name": "one" })),
                ("runs.steps", json!({ "id": id })),
            ],
        ),
    }
}

/// Reports on several runs, some of them twice.
fn many(rng: &mut Rng) -> (&'static str, Value) {
    let fails = rng.bool();
    let mut item = || {
        let mut item = json!({ "id": format!("#{}", rng.usize(..8)), "lease": rng.i64(0..4) });
        match fails {
            true => item["error"] = one(rng, &["no", "\u{1}é"]).into(),
            false => item["output"] = one(rng, &[json!(null), json!({ "b": 1e16, "a": 1 })]),
        }
        item
    };
    let items: Vec<Value> = (0..5).map(|_| item()).collect();
    (if fails { "runs.fail_many" } else { "runs.succeed_many" }, json!({ "items": items }))
}

/// Puts in the ids of the runs that `#n` stands for.
fn named(walker: &Walker, request: &mut Value) {
    match request {
        Value::String(text) if text.starts_with('#') => {
            let run = walker.runs.get(text[1..].parse::<usize>().unwrap());
            *request = run.map_or("none", String::as_str).into();
        }
        Value::Array(items) => items.iter_mut().for_each(|item| named(walker, item)),
        Value::Object(members) => members.values_mut().for_each(|member| named(walker, member)),
        _ => {}
    }
}

fn answer(walker: &mut Walker, on: &dyn ops::Target, name: &str, mut request: Value) -> String {
    named(walker, &mut request);
    let answer = ops::call(on, name, request.to_string().as_bytes());
    if let Ok(answer) = &answer {
        walker.remember(answer);
    }
    walker.told(answer)
}

/// Some steps in a transaction, savepoints within, each kept or undone.
fn nested(walker: &mut Walker, rng: &mut Rng, tx: &Tx<'_>, depth: usize, told: &mut Vec<String>) {
    for _ in 0..rng.usize(1..5) {
        if depth < 3 && rng.u8(..4) == 0 {
            let inner = tx.savepoint().unwrap();
            nested(walker, rng, &inner, depth + 1, told);
            if rng.bool() { inner.commit().unwrap() } else { inner.rollback().unwrap() }
        } else {
            let (name, request) = step(rng);
            told.push(format!("{depth} {name} {request}: {}", answer(walker, tx, name, request.clone())));
        }
    }
}

fn walk(mut walker: Walker, seed: u64) -> Vec<String> {
    let rng = &mut Rng::with_seed(seed);
    let mut told = Vec::new();
    for _ in 0..STEPS {
        match rng.u8(..12) {
            0 => walker.clock.advance(Duration::from_secs(rng.u64(0..7))),
            1 => {
                let tx = walker.store.begin().unwrap();
                nested(&mut walker, rng, &tx, 1, &mut told);
                if rng.bool() { tx.commit().unwrap() } else { drop(tx) }
            }
            which => {
                let on = if which == 2 { walker.scoped.clone() } else { walker.store.clone() };
                let (name, request) = step(rng);
                told.push(format!("{which} {name} {request}: {}", answer(&mut walker, &on, name, request.clone())));
            }
        }
    }
    told
}

#[test]
fn both_databases_answer_every_step_alike() {
    let walks = std::env::var("SPRONGUS_WALKS").ok().and_then(|walks| walks.parse().ok()).unwrap_or(16);
    let mut answered = 0;
    for seed in 0..walks {
        let here = walk(Walker::new(":memory:", None), seed);
        let schema = format!("walk_{}_{seed}", std::process::id());
        let there = walk(Walker::new(Postgres::shared().url(), Some(schema)), seed);
        for (at, (here, there)) in here.iter().zip(&there).enumerate() {
            assert_eq!(here, there, "seed {seed}, step {at}");
        }
        assert_eq!(here.len(), there.len());
        answered += here.iter().filter(|line| line.contains("\"version\"")).count();
    }
    assert!(answered > 20 * usize::try_from(walks).unwrap(), "most steps do something: {answered}");
}
