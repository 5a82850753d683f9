//! Profiles of providers, their kinds and their secrets.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use sprongus::aux_store::providers::{Capabilities, Provider, Pulled};
use sprongus::aux_store::{Policy, ProfileName, PutProfile, SyncTable};
use sprongus::runs::{Enqueue, GetRun, ListRuns, RunEvents};
use sprongus::worker::Outcome;
use sprongus::{Error, ErrorCode, Json, Options, RunState, Scope, ops};
use sprongus_conformance::{Case, Env, Face};

use super::case;
use super::scripted::{Source, asked};
use crate::worker::options;

pub(super) fn cases() -> Vec<Case> {
    let both = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        both(
            "providers::profiles_are_put_got_listed_deleted",
            &["providers.put", "providers.get", "providers.list", "providers.delete"],
            kept,
        ),
        both("providers::credentials_are_refused_with_their_path", &["providers.put"], credentials),
        case("providers::the_doors_take_them", &["providers.put", "providers.get", "aux.sync"], door),
        case("providers::kinds_are_registered_for_a_store", &["providers.put"], registered),
        case("providers::secrets_are_resolved_at_use_and_shown_nowhere", &["aux.sync"], secrets),
        case("providers::a_handler_asks_for_a_secret", &["runs.enqueue"], handler),
        case("providers::scoped_handles_read_profiles", &["providers.put", "providers.get"], scoped),
    ]
}

fn profile(name: &str, kind: &str, config: Value) -> PutProfile {
    PutProfile { name: name.into(), kind: kind.into(), config: config.as_object().cloned().unwrap() }
}

fn name(name: &str) -> ProfileName {
    ProfileName { name: name.into() }
}

fn providers<'f>(on: &'f Face<'_, '_>) -> sprongus::aux_store::Providers<'f> {
    match on {
        Face::Store(store) => store.providers(),
        Face::Tx(tx) => tx.providers(),
    }
}

fn kept(env: &Env) {
    env.within(|on| {
        let providers = providers(&on);
        let first = providers.put(&profile("b", "csv", json!({"path": "/tmp/b.csv", "f": 1e16}))).unwrap();
        providers.put(&profile("a", "martian", json!({"token": {"$secret": "T"}}))).unwrap();
        assert_eq!(providers.get(&name("b")).unwrap(), first);
        assert_eq!((first.kind.as_str(), &first.config["f"]), ("csv", &json!(1e16)));
        let second = providers.put(&profile("b", "json", json!({}))).unwrap();
        assert!(second.updated_at >= first.updated_at && second.config.is_empty());
        let listed = providers.list().unwrap();
        assert_eq!(
            listed.iter().map(|one| (one.name.as_str(), one.kind.as_str())).collect::<Vec<_>>(),
            [("a", "martian"), ("b", "json")]
        );
        providers.delete(&name("a")).unwrap();
        assert_eq!(providers.delete(&name("a")).unwrap_err().code(), ErrorCode::NotFound);
        assert_eq!(providers.get(&name("a")).unwrap_err().code(), ErrorCode::NotFound);
        for bad in ["", "csv:x", "a\u{0}b", &"x".repeat(513)] {
            assert_eq!(providers.put(&profile(bad, "csv", json!({}))).unwrap_err().code(), ErrorCode::InvalidArgument);
            assert_eq!(providers.put(&profile("c", bad, json!({}))).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
        let huge = providers.put(&profile("c", "csv", json!({"x": "y".repeat(2 << 20)}))).unwrap_err();
        assert_eq!(huge.code(), ErrorCode::TooLarge);
        let nul = providers.put(&profile("c", "csv", json!({"x": "\u{0}"}))).unwrap_err();
        assert_eq!(nul.code(), ErrorCode::Validation);
        assert_eq!(providers.list().unwrap().len(), 1);
    });
}

fn credentials(env: &Env) {
    env.within(|on| {
        for (config, path) in [
            (json!({"token": "t"}), "/token"),
            (json!({"auth": {"client-secret": "t"}}), "/auth/client-secret"),
            (json!({"headers": [{"Authorization": "x"}]}), "/headers/0/Authorization"),
            (json!({"url": "https://ann:pw@example.org/x"}), "/url"),
        ] {
            let refused = providers(&on).put(&profile("a", "notion", config)).unwrap_err();
            assert_eq!((refused.code(), refused.violations_list()[0].path.as_str()), (ErrorCode::SecretDetected, path));
            assert!(!refused.to_string().contains("pw@"));
        }
        assert!(providers(&on).list().unwrap().is_empty());
        providers(&on).put(&profile("a", "notion", json!({"token": {"$secret": "T"}, "max_tokens": 3}))).unwrap();
    });
}

fn door(env: &Env) {
    let store = env.open();
    Source::of(json!({"a": {"t": 1}})).known_to(&store);
    let call = |name: &str, request: Value| -> Value {
        serde_json::from_str(&ops::call(&store, name, request.to_string().as_bytes()).unwrap()).unwrap()
    };
    call("providers.put", json!({"name": "x", "kind": "csv", "config": {"path": "x.csv"}}));
    assert_eq!(call("providers.get", json!({"name": "x"}))["config"], json!({"path": "x.csv"}));
    assert_eq!(call("providers.list", json!({})).as_array().unwrap().len(), 2);
    call("providers.delete", json!({"name": "x"}));
    let run = call("aux.sync", json!({"project": "p", "table": "assets", "provider": "source", "dryRun": true}));
    assert_eq!((&run["state"], &run["kind"]), (&json!("succeeded"), &json!("sync.aux/assets")));
    let unknown =
        ops::call(&store, "aux.sync", br#"{"project":"p","table":"assets","provider":"source","dry_run":true}"#);
    assert_eq!(unknown.unwrap_err().code(), ErrorCode::InvalidArgument);
}

fn registered(env: &Env) {
    let store = env.open();
    let factory = || -> Arc<sprongus::aux_store::providers::Factory> {
        Arc::new(|_| Ok(Box::new(Source::of(json!({"a": {"t": 1}})))))
    };
    for taken in ["csv", "json"] {
        assert_eq!(store.providers().register(taken, factory()).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    assert_eq!(store.providers().register("a:b", factory()).unwrap_err().code(), ErrorCode::InvalidArgument);
    let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(scoped.providers().register("mine", factory()).unwrap_err().code(), ErrorCode::PermissionDenied);
    store.providers().register("mine", factory()).unwrap();
    store.providers().put(&profile("m", "mine", json!({}))).unwrap();
    let run = scoped.aux("p", "assets").sync(&SyncTable::new("assets", "m")).unwrap();
    assert_eq!(run.state, RunState::Succeeded, "all handles of the store know it");
}

/// A source that tells its secret to whoever listens.
struct Blabbing(String);

impl Provider for Blabbing {
    fn capabilities(&self) -> Capabilities {
        Capabilities { read: true, write: false }
    }

    fn pull(&mut self, _: &str, _: &str) -> sprongus::Result<Pulled<'_>> {
        Err(Error::invalid(format!("401 for {}", self.0)).with_details(json!({"sent": [self.0]})))
    }
}

fn secrets(env: &Env) {
    let resolver = |name: &str| match name {
        "WIKI" => Ok("hunter2hunter2".to_owned()),
        _ => Err(Error::not_found("the vault has no such secret")),
    };
    let store = env.open_with(Options { secrets: Some(Arc::new(resolver)), ..env.options() });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let given = seen.clone();
    let factory = move |config: &Map<String, Value>| -> sprongus::Result<Box<dyn Provider>> {
        given.lock().unwrap().push(Value::Object(config.clone()));
        let token = config["auth"]["token"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() { Err(Error::invalid("no token")) } else { Ok(Box::new(Blabbing(token))) }
    };
    store.providers().register("wiki", Arc::new(factory)).unwrap();
    let config = json!({"auth": {"token": {"$secret": "WIKI"}}, "space": "x"});
    store.providers().put(&profile("source", "wiki", config.clone())).unwrap();
    let failed = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    assert_eq!((failed.message(), failed.details()), ("401 for [secret]", Some(&json!({"sent": ["[secret]"]}))));
    assert_eq!(*seen.lock().unwrap(), [json!({"auth": {"token": "hunter2hunter2"}, "space": "x"})]);
    let run = store.runs().list(&ListRuns::default()).unwrap().items.remove(0);
    assert!(!format!("{run:?}").contains("hunter2") && run.error.as_deref().unwrap().contains("401"));
    let events = store.runs().events(&RunEvents::new(&run.id)).unwrap();
    assert!(!format!("{events:?}").contains("hunter2"));
    assert_eq!(Value::Object(store.providers().get(&name("source")).unwrap().config), config);
    store.providers().put(&profile("source", "wiki", json!({"auth": {"token": {"$secret": "NONE"}}}))).unwrap();
    let missing = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    assert_eq!((missing.code(), missing.message()), (ErrorCode::NotFound, "the resolver knows no secret \"NONE\""));
}

fn handler(env: &Env) {
    let resolver = |name: &str| if name == "MAIL" { Ok("pw".to_owned()) } else { Err(Error::not_found("no")) };
    let store = env.open_with(Options { secrets: Some(Arc::new(resolver)), ..env.options() });
    let input = Json::parse(r#"{"password":{"$secret":"MAIL"},"plain":"x","other":{"$secret":"X"}}"#).unwrap();
    let run = store.runs().enqueue(&Enqueue::new("mail", input)).unwrap();
    let worker = store.worker(options()).unwrap();
    worker
        .handle("mail", |context| {
            let input = context.input().to_value();
            let code = |member: &str| context.secret(&input[member]).unwrap_err().code();
            assert_eq!(context.secret(&input["password"])?, "pw");
            assert_eq!((code("plain"), code("other")), (ErrorCode::InvalidArgument, ErrorCode::NotFound));
            Ok(Outcome::None)
        })
        .unwrap();
    worker.run_until_idle(std::time::Duration::ZERO).unwrap();
    let done = store.runs().get(&GetRun::new(&run.id)).unwrap();
    assert_eq!((done.state, done.error), (RunState::Succeeded, None));
}

fn scoped(env: &Env) {
    let store = env.open();
    store.providers().put(&profile("a", "csv", json!({}))).unwrap();
    let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(scoped.providers().get(&name("a")).unwrap().kind, "csv");
    assert_eq!(scoped.providers().list().unwrap().len(), 1);
    let denied = ErrorCode::PermissionDenied;
    assert_eq!(scoped.providers().put(&profile("b", "csv", json!({}))).unwrap_err().code(), denied);
    assert_eq!(scoped.providers().delete(&name("a")).unwrap_err().code(), denied);
    store.scoped("p", &[Scope::Admin]).unwrap().providers().delete(&name("a")).unwrap();
}
