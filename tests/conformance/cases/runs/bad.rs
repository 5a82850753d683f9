//! Bad input: a clear error with a stable code, nothing written, no crash. By name, so through the JSON door too.

use serde_json::{Value, json};
use sprongus::runs::{Fail, GetRun, Heartbeat};
use sprongus::{ErrorCode, Options, Store, ops};
use sprongus_conformance::{Case, Env, Face};

use super::{case, claim_one, code, get, put, told};

pub(super) fn cases() -> Vec<Case> {
    const ALL: &[&str] = &[
        "runs.enqueue",
        "runs.enqueue_many",
        "runs.claim_next",
        "runs.start",
        "runs.heartbeat",
        "runs.succeed",
        "runs.fail",
        "runs.snooze",
        "runs.succeed_many",
        "runs.fail_many",
        "runs.cancel",
        "runs.retry",
        "runs.rescue",
        "runs.list",
        "runs.get",
        "runs.events",
        "runs.output",
        "runs.find_idempotent",
    ];
    vec![
        case("runs::bad_requests_by_name_write_nothing", ALL, false, by_name),
        case("runs::progress_that_is_not_json", &["runs.heartbeat"], false, progress),
        case("runs::errors_of_ten_megabytes_are_cut", &["runs.fail", "runs.fail_many"], false, long_errors),
        case("runs::times_at_the_ends_of_the_calendar", &["runs.enqueue", "runs.list"], false, times),
        case("runs::reports_of_runs_that_there_are_not", ALL, true, strangers),
    ]
}

fn call(store: &Store, name: &str, request: &Value) -> Result<Value, ErrorCode> {
    let answer = ops::call(store, name, request.to_string().as_bytes());
    answer.map(|text| serde_json::from_str(&text).unwrap()).map_err(|error| error.code())
}

/// All that is stored of runs.
fn stored(store: &Store) -> Vec<Vec<sprongus::Value<'static>>> {
    let mut rows = Vec::new();
    for (table, order) in [("sprongus_runs", "id"), ("sprongus_events", "subject, seq"), ("sprongus_artifacts", "id")] {
        let all = store.query(&format!("SELECT * FROM {table} ORDER BY {order}"), &[]).unwrap();
        rows.extend(all.iter().map(|row| row.values().to_vec()));
    }
    rows
}

/// Requests that are refused, `ID` and `LEASE` standing for a running run.
fn refused() -> Vec<(&'static str, Value)> {
    let long = "x".repeat(513);
    let long_id = "x".repeat(129);
    let of = |more: Value| {
        let mut request = json!({ "id": "ID", "lease": "LEASE" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let mut all = Vec::new();
    for kind in ["", "a\0", "a\n", "a/*", "\u{7f}", "\u{9f}", &long] {
        all.push(("runs.enqueue", json!({ "kind": kind })));
        all.push(("runs.enqueue_many", json!({ "items": [{ "kind": "a" }, { "kind": kind }] })));
    }
    for (name, bad) in [
        ("delay", json!(-1)),
        ("delay", json!(3_153_600_001_i64)),
        ("delay", json!("1")),
        ("timeout", json!(-0.5)),
        ("timeout", json!(0)),
        ("timeout", json!(1e300)),
        ("maxAttempts", json!(0)),
        ("maxAttempts", json!(-1)),
        ("maxAttempts", json!(1.5)),
        ("maxAttempts", json!(9_223_372_036_854_775_808_u64)),
        ("priority", json!(1e30)),
        ("priority", json!("high")),
        ("runAt", json!("yesterday")),
        ("runAt", json!("10000-01-01T00:00:00Z")),
        ("runAt", json!("+12026-01-01T00:00:00Z")),
        ("runAt", json!("2026-13-01T00:00:00Z")),
        ("runAt", json!("2026-01-01")),
        ("runAt", json!(0)),
        ("idempotencyKey", json!("")),
        ("idempotencyKey", json!(long)),
        ("idempotencyKey", json!("a\u{1}")),
        ("project", json!("")),
        ("project", json!(long_id)),
        ("project", json!("a\r")),
        ("parent", json!("")),
        ("parent", json!(long_id)),
        ("parent", json!("a\0")),
        ("requestedBy", json!("")),
        ("channelId", json!(long)),
        ("conversationId", json!("\u{85}")),
        ("needsApproval", json!("yes")),
        ("unknown", json!(1)),
        ("kind", json!(null)),
    ] {
        let mut request = json!({ "kind": "a" });
        request[name] = bad;
        all.push(("runs.enqueue_many", json!({ "items": [{ "kind": "a" }, request.clone()] })));
        all.push(("runs.enqueue", request));
    }
    all.push(("runs.enqueue", json!({ "kind": "a", "delay": 1, "runAt": "2026-01-01T00:00:00Z" })));
    for (name, bad) in [
        ("workerId", json!("")),
        ("workerId", json!(long)),
        ("workerId", json!("a\0")),
        ("kinds", json!([""])),
        ("kinds", json!([long])),
        ("kinds", json!("a")),
        ("kinds", json!(vec!["a"; 201])),
        ("limit", json!(-1)),
        ("limit", json!(1001)),
        ("limit", json!(1.5)),
        ("lease", json!(0)),
        ("lease", json!(-1)),
        ("lease", json!(1e300)),
        ("projects", json!([""])),
        ("projects", json!(vec!["p"; 1001])),
        ("dispatch", json!(1)),
    ] {
        let mut request = json!({ "workerId": "w" });
        request[name] = bad;
        all.push(("runs.claim_next", request));
    }
    for (name, more) in [
        ("runs.heartbeat", json!({ "extend": 0 })),
        ("runs.heartbeat", json!({ "extend": -1 })),
        ("runs.heartbeat", json!({ "extend": 3_153_600_001_i64 })),
        ("runs.heartbeat", json!({ "lease": "1" })),
        ("runs.succeed", json!({ "output": 1, "outputRef": "s3://b/k" })),
        ("runs.succeed", json!({ "outputRef": "" })),
        ("runs.succeed", json!({ "outputRef": "x".repeat(4097) })),
        ("runs.succeed", json!({ "outputRef": "a\0" })),
        ("runs.succeed", json!({ "lease": 1.5 })),
        ("runs.fail", json!({})),
        ("runs.fail", json!({ "error": 1 })),
        ("runs.fail", json!({ "error": "x", "retryIn": -1 })),
        ("runs.fail", json!({ "error": "x", "retryIn": 1e300 })),
        ("runs.fail", json!({ "error": "x", "retryIn": 1, "retryable": false })),
        ("runs.snooze", json!({})),
        ("runs.snooze", json!({ "delay": -1 })),
        ("runs.snooze", json!({ "delay": 3_153_600_001_i64 })),
        ("runs.snooze", json!({ "delay": null })),
        ("runs.start", json!({ "extra": 1 })),
    ] {
        all.push((name, of(more)));
    }
    for name in ["runs.cancel", "runs.retry", "runs.get", "runs.events", "runs.output"] {
        all.extend(["", "a\0", "a\u{1b}", &long_id].map(|id| (name, json!({ "id": id }))));
    }
    for name in ["runs.start", "runs.heartbeat", "runs.succeed"] {
        all.extend(["", "a\0", &long_id].map(|id| (name, json!({ "id": id, "lease": 1 }))));
    }
    all.extend(["", "a\0", &long].map(|key| ("runs.find_idempotent", json!({ "key": key }))));
    all.extend([-1, 1001].map(|limit| ("runs.rescue", json!({ "limit": limit }))));
    for bad in [
        json!({ "limit": -1 }),
        json!({ "limit": 1001 }),
        json!({ "state": ["gone"] }),
        json!({ "kind": [""] }),
        json!({ "since": "10000-01-01T00:00:00Z" }),
        json!({ "parent": "" }),
        json!({ "parent": long_id }),
        json!({ "channelId": "a\0" }),
        json!({ "cursor": "x" }),
        json!({ "order": "random" }),
        json!({ "project": "" }),
    ] {
        all.push(("runs.list", bad));
    }
    for name in ["runs.succeed_many", "runs.fail_many"] {
        let item = json!({ "id": "ID", "lease": "LEASE", "error": "x" });
        all.push((name, json!({ "items": vec![item; 1001] })));
        all.push((name, json!({ "items": [{ "id": "ID" }] })));
        all.push((name, json!({ "items": [{ "id": "ID", "lease": "LEASE", "error": "x", "unknown": 1 }] })));
    }
    all
}

fn by_name(env: &Env) {
    let store = env.open();
    put(store.runs(), "a");
    let run = claim_one(store.runs());
    let before = stored(&store);
    let mut tried = 0;
    for (name, mut request) in refused() {
        fill(&mut request, &run);
        let shown = format!("{name} {:.120}", request.to_string());
        // NUL is no JSON of ours, whatever it stands in.
        let nul = request.to_string().contains("\\u0000");
        let code = if nul { ErrorCode::Validation } else { ErrorCode::InvalidArgument };
        assert_eq!(call(&store, name, &request), Err(code), "{shown}");
        tried += 1;
    }
    assert_eq!(stored(&store), before, "nothing was written");
    assert!(tried > 150, "{tried}");
}

fn fill(request: &mut Value, run: &sprongus::Run) {
    match request {
        Value::String(text) if text == "ID" => *text = run.id.clone(),
        Value::String(text) if text == "LEASE" => *request = run.lease.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, run)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, run)),
        _ => {}
    }
}

fn progress(env: &Env) {
    let store = env.open_with(Options { max_payload_bytes: 1000, ..env.options() });
    let id = put(store.runs(), "a").id;
    let lease = claim_one(store.runs()).lease;
    let before = stored(&store);
    for bad in ["{", "nul", "01", "[1,]", "\"\\u0000\"", "NaN", "{\"a\":1,\"a\":2}", "1e999", "\u{1}"] {
        let request = format!(r#"{{"id":"{id}","lease":{lease},"progress":{bad}}}"#);
        let answer = ops::call(&store, "runs.heartbeat", request.as_bytes()).unwrap_err();
        assert!(matches!(answer.code(), ErrorCode::InvalidArgument | ErrorCode::Validation), "{bad}: {answer}");
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    let request = format!(r#"{{"id":"{id}","lease":{lease},"progress":{deep}}}"#);
    ops::call(&store, "runs.heartbeat", request.as_bytes()).unwrap_err();
    let large = sprongus::Json::parse(format!("\"{}\"", "x".repeat(1000))).unwrap();
    let beat = Heartbeat { progress: Some(large), ..Heartbeat::new(&id, lease) };
    assert_eq!(code(store.runs().heartbeat(&beat)), ErrorCode::TooLarge);
    assert_eq!(stored(&store), before, "not even the lease was extended");
}

fn long_errors(env: &Env) {
    let store = env.open();
    for name in ["runs.fail", "runs.fail_many"] {
        put(store.runs(), "a");
        let run = claim_one(store.runs());
        let item = json!({ "id": run.id, "lease": run.lease, "error": "é".repeat(5 << 20), "retryable": false });
        let request = if name == "runs.fail" { item } else { json!({ "items": [item] }) };
        call(&store, name, &request).unwrap();
        let kept = get(store.runs(), &run.id).error.unwrap();
        assert!(kept.len() <= 16 << 10 && kept.ends_with("… (truncated)") && kept.starts_with("éé"));
    }
    put(store.runs(), "a");
    let run = claim_one(store.runs());
    let failed = store.runs().fail(&Fail::new(&run.id, run.lease, "\0é".repeat(5 << 20))).unwrap().error.unwrap();
    assert!(failed.len() <= 16 << 10 && failed.ends_with("… (truncated)") && failed.starts_with("\u{fffd}é"));
}

fn times(env: &Env) {
    let store = env.open();
    for (at, shown) in [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
        ("1999-02-28T23:59:59.9999999Z", "1999-02-28T23:59:59.999999Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        let run = call(&store, "runs.enqueue", &json!({ "kind": "a", "runAt": at })).unwrap();
        assert_eq!(run["runAt"], shown);
        assert_eq!(get(store.runs(), run["id"].as_str().unwrap()).run_at.to_string(), shown);
        let listed = call(&store, "runs.list", &json!({ "since": at })).unwrap();
        assert_eq!(listed["items"].as_array().unwrap().is_empty(), at.starts_with('9'));
    }
    let due = store.runs().claim_next(&sprongus::runs::Claim { limit: 9, ..sprongus::runs::Claim::new("w") }).unwrap();
    assert_eq!(due.len(), 2, "what was due long ago is due, what is due at the end is not");
    assert!(due.is_sorted_by_key(|run| run.run_at));
    for beyond in [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00+00:01",
        "0000-12-31T23:59:59Z",
        "-0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
    ] {
        let refused = call(&store, "runs.enqueue", &json!({ "kind": "a", "runAt": beyond }));
        assert_eq!(refused, Err(ErrorCode::InvalidArgument), "{beyond}");
    }
    // A delay from now past the end of the calendar is cut to it, or refused: never a crash.
    call(&store, "runs.enqueue", &json!({ "kind": "late", "delay": 3_153_600_000_i64 })).unwrap();
}

fn strangers(env: &Env) {
    env.within(|on: Face<'_, '_>| {
        let own = put(on.runs(), "a").id;
        for id in ["none", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "'; DROP TABLE sprongus_runs; --", "%", "é 🙂"] {
            assert_eq!(code(on.runs().get(&GetRun::new(id))), ErrorCode::NotFound);
            assert_eq!(code(on.runs().heartbeat(&Heartbeat::new(id, 1))), ErrorCode::NotFound);
            assert_eq!(code(on.runs().fail(&Fail::new(id, i64::MIN, "x"))), ErrorCode::NotFound);
        }
        assert_eq!(told(on.runs(), &own), ["run.enqueued"]);
    });
}
