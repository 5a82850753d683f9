//! All there can be of a project `amber`, for a handle of the project `beryl` to come upon; and all that is stored, as text.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::clock::testing::ManualClock;
use sprongus::{Clock, Dialect, Options, Scope, Store, SystemClock, Value as Cell, ops};
use sprongus_conformance::Env;
use sprongus_testkit::TempDir;

/// In every text of amber's, and in nothing else.
pub(super) const MARK: &str = "amber";
const LONG: u64 = 90 * 86_400;

pub(super) struct World {
    pub(super) store: Store,
    /// What attempts are aimed at, by name.
    ids: Vec<(&'static str, String)>,
    pub(super) folder: TempDir,
    pub(super) clock: ManualClock,
}

impl World {
    pub(super) fn new(env: &Env) -> Self {
        let clock = ManualClock::new(SystemClock::default().now());
        let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
        let mut world = Self { store, ids: Vec::new(), folder: sprongus_testkit::temp_dir(), clock };
        world.store_things();
        world.entries();
        world.runs();
        world.other_things();
        world.past();
        world
    }

    /// A handle of another project.
    pub(super) fn stranger(&self) -> Store {
        self.store.scoped("beryl", Scope::DEFAULT).unwrap()
    }

    pub(super) fn id(&self, name: &str) -> &str {
        &self.ids.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, operation: &str, request: Value) -> Value {
        let answer = ops::call(&self.store, operation, request.to_string().as_bytes());
        serde_json::from_str(&answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))).unwrap()
    }

    fn note(&mut self, name: &'static str, answer: &Value) {
        self.ids.push((name, answer["id"].as_str().unwrap().to_owned()));
    }

    /// What belongs to the store, which has no mark.
    fn store_things(&self) {
        let fields = json!({"type": "object", "properties": {
            "title": {"type": "string", "x-unique": true}, "of": {"type": "string", "x-ref": "assets"}}});
        self.call("presets.create", json!({"label": "cards", "kind": "custom", "definition": fields}));
        self.call("presets.create", json!({"label": "draft", "kind": "custom", "definition": {}, "publish": false}));
        self.call("presets.bind", json!({"table": "assets", "address": "cards"}));
        self.call("presets.bind", json!({"table": "pictures", "address": "cards"}));
        self.call("presets.bind", json!({"table": "notes", "address": "cards", "project": MARK}));
        self.call("providers.put", json!({"name": "mirror", "kind": "json", "config": {"path": "a.json"}}));
        self.call("runs.limit_kind", json!({"kind": "limited", "concurrency": 3}));
    }

    fn entries(&self) {
        let put = |id: &str, payload: Value| {
            self.call("aux.create", json!({"project": MARK, "table": "assets", "id": id, "payload": payload}));
        };
        put("one", json!({"title": "amber one"}));
        put("two", json!({"title": "amber two", "of": "one"}));
        put("gone", json!({"title": "amber gone"}));
        let at = |id: &str| json!({"project": MARK, "table": "assets", "id": id});
        self.call("aux.update", json!({"project": MARK, "table": "assets", "id": "one", "patch": {"note": "amber"}}));
        self.call("aux.delete", at("gone"));
        self.call("aux.list", json!({"project": MARK, "table": "assets", "q": "amber"}));
        std::fs::write(self.path("amber.json"), r#"[{"id": "synced", "title": "amber synced"}]"#).unwrap();
        std::fs::write(self.path("beryl.json"), r#"[{"id": "synced", "title": "synced"}]"#).unwrap();
        let provider = format!("json:{}", self.path("amber.json").display());
        self.call("aux.sync", json!({"project": MARK, "table": "pictures", "provider": provider}));
    }

    fn runs(&mut self) {
        let enqueue = |more: Value| {
            let mut request = json!({"project": MARK, "kind": "work", "input": {"text": "amber"}});
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            self.call("runs.enqueue", request)
        };
        let claimed = |kind: &str, lease: u64| {
            enqueue(json!({"kind": kind}));
            let claim = json!({"workerId": "amber worker", "kinds": [kind], "lease": lease});
            self.call("runs.claim_next", claim)[0].clone()
        };
        let own = |run: &Value, more: Value| {
            let mut request = json!({"id": run["id"], "lease": run["lease"]});
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request
        };
        let running = claimed("running", LONG);
        self.call("runs.save_step", own(&running, json!({"name": "step", "output": "amber"})));
        let asked = claimed("asked", LONG);
        self.call("approvals.request", own(&asked, json!({"scope": "deploy", "intentSummary": "amber"})));
        let done = claimed("done", LONG);
        self.call("runs.succeed", own(&done, json!({"output": {"text": "amber"}})));
        let failed = claimed("failed", LONG);
        self.call("runs.fail", own(&failed, json!({"error": "amber", "retryable": false})));
        let stale = claimed("stale", 1);
        let dispatched = {
            enqueue(json!({"kind": "dispatched"}));
            let claim = json!({"workerId": "w", "kinds": ["dispatched"], "lease": LONG, "dispatch": true});
            self.call("runs.claim_next", claim)[0].clone()
        };
        let queued = enqueue(json!({"idempotencyKey": "key", "channelId": "amber", "conversationId": "amber"}));
        let gated = enqueue(json!({"needsApproval": true}));
        let slow = enqueue(json!({"kind": "slow", "timeout": 1}));
        self.call("runs.claim_next", json!({"workerId": "w", "kinds": ["slow"], "lease": LONG}));
        let nobodys = self.call("runs.enqueue", json!({"kind": "work", "input": "amber, of no project"}));
        let all = [
            ("running", running),
            ("asked", asked),
            ("done", done),
            ("failed", failed),
            ("stale", stale),
            ("dispatched", dispatched),
            ("queued", queued),
            ("gated", gated),
            ("slow", slow),
            ("nobodys", nobodys),
        ];
        all.iter().for_each(|(name, run)| self.note(name, run));
    }

    fn other_things(&mut self) {
        let artifact = json!({"project": MARK, "kind": "report", "key": "a", "text": "amber"});
        let artifact = self.call("artifacts.put", artifact);
        self.note("artifact", &artifact);
        let nobodys = self.call("artifacts.put", json!({"kind": "report", "key": "a", "text": "amber, of no project"}));
        self.note("nobodys artifact", &nobodys);
        let schedule = json!({"project": MARK, "name": "nightly", "kind": "work", "every": 60, "input": "amber"});
        self.call("schedules.put", schedule);
        let run = json!({"kind": "work", "input": "amber"});
        let mail = json!({"project": MARK, "channelId": "mail", "providerMessageId": "1", "enqueue": run});
        self.call("inbox.accept", mail);
        self.call("projects.create", json!({"id": MARK, "name": "Amber", "slug": "stone"}));
        self.call("config.set", json!({"project": MARK, "key": "theme", "value": "amber"}));
        self.call("config.set", json!({"key": "theme", "value": "amber, of the store"}));
        let rate = sprongus::Rate::new(5, Duration::from_secs(LONG));
        let rate = sprongus::Rates { enqueue: Some(rate), ..sprongus::Rates::default() };
        let rated = self.store.scoped_with(MARK, &sprongus::ScopedOptions { rate, ..Default::default() }).unwrap();
        rated.runs().enqueue(&sprongus::runs::Enqueue::new("rated", sprongus::Json::null())).unwrap();
    }

    /// Leases run out, slots come, times are over.
    fn past(&self) {
        self.clock.advance(Duration::from_secs(40 * 86_400));
        self.read_the_feed();
    }

    /// On PostgreSQL readers give events their positions, of whatever project they are.
    pub(super) fn read_the_feed(&self) {
        self.call("events.read", json!({"limit": 1000}));
    }

    /// Every row of every table, as text.
    pub(super) fn rows(&self) -> BTreeSet<String> {
        let tables = match self.store.backend() {
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'sprongus%'",
            Dialect::Postgres => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        };
        let mut rows = BTreeSet::new();
        for table in self.store.query(tables, &[]).unwrap() {
            let Cell::Text(table) = &table.values()[0] else { panic!("{table:?}") };
            let all = self.store.query(&format!("SELECT * FROM {table}"), &[]).unwrap();
            rows.extend(all.iter().map(|row| format!("{table} {:?}", row.values())));
        }
        assert!(rows.len() > 50, "a picture of nothing");
        rows
    }

    /// The texts that nobody but amber is to be told: its mark, and the ids of what is amber's or nobody's.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let ids = self.ids.iter().map(|(_, id)| id.as_str());
        std::iter::once(MARK).chain(ids).collect()
    }
}
