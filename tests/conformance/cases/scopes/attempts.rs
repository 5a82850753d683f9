//! What a handle of another project tries on amber's things: every operation, each in all ways there are.

use serde_json::{Value, json};

use super::world::{MARK, World};

/// How an attempt must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// By id: as if there were no such thing.
    NotFound,
    /// It names another project, or asks for what belongs to the store.
    Denied,
    /// With an error of the request's own, whatever others have.
    Refused(sprongus::ErrorCode),
    /// It works, on the handle's own project or on what all may read, and shows nothing of amber.
    Own,
}

pub(super) struct Attempt {
    pub(super) operation: &'static str,
    pub(super) request: Value,
    pub(super) ends: Ends,
}

use Ends::{Denied, NotFound, Own};

pub(super) fn attempts(world: &World) -> Vec<Attempt> {
    [entries(world), past(), runs(world), reports(world), queue(), approvals(world), artifacts(world)]
        .into_iter()
        .chain([schedules(), messages(), presets(), projects(), tables(), rest(world)])
        .flatten()
        .collect()
}

fn attempt(operation: &'static str, ends: Ends, request: Value) -> Attempt {
    Attempt { operation, request, ends }
}

/// The same request, of amber's by its name.
fn named(mut request: Value) -> Value {
    request["project"] = MARK.into();
    request
}

/// Named it is denied; without a name it is about the handle's own, and ends so.
fn both(operation: &'static str, ends: Ends, request: Value) -> [Attempt; 2] {
    [attempt(operation, Denied, named(request.clone())), attempt(operation, ends, request)]
}

/// The same on each run that the handle does not see.
fn on(world: &World, operation: &'static str, runs: &[&str], more: Value) -> Vec<Attempt> {
    let one = |name: &&str| {
        let mut request = more.clone();
        request["id"] = world.id(name).into();
        attempt(operation, NotFound, request)
    };
    runs.iter().chain(&["nobodys"]).map(one).collect()
}

fn entries(world: &World) -> Vec<Attempt> {
    let at = |id: &str| json!({"table": "assets", "id": id});
    let with = |id: &str, member: &str, value: Value| {
        let mut request = at(id);
        request[member] = value;
        request
    };
    let file = |name: &str| json!({"table": "assets", "path": world.path(name)});
    let sync = |name: &str, enqueue: bool| {
        let provider = format!("json:{}", world.path(name).display());
        json!({"table": "pictures", "provider": provider, "enqueue": enqueue})
    };
    let title = json!({"title": MARK.to_owned() + " one"});
    [
        both("aux.get", NotFound, at("one")),
        both("aux.update", NotFound, with("one", "patch", json!({"note": "x"}))),
        both("aux.delete", NotFound, at("one")),
        both("aux.list", Own, json!({"table": "assets", "q": "am", "sort": ["title"]})),
        both("aux.count", Own, json!({"table": "assets"})),
        // The same id, and the same value that is unique in a project: no conflict tells of amber's.
        both("aux.create", Own, with("one", "payload", title)),
        both("aux.create", Own, with("new", "payload", json!({"of": "two"}))),
        both("aux.upsert", Own, with("one", "payload", json!({"title": "one"}))),
        both("aux.bulk_upsert", Own, json!({"table": "assets", "items": [{"id": "two", "title": "two"}]})),
        both("aux.import", Own, file("beryl.json")),
        both("aux.export", Own, file("out.json")),
        both("aux.sync", Own, sync("beryl.json", false)),
        both("aux.sync", Own, sync("beryl.json", true)),
        both("aux.referrers", Own, at("one")),
        both("aux.resolve_refs", Own, json!({"table": "assets", "ids": ["gone"]})),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn past() -> Vec<Attempt> {
    let at = |id: &str, more: Value| {
        let mut request = json!({"table": "assets", "id": id});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    [
        both("aux.history", NotFound, at("gone", json!({}))),
        both("aux.diff", NotFound, at("gone", json!({"a": 1, "b": 2}))),
        both("aux.restore", NotFound, at("gone", json!({"version": 1}))),
        both("aux.as_of", Own, json!({"table": "assets", "at": "2030-01-01T00:00:00Z"})),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const ALL: &[&str] = &["running", "asked", "done", "failed", "stale", "dispatched", "queued", "gated", "slow"];

fn runs(world: &World) -> Vec<Attempt> {
    let mut all = Vec::new();
    for operation in
        ["runs.get", "runs.events", "runs.output", "runs.explain", "runs.steps", "runs.cancel", "runs.retry"]
    {
        all.extend(on(world, operation, ALL, json!({})));
    }
    all.extend(on(world, "runs.wait", ALL, json!({"timeout": 0})));
    all.extend(both("runs.enqueue", Own, json!({"kind": "work", "idempotencyKey": "key", "input": 7})));
    all.extend(both("runs.find_idempotent", Own, json!({"key": "other key"})));
    all.push(attempt("runs.find_idempotent", Own, json!({"key": "key"})));
    let item = |project: &str| json!({"kind": "work", "project": project});
    all.push(attempt("runs.enqueue_many", Denied, json!({"items": [item("beryl"), item(MARK)]})));
    all.push(attempt("runs.enqueue_many", Own, json!({"items": [{"kind": "work"}]})));
    all.extend(both("runs.list", Own, json!({"limit": 1000})));
    all.push(attempt("runs.list", Own, json!({"parent": world.id("done"), "channelId": MARK})));
    all.extend(both("runs.stats", Own, json!({})));
    all
}

/// Under the lease that amber's workers hold.
fn reports(world: &World) -> Vec<Attempt> {
    let lease = json!({"lease": 1});
    let with = |member: &str, value: Value| {
        let mut request = lease.clone();
        request[member] = value;
        request
    };
    let step = |more: Value| {
        let mut request = with("name", "step".into());
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let many = |more: Value| {
        let mut item = more;
        item["id"] = world.id("running").into();
        item["lease"] = 1.into();
        json!({"items": [item]})
    };
    [
        on(world, "runs.start", &["dispatched", "running"], lease.clone()),
        on(world, "runs.heartbeat", ALL, with("progress", 1.into())),
        on(world, "runs.succeed", ALL, with("output", 1.into())),
        on(world, "runs.fail", ALL, with("error", "x".into())),
        on(world, "runs.snooze", ALL, with("delay", 1.into())),
        on(world, "runs.find_step", &["running"], step(json!({}))),
        on(world, "runs.save_step", &["running"], step(json!({"output": 1}))),
        // Each item is answered for itself: the walk looks into the answer.
        vec![
            attempt("runs.succeed_many", NotFound, many(json!({}))),
            attempt("runs.fail_many", NotFound, many(json!({"error": "x"}))),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What goes over the whole queue is about the handle's own part of it.
fn queue() -> Vec<Attempt> {
    let claim = |projects: Value| json!({"workerId": "b", "limit": 1000, "projects": projects});
    vec![
        attempt("runs.claim_next", Denied, claim(json!([MARK]))),
        attempt("runs.claim_next", Denied, claim(json!(["beryl", MARK]))),
        attempt("runs.claim_next", Own, claim(Value::Null)),
        attempt("runs.rescue", Own, json!({})),
        attempt("runs.prune", Own, json!({"succeededAfter": 0, "failedAfter": 0})),
        attempt("runs.limits", Own, json!({})),
        attempt("runs.limit_kind", Denied, json!({"kind": "limited"})),
        attempt("schedules.tick", Own, json!({})),
    ]
}

fn approvals(world: &World) -> Vec<Attempt> {
    let of = |run: &str, scope: &str, more: Value| {
        let mut request = json!({"runId": world.id(run), "scope": scope});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let mut all = Vec::new();
    for (run, scope) in [("gated", "run"), ("asked", "deploy"), ("nobodys", "run")] {
        all.push(attempt("approvals.approve", NotFound, of(run, scope, json!({"by": "b"}))));
        all.push(attempt("approvals.deny", NotFound, of(run, scope, json!({"by": "b"}))));
        all.push(attempt("approvals.get", NotFound, of(run, scope, json!({}))));
    }
    let ask = json!({"id": world.id("running"), "lease": 1, "scope": "deploy", "intentSummary": "x"});
    all.push(attempt("approvals.request", NotFound, ask));
    all.extend(both("approvals.list", Own, json!({"limit": 1000})));
    all.push(attempt("approvals.list", Own, json!({"runId": world.id("gated")})));
    all
}

fn artifacts(world: &World) -> Vec<Attempt> {
    let key = json!({"kind": "report", "key": "a"});
    let put = |more: Value| {
        let mut request = json!({"kind": "report", "key": "b", "text": "x"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let mut all = vec![
        attempt("artifacts.get", NotFound, json!({"id": world.id("artifact")})),
        attempt("artifacts.get", NotFound, json!({"id": world.id("nobodys artifact")})),
        attempt("artifacts.put", NotFound, put(json!({"run": world.id("running")}))),
    ];
    all.extend(both("artifacts.latest", NotFound, key.clone()));
    all.extend(both("artifacts.versions", Own, key));
    all.extend(both("artifacts.put", Own, put(json!({}))));
    all.extend(both("artifacts.list", Own, json!({})));
    all.extend(both("artifacts.export_zip", Own, json!({"path": world.path("out.zip")})));
    all
}

fn schedules() -> Vec<Attempt> {
    let mut all = Vec::new();
    for operation in ["schedules.get", "schedules.pause", "schedules.resume", "schedules.next_times"] {
        all.extend(both(operation, NotFound, json!({"name": "nightly"})));
    }
    all.extend(both("schedules.delete", NotFound, json!({"name": "nightly"})));
    all.extend(both("schedules.put", Own, json!({"name": "nightly", "kind": "work", "every": 60})));
    all.push(attempt("schedules.list", Own, json!({})));
    all
}

fn messages() -> Vec<Attempt> {
    let mail = json!({"channelId": "mail", "providerMessageId": "1", "enqueue": {"kind": "work"}});
    let elsewhere =
        json!({"channelId": "mail", "providerMessageId": "2", "enqueue": {"kind": "work", "project": MARK}});
    let mut all = Vec::from(both("inbox.accept", Own, mail));
    all.push(attempt("inbox.accept", Ends::Refused(sprongus::ErrorCode::InvalidArgument), elsewhere));
    all.extend(both("events.read", Own, json!({"limit": 1000})));
    all.push(attempt("events.position", Own, json!({})));
    all
}

/// They belong to the store: all read them, and none writes them; where a table is bound is its project's.
fn presets() -> Vec<Attempt> {
    let address = json!({"address": "cards"});
    let mut all = vec![
        attempt("presets.create", Denied, json!({"label": "cards", "kind": "custom", "definition": {}})),
        attempt("presets.publish", Denied, json!({"address": "draft@1"})),
        attempt("presets.delete", Denied, json!({"address": "draft@1"})),
        attempt("presets.import", Denied, json!({"items": []})),
        attempt("presets.bind", Denied, named(json!({"table": "assets", "address": "cards"}))),
        attempt("presets.bind", Denied, json!({"table": "assets", "address": "cards"})),
        attempt("presets.bind_run", Denied, named(json!({"kind": "work", "address": "cards"}))),
        attempt("presets.get", Own, address.clone()),
        attempt("presets.list", Own, json!({})),
        attempt("presets.export", Own, json!({})),
        attempt("presets.validate", Own, json!({"address": "cards", "payload": {"title": "x"}})),
    ];
    all.extend(both("presets.bound", NotFound, json!({"table": "notes"})));
    all
}

fn projects() -> Vec<Attempt> {
    let of = json!({"id": MARK});
    let key = json!({"key": "theme"});
    let mut all = vec![
        attempt("projects.get", NotFound, of.clone()),
        attempt("projects.update", Denied, json!({"id": MARK, "name": "x"})),
        attempt("projects.delete", Denied, json!({"id": MARK, "cascade": true})),
        attempt("projects.create", Denied, json!({"name": "x", "id": MARK, "slug": "stone"})),
        attempt("projects.install", Denied, named(json!({}))),
        attempt("projects.install", Denied, json!({})),
        attempt("projects.list", Own, json!({})),
    ];
    all.extend(both("config.get", Own, key.clone()));
    all.extend(both("config.set", Own, json!({"key": "theme", "value": "b"})));
    all.extend(both("config.unset", Own, key));
    all.extend(both("config.list", Own, json!({})));
    all
}

/// Custom tables have no project: they are the store's.
fn tables() -> Vec<Attempt> {
    let name = json!({"name": "tokens"});
    let column = json!({"name": "id", "type": "text", "constraints": ["primary_key"]});
    let row = json!({"id": "1"});
    vec![
        attempt("tables.create", Denied, json!({"schema": {"name": "tokens", "columns": [column]}})),
        attempt("tables.exists", Denied, name.clone()),
        attempt("tables.drop", Denied, name.clone()),
        attempt("tables.describe", Denied, name.clone()),
        attempt("tables.names", Denied, json!({})),
        attempt("tables.insert", Denied, json!({"name": "tokens", "row": row})),
        attempt("tables.insert_many", Denied, json!({"name": "tokens", "rows": [row]})),
        attempt("tables.update", Denied, json!({"name": "tokens", "id": "1", "data": {}})),
        attempt("tables.query", Denied, name.clone()),
        attempt("tables.count", Denied, name.clone()),
        attempt("tables.delete", Denied, json!({"name": "tokens", "id": "1"})),
    ]
}

/// Profiles of providers are the store's, as presets are.
fn rest(world: &World) -> Vec<Attempt> {
    vec![
        attempt("providers.put", Denied, json!({"name": "mirror", "kind": "json"})),
        attempt("providers.delete", Denied, json!({"name": "mirror"})),
        attempt("providers.get", Own, json!({"name": "mirror"})),
        attempt("providers.list", Own, json!({})),
        // Not looked up: it tells nothing of that run.
        attempt("runs.enqueue", Own, json!({"kind": "child", "parent": world.id("queued")})),
        attempt("store.info", Own, json!({})),
        attempt("store.stats", Own, json!({})),
        attempt("store.doctor", Denied, json!({})),
    ]
}
