//! Secrets: refused where they would be stored, named instead, resolved at use, and cut out of what workers tell
//! (DESIGN.md §10, docs/secrets.md).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::artifacts::PutArtifact;
use sprongus::aux_store::{BulkOptions, Mode, OnError, Policy, SyncTable, UpdateOptions};
use sprongus::inbox::Accept;
use sprongus::presets::{
    BindPreset, BindRunPreset, CreatePreset, ImportPresets, PresetImportMode, PresetItem, PresetKind,
};
use sprongus::runs::approvals::{Decide, ListApprovals, RequestApproval};
use sprongus::runs::schedules::PutSchedule;
use sprongus::runs::{Enqueue, EnqueueMany, FindIdempotent, ListSteps, RunEvents, RunOutput};
use sprongus::worker::{HandlerError, Outcome};
use sprongus::{Error, ErrorCode, Json, Options, Result, RunState, ops};
use sprongus_conformance::{Backend, Case, Env, Face};

use crate::aux_entries::{bind, payload};
use crate::runs::{claim_one, code};
use crate::sync::scripted::{Source, asked, diff};
use crate::worker::{get, options, put};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    let alone = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        case("secrets::inputs_are_refused_with_their_path", &["runs.enqueue", "runs.enqueue_many"], inputs),
        case("secrets::documents_are_refused_with_their_path", &["aux.create", "aux.update", "aux.upsert"], documents),
        case("secrets::of_many_rows_each_is_told", &["aux.bulk_upsert"], rows),
        case("secrets::rows_of_files_are_told", &["aux.import"], files),
        case("secrets::pulled_documents_are_refused", &["aux.sync"], pulled),
        case("secrets::presets_and_metadata_are_refused", &["presets.create", "artifacts.put"], others),
        case("secrets::an_approvals_metadata_is_refused", &["approvals.request", "approvals.approve"], approvals),
        case("secrets::references_pass_everywhere", &[], references),
        alone("secrets::what_was_stored_unchecked_is_not_restored", &["aux.restore"], restored),
        alone("secrets::unchecked_all_of_it_is_taken", &[], unchecked),
        alone("secrets::resolved_ones_are_cut_out_of_what_is_stored", &[], cut_out),
        alone("secrets::what_a_resolver_fails_with_is_not_told", &[], failing),
        case("secrets::the_door_tells_the_path", &[], door),
    ]
}

/// Looks like one of GitHub's; made up here, so that it stands in no file.
fn token() -> String {
    format!("ghp_{}", "a1B2".repeat(9))
}

/// A document with two credentials, and where they are.
fn telling() -> Value {
    json!({"title": "x", "auth": {"api-key": "k-1"}, "notes": ["a", format!("use {}", token())]})
}

const PATHS: [&str; 2] = ["/auth/api-key", "/notes/1"];

fn json_of(value: &Value) -> Json {
    Json::from_value(value).unwrap()
}

/// The paths of a refusal, which tells no value.
fn refused<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SecretDetected, "{error}");
    let told = format!("{error} {error:?} {:?}", error.details());
    assert!(!told.contains(&token()) && !told.contains("k-1"), "{told}");
    let violations = error.violations_list();
    assert!(violations.iter().all(|one| one.keyword == "secret"));
    violations.into_iter().map(|one| one.path).collect()
}

fn count(on: Face<'_, '_>, table: &str) -> i64 {
    match on.query(&format!("SELECT count(*) FROM {table}"), &[]).unwrap()[0].values() {
        [sprongus::Value::Int(count)] => *count,
        other => panic!("{other:?}"),
    }
}

fn inputs(env: &Env) {
    env.within(|on| {
        let run = Enqueue::new("k", json_of(&telling()));
        assert_eq!(refused(on.runs().enqueue(&run)), PATHS);
        let many = EnqueueMany { items: vec![Enqueue::new("k", Json::null()), run.clone()] };
        let error = on.runs().enqueue_many(&many).unwrap_err();
        assert_eq!(error.details().unwrap()["item"], 1);
        assert_eq!(refused(Err::<(), _>(error)), PATHS);
        let find = FindIdempotent { key: "once".into(), project: None };
        assert_eq!(refused(on.runs().ensure_idempotent(&find, || Ok(run.clone()))), PATHS);
        let mail = Accept { enqueue: Some(run.clone()), ..Accept::new("mail", "m-1") };
        assert_eq!(refused(on.inbox().accept(&mail)), PATHS);
        let mut schedule = PutSchedule::new("nightly", "k");
        schedule.every = Some(Duration::from_secs(3600));
        schedule.input = run.input.clone();
        assert_eq!(refused(on.schedules().put(&schedule)), PATHS);
        for table in ["runs", "inbox", "schedules", "events"] {
            assert_eq!(count(on, &format!("sprongus_{table}")), 0, "{table}");
        }
        // The whole input, and one that is no object.
        assert_eq!(refused(on.runs().enqueue(&Enqueue::new("k", json_of(&json!(token()))))), [""]);
        assert_eq!(
            refused(on.runs().enqueue(&Enqueue::new("k", json_of(&json!([{"password": "x"}]))))),
            ["/0/password"]
        );
    });
}

fn documents(env: &Env) {
    env.within(|on| {
        let aux = on.aux("assets");
        assert_eq!(refused(aux.create(telling(), None)), PATHS);
        assert_eq!(refused(aux.upsert(telling(), Some("a"), false)), PATHS);
        assert_eq!(refused(aux.upsert(telling(), Some("a"), true)), PATHS);
        let entry = aux.create(json!({"title": "x", "auth": {"user": "ann"}}), Some("a")).unwrap();
        assert_eq!(refused(aux.update("a", telling(), UpdateOptions::default())), PATHS);
        let replace = UpdateOptions { replace: true, ..UpdateOptions::default() };
        assert_eq!(refused(aux.update("a", telling(), replace)), PATHS);
        assert_eq!(aux.get("a").unwrap(), entry);
        assert_eq!(aux.history("a").unwrap().len(), 1);
        // A default of the preset is part of the document.
        bind(on, "keyed", json!({"properties": {"client_secret": {"type": "string", "default": "k-1"}}}));
        assert_eq!(refused(on.aux("keyed").create(json!({}), None)), ["/client_secret"]);
        // Before what the preset says: its messages would come second anyway.
        bind(on, "strict", json!({"properties": {"auth": {"type": "string"}}}));
        assert_eq!(refused(on.aux("strict").create(telling(), None)), PATHS);
        assert_eq!(count(on, "sprongus_aux_entries"), 1);
    });
}

const REPORT: BulkOptions = BulkOptions { mode: Mode::Merge, on_error: OnError::Report, dry_run: false };

fn told(errors: &[sprongus::Violation]) -> Vec<(u64, &str, &str)> {
    errors.iter().map(|one| (one.row.unwrap(), one.path.as_str(), one.keyword.as_str())).collect()
}

fn rows(env: &Env) {
    env.within(|on| {
        let aux = on.aux("assets");
        aux.create(json!({"title": "there"}), Some("c")).unwrap();
        let items = [json!({"id": "a"}), telling(), json!({"id": "c", "token": "k-1"}), json!({"id": "b"})];
        let bulk = |options| aux.bulk_upsert(items.iter().cloned().map(Ok), options, &mut |_, _| Ok(()));
        let wanted = [(2, "/auth/api-key", "secret"), (2, "/notes/1", "secret"), (3, "/token", "secret")];
        let report = bulk(BulkOptions { dry_run: true, ..REPORT }).unwrap();
        assert_eq!((report.created, told(&report.errors)), (2, wanted.to_vec()));
        let error = bulk(BulkOptions { on_error: OnError::Abort, ..REPORT }).unwrap_err();
        assert_eq!((error.code(), told(&error.violations_list())), (ErrorCode::Validation, wanted.to_vec()));
        assert_eq!(count(on, "sprongus_aux_entries"), 1);
        let report = bulk(REPORT).unwrap();
        assert_eq!((report.created, report.updated, told(&report.errors)), (2, 0, wanted.to_vec()));
        assert!(!format!("{report:?}{error:?}").contains("k-1"));
        assert_eq!(payload(&aux.get("c").unwrap()), json!({"title": "there"}));
    });
}

fn files(env: &Env) {
    env.within(|on| {
        let aux = on.aux("assets");
        let import = |name: &str, text: String| {
            let (_folder, path) = sprongus_testkit::temp_file(name);
            std::fs::write(&path, text).unwrap();
            let options = sprongus::aux_store::ImportOptions { bulk: REPORT, ..Default::default() };
            aux.import(&path, &options, &mut |_, _| Ok(())).unwrap()
        };
        let token = token();
        let report =
            import("a.csv", format!("id,title,Api Key,max_tokens\n1,x,,5\n2,{token},,5\n3,y,k-1,5\n4,z,none,5\n"));
        assert_eq!(
            (report.created, told(&report.errors)),
            (2, vec![(2, "/title", "secret"), (3, "/Api Key", "secret")])
        );
        let items =
            json!([{"id": "5", "url": "https://ann:k-1@example.org"}, {"id": "6", "url": "https://example.org"}]);
        let report = import("a.json", items.to_string());
        assert_eq!((report.created, told(&report.errors)), (1, vec![(1, "/url", "secret")]));
        let lines = format!("{{\"id\":\"7\",\"jwt\":\"k-1\"}}\n{{\"id\":\"8\",\"{token}\":1}}\n{{\"id\":\"9\"}}\n");
        let report = import("a.jsonl", lines);
        assert_eq!((report.created, told(&report.errors)), (1, vec![(1, "/jwt", "secret"), (2, "", "secret")]));
        assert_eq!(count(on, "sprongus_aux_entries"), 4);
    });
}

fn pulled(env: &Env) {
    if env.backend().lent() {
        return env.within(|on| {
            // A sync is not for a host's own transaction; what it would write is judged as every document is.
            assert_eq!(refused(on.aux("assets").create(telling(), None)), PATHS);
        });
    }
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let sync = SyncTable::new("assets", "source");
    assert_eq!(store.aux("p", "assets").sync(&sync).unwrap().state, RunState::Succeeded);
    // A new one, and one that was changed on both sides.
    source.set("b", telling());
    source.set("a", telling());
    store.aux("p", "assets").update("a", json!({"t": 2}), UpdateOptions::default()).unwrap();
    for policy in [Policy::Manual, Policy::Provider] {
        let run = store.aux("p", "assets").sync(&asked(policy)).unwrap();
        let found = diff(&store, &run);
        let violations: Vec<_> = found.items.iter().flat_map(|item| &item.violations).collect();
        assert!(violations.len() >= 2 && violations.iter().all(|one| one.keyword == "secret"), "{found:?}");
    }
    let stored = store.query("SELECT content FROM sprongus_artifacts", &[]).unwrap();
    let text = |row: &sprongus::Row| match row.values() {
        [sprongus::Value::Bytes(bytes)] => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    };
    let told: String = stored.iter().map(text).collect();
    assert!(told.contains("/auth/api-key") && !told.contains(&token()) && !told.contains("k-1"), "{told}");
    assert_eq!(store.aux("p", "assets").count(None, None).unwrap(), 1);
}

fn others(env: &Env) {
    env.within(|on| {
        let definition = json!({"properties": {"a": {"default": token()}, "password": {"type": "string"}}});
        let create = CreatePreset::new("d", PresetKind::Custom, json_of(&definition));
        assert_eq!(refused(on.presets().create(&create)), ["/properties/a/default"]);
        let item = PresetItem {
            label: "d".into(),
            kind: PresetKind::Custom,
            version: 1,
            definition: json_of(&definition),
            published: true,
        };
        let import = ImportPresets { items: vec![item], mode: PresetImportMode::default() };
        assert_eq!(refused(on.presets().import(&import)), ["/0/definition/properties/a/default"]);
        let put = PutArtifact { metadata: Some(json_of(&telling())), ..PutArtifact::text("report", "a", "x") };
        assert_eq!(refused(on.artifacts().put(&put)), PATHS);
        assert_eq!((count(on, "sprongus_artifacts"), count(on, "sprongus_events")), (0, 0));
        // A content is the host's own, byte for byte.
        on.artifacts().put(&PutArtifact::text("report", "a", token())).unwrap();
    });
}

fn approvals(env: &Env) {
    env.within(|on| {
        on.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
        let run = claim_one(on.runs());
        let request = |metadata: &Value| RequestApproval {
            metadata: json_of(metadata),
            ..RequestApproval::new(&run.id, run.lease, "deploy", "Deploys it")
        };
        assert_eq!(refused(on.approvals().request(&request(&telling()))), PATHS);
        on.approvals().request(&request(&json!({"by": {"$secret": "WHO"}}))).unwrap();
        let decide = |metadata: &Value| Decide {
            scope: "deploy".into(),
            metadata: json_of(metadata),
            ..Decide::new(&run.id, "ann")
        };
        assert_eq!(refused(on.approvals().approve(&decide(&telling()))), PATHS);
        let pending = on.approvals().list(&ListApprovals::default()).unwrap().items;
        assert!(pending.len() == 1 && pending[0].decision.is_none());
    });
}

fn references(env: &Env) {
    env.within(|on| {
        let named = json!({"token": {"$secret": "T"}, "auth": [{"password": {"$secret": "P"}}], "max_tokens": 5, "secret": null});
        let run = on.runs().enqueue(&Enqueue::new("k", json_of(&named))).unwrap();
        assert_eq!(run.input.to_value(), named);
        let entry = on.aux("assets").create(named.clone(), None).unwrap();
        assert_eq!(payload(&entry), named);
        // Not the name of one: more than a name stands there, or the secret itself.
        let almost = json!({"a": {"token": {"$secret": "T", "token": "x"}}, "b": {"$secret": token()}});
        assert_eq!(refused(on.aux("assets").create(almost, None)), ["/a/token/$secret", "/a/token/token", "/b"]);
    });
}

/// A store that takes whatever it is given.
fn careless(env: &Env) -> Options {
    Options { check_secrets: false, ..env.options() }
}

fn restored(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        // No second store can look at it: that the merged result counts is seen within one.
        let aux = env.open();
        return assert_eq!(refused(aux.aux("p", "assets").create(telling(), Some("a"))), PATHS);
    }
    let before = env.open_with(careless(env));
    before.aux("p", "assets").create(telling(), Some("a")).unwrap();
    before.aux("p", "assets").update("a", json!({"auth": null, "notes": null}), UpdateOptions::default()).unwrap();
    let store = env.open();
    let aux = store.aux("p", "assets");
    assert_eq!(refused(aux.restore("a", 1)), PATHS);
    assert_eq!(aux.get("a").unwrap().version, 2);
    // What is merged into a document that holds one is refused as the document that it makes.
    before.aux("p", "assets").restore("a", 1).unwrap();
    assert_eq!(refused(aux.update("a", json!({"title": "y"}), UpdateOptions::default())), PATHS);
    aux.update("a", json!({"title": "y"}), UpdateOptions { replace: true, ..UpdateOptions::default() }).unwrap();
}

fn unchecked(env: &Env) {
    let store = env.open_with(careless(env));
    store.runs().enqueue(&Enqueue::new("k", json_of(&telling()))).unwrap();
    store.aux("p", "assets").create(telling(), None).unwrap();
    let profile = sprongus::aux_store::PutProfile {
        name: "a".into(),
        kind: "csv".into(),
        config: telling().as_object().cloned().unwrap(),
    };
    store.providers().put(&profile).unwrap();
    let put = PutArtifact { metadata: Some(json_of(&telling())), ..PutArtifact::text("report", "a", "x") };
    store.artifacts().put(&put).unwrap();
    // A field that a preset marks stays the name of a secret.
    let marked = json_of(&json!({"fields": [{"name": "key", "type": "string", "secret": true}]}));
    store.presets().create(&CreatePreset::new("marked", PresetKind::Custom, marked.clone())).unwrap();
    store.presets().create(&CreatePreset::new("input", PresetKind::RunInput, marked)).unwrap();
    let bind = BindPreset { table: "keyed".into(), address: "marked".into(), ..Default::default() };
    store.presets().bind(&bind).unwrap();
    store.presets().bind_run(&BindRunPreset { kind: "keyed".into(), address: "input".into(), project: None }).unwrap();
    assert_eq!(code(store.aux("p", "keyed").create(json!({"key": "plain"}), None)), ErrorCode::Validation);
    let run = Enqueue::new("keyed", json_of(&json!({"key": "plain"})));
    assert_eq!(code(store.runs().enqueue(&run)), ErrorCode::Validation);
    store.aux("p", "keyed").create(json!({"key": {"$secret": "K"}}), None).unwrap();
}

/// Quoted in errors as JSON has it.
const SECRET: &str = "s3cr\"3t-\\of-the-vault";

fn vault(env: &Env) -> sprongus::Store {
    let resolver = |name: &str| match name {
        "VAULT" => Ok(format!("{SECRET}\n")),
        "NONE" => Err(Error::not_found(SECRET)),
        _ => Err(Error::invalid(SECRET).with_details(json!({"sent": SECRET})).with_source(SECRET)),
    };
    env.open_with(Options { secrets: Some(Arc::new(resolver)), ..env.options() })
}

fn quoted(secret: &str) -> Json {
    json_of(&json!({"sent": [secret], secret: 1}))
}

fn cut_out(env: &Env) {
    let store = vault(env);
    let worker = store.worker(options()).unwrap();
    let handle = |kind: &str, then: fn(&sprongus::worker::Context, String) -> Result<Outcome, HandlerError>| {
        let handler = move |context: &sprongus::worker::Context| {
            let secret = context.secret(&json!({"$secret": "VAULT"}))?;
            assert_eq!(secret, format!("{SECRET}\n"), "the handler gets it whole");
            then(context, secret.trim().to_owned())
        };
        worker.handle(kind, handler).unwrap();
    };
    handle("fails", |_, secret| Err(HandlerError::Fatal(format!("401 for {secret}, {}", json!(secret)))));
    handle("retries", |_, secret| Err(HandlerError::Retry(secret.repeat(4000))));
    handle("panics", |_, secret| std::panic::resume_unwind(Box::new(secret)));
    handle("outputs", |_, secret| Ok(Outcome::Output(quoted(&secret))));
    handle("refers", |_, secret| Ok(Outcome::Ref(format!("s3://{secret}"))));
    handle("steps", |context, secret| {
        context.heartbeat(quoted(&secret))?;
        context.step("a", || Ok(quoted(&secret))).map(Outcome::Output)
    });
    handle("asks", |context, secret| {
        context.approval("scope", &format!("with {secret}"), None, quoted(&secret)).map(|_| Outcome::None)
    });
    handle("keeps", |context, secret| {
        let reference = Json::from_value(&json!({"a": 1})).unwrap();
        context.artifact(&PutArtifact::json("report", "well", reference))?;
        for put in [
            PutArtifact::text("report", "a", &secret),
            PutArtifact::bytes("report", "a", secret.as_bytes()),
            PutArtifact::json("report", "a", quoted(&secret)),
            PutArtifact { metadata: Some(quoted(&secret)), ..PutArtifact::text("report", "a", "x") },
            PutArtifact::text("report", &secret, "x"),
        ] {
            assert_eq!(code(context.artifact(&put)), ErrorCode::SecretDetected);
        }
        Ok(Outcome::None)
    });
    let kinds = ["fails", "retries", "panics", "outputs", "refers", "steps", "asks", "keeps"];
    let runs = kinds.map(|kind| {
        let run = Enqueue { max_attempts: 1, ..Enqueue::new(kind, Json::null()) };
        store.runs().enqueue(&run).unwrap().id
    });
    worker.run_until_idle(Duration::ZERO).unwrap();
    let [fails, retries, panics, outputs, refers, steps, asks, keeps] = runs.each_ref().map(|id| get(&store, id));
    let error = |run: &sprongus::Run| run.error.clone().unwrap();
    assert_eq!(error(&fails), "401 for [secret], \"[secret]\"");
    assert!(error(&retries).starts_with("[secret][secret]"));
    assert_eq!(error(&panics), "the handler panicked: [secret]");
    let hidden = r#"{"[secret]":1,"sent":["[secret]"]}"#;
    let output = |run: &sprongus::Run| store.runs().output(&RunOutput::new(&run.id)).unwrap();
    assert_eq!((output(&outputs).as_str(), output(&steps).as_str()), (hidden, hidden));
    assert_eq!(refers.output_ref.as_deref(), Some("s3://[secret]"));
    assert_eq!(steps.progress.as_str(), hidden);
    assert_eq!(store.runs().steps(&ListSteps::new(&steps.id)).unwrap()[0].output.as_str(), hidden);
    let asked = store.approvals().list(&ListApprovals::default()).unwrap().items.remove(0);
    assert_eq!((asked.intent_summary.as_deref(), asked.metadata.as_str()), (Some("with [secret]"), hidden));
    assert_eq!((asks.state, keeps.state), (RunState::AwaitingApproval, RunState::Succeeded));
    for run in &runs {
        let events = store.runs().events(&RunEvents::new(run)).unwrap();
        assert!(!format!("{events:?}").contains("of-the-vault"));
    }
}

fn failing(env: &Env) {
    let store = vault(env);
    let worker = store.worker(options()).unwrap();
    worker
        .handle("none", |context| {
            context.secret(&json!({"$secret": "NONE"})).map(|_| Outcome::None).map_err(HandlerError::from)
        })
        .unwrap();
    worker
        .handle("broken", |context| {
            let error = context.secret(&json!({"$secret": "BROKEN"})).unwrap_err();
            assert!(error.retryable() && error.details().is_none() && !format!("{error:?}").contains("vault"));
            Err(error.into())
        })
        .unwrap();
    let (none, broken) = (put(&store, "none"), put(&store, "broken"));
    for run in [&none, &broken] {
        assert_eq!(get(&store, run).state, RunState::Queued);
    }
    worker.run_until_idle(Duration::ZERO).unwrap();
    let error = |run: &str| get(&store, run).error.unwrap();
    assert_eq!(error(&none), "not_found: the resolver knows no secret \"NONE\"");
    assert_eq!(error(&broken), "unavailable: the resolver failed for the secret \"BROKEN\"; only it can tell why");
}

fn door(env: &Env) {
    env.within(|on| {
        let call = |name: &str, request: Value| {
            let request = request.to_string();
            match on {
                Face::Store(store) => ops::call(store, name, request.as_bytes()),
                Face::Tx(tx) => ops::call(tx, name, request.as_bytes()),
            }
        };
        assert_eq!(refused(call("runs.enqueue", json!({"kind": "k", "input": telling()}))), PATHS);
        let create = json!({"project": "p", "table": "assets", "payload": telling()});
        assert_eq!(refused(call("aux.create", create)), PATHS);
        let put = json!({"name": "a", "kind": "csv", "config": telling()});
        assert_eq!(refused(call("providers.put", put)), PATHS);
        assert_eq!(count(on, "sprongus_events"), 0);
    });
}
