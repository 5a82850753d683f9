//! Settings: of the store and of projects, by key, with an audit that holds no values (DESIGN.md §9a, §15 "Scoped handles").

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sprongus::config::{GetConfig, ListConfig, SetConfig, UnsetConfig};
use sprongus::events::ReadEvents;
use sprongus::{ErrorCode, Json, Options, Scope, Store};
use sprongus_conformance::{Backend, Case, Env, Face};

use crate::projects::{call, rows, told};
use crate::runs::{code, eight, json as parsed};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case("config::a_value_comes_back_as_it_was", &["config.set", "config.get"], true, kept),
        case("config::store_and_projects_are_apart", &["config.set", "config.get"], true, apart),
        case("config::what_is_not_set_is_no_error", &["config.get", "config.unset"], true, unset),
        case("config::settings_are_listed_by_prefix", &["config.list"], true, listed),
        case("config::bad_requests_write_nothing", &["config.set", "config.list"], true, bad),
        case("config::credentials_are_refused_with_their_path", &["config.set"], true, credentials),
        case("config::each_change_is_an_event_without_the_value", &["config.set", "config.unset"], true, audited),
        case(
            "config::a_scoped_handle_has_its_own_projects",
            &["config.get", "config.set", "config.unset"],
            false,
            scoped,
        ),
        case("config::eight_set_and_the_last_one_counts", &["config.set"], false, race),
        case("config::a_value_has_a_size", &["config.set"], false, sized),
        case("config::within_a_transaction", &["config.set"], false, transaction),
        case("config::a_store_that_is_only_read_sets_nothing", &["config.set"], false, read_only),
        case("config::the_doors_take_json", &["config.get", "config.set", "config.unset", "config.list"], true, door),
    ]
}

fn of(project: Option<&str>, key: &str) -> GetConfig {
    GetConfig { project: project.map(str::to_owned), ..GetConfig::new(key) }
}

fn put(project: Option<&str>, key: &str, value: &str) -> SetConfig {
    SetConfig { project: project.map(str::to_owned), ..SetConfig::new(key, parsed(value)) }
}

fn value(on: Face<'_, '_>, project: Option<&str>, key: &str) -> Option<String> {
    let setting = on.config().get(&of(project, key)).unwrap();
    setting.found.then(|| setting.value.as_str().to_owned())
}

fn kept(env: &Env) {
    env.within(|on| {
        for text in [
            "null",
            "true",
            "0",
            "-1",
            "18446744073709551615",
            "1.0",
            "1e16",
            "-0.5",
            r#""""#,
            r#""é \u2028 \" \\ 😀""#,
            "[]",
            "{}",
            r#"{"a":[1,1.0,null,{"b":""}],"z":{"deep":[[[[1]]]]}}"#,
        ] {
            let value = parsed(text);
            on.config().set(&SetConfig::new("k", value.clone())).unwrap();
            let setting = on.config().get(&GetConfig::new("k")).unwrap();
            assert_eq!((setting.key.as_str(), &setting.value, setting.found), ("k", &value, true), "{text}");
        }
        for key in ["a", "0", "a.b:c-d_e", ".", "active-project", &"k".repeat(128)] {
            on.config().set(&put(None, key, "1")).unwrap();
            assert_eq!(value(on, None, key).as_deref(), Some("1"), "{key}");
        }
    });
}

fn apart(env: &Env) {
    env.within(|on| {
        on.config().set(&put(None, "k", r#""store""#)).unwrap();
        on.config().set(&put(Some("p"), "k", r#""p""#)).unwrap();
        on.config().set(&put(Some("q"), "k", r#""q""#)).unwrap();
        assert_eq!(value(on, None, "k").as_deref(), Some(r#""store""#));
        assert_eq!(value(on, Some("p"), "k").as_deref(), Some(r#""p""#));
        assert_eq!(value(on, Some("r"), "k"), None, "the store's is no default of a project's");
        on.config().unset(&UnsetConfig { project: Some("p".into()), ..UnsetConfig::new("k") }).unwrap();
        assert_eq!(value(on, Some("p"), "k"), None);
        assert_eq!(value(on, Some("q"), "k").as_deref(), Some(r#""q""#));
    });
}

fn unset(env: &Env) {
    env.within(|on| {
        let setting = on.config().get(&GetConfig::new("nothing")).unwrap();
        assert_eq!((setting.value, setting.found), (Json::null(), false));
        on.config().unset(&UnsetConfig::new("nothing")).unwrap();
        on.config().set(&put(None, "k", "null")).unwrap();
        assert_eq!(value(on, None, "k").as_deref(), Some("null"), "null is a value");
        on.config().unset(&UnsetConfig::new("k")).unwrap();
        on.config().unset(&UnsetConfig::new("k")).unwrap();
        assert_eq!(value(on, None, "k"), None);
    });
}

fn listed(env: &Env) {
    env.within(|on| {
        for key in ["ui", "ui.a", "ui.b", "ui-x", "ui_x", "uj", "u", "z", "0"] {
            on.config().set(&put(None, key, "1")).unwrap();
        }
        on.config().set(&put(Some("p"), "ui.p", "2")).unwrap();
        let list = |prefix: &str, project: Option<&str>| {
            let which = ListConfig { prefix: prefix.to_owned(), project: project.map(str::to_owned) };
            on.config().list(&which).unwrap().into_keys().collect::<Vec<_>>()
        };
        assert_eq!(list("", None), ["0", "u", "ui", "ui-x", "ui.a", "ui.b", "ui_x", "uj", "z"]);
        assert_eq!(list("ui.", None), ["ui.a", "ui.b"]);
        assert_eq!(list("ui", None), ["ui", "ui-x", "ui.a", "ui.b", "ui_x"]);
        assert_eq!(list("z", None), ["z"]);
        assert_eq!(list("zz", None), [] as [&str; 0]);
        assert_eq!(list("", Some("p")), ["ui.p"]);
        assert_eq!(on.config().list(&ListConfig::default()).unwrap()["ui"], parsed("1"));
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        on.config().set(&put(None, "k", "1")).unwrap();
        let before = rows(on, &["config", "events"]);
        let long = "k".repeat(129);
        for key in ["", "A", "a b", "a/b", "ä", "a\u{0}", "a\n", "k'; DROP TABLE sprongus_config --", "%", &long] {
            assert_eq!(code(on.config().set(&put(None, key, "2"))), ErrorCode::InvalidArgument, "{key:?}");
            assert_eq!(code(on.config().get(&GetConfig::new(key))), ErrorCode::InvalidArgument, "{key:?}");
            assert_eq!(code(on.config().unset(&UnsetConfig::new(key))), ErrorCode::InvalidArgument, "{key:?}");
            let list = ListConfig { prefix: key.to_owned(), ..ListConfig::default() };
            assert_eq!(on.config().list(&list).is_ok(), key.is_empty(), "{key:?}");
        }
        for project in ["", "a\u{0}", &"p".repeat(129)] {
            assert_eq!(code(on.config().set(&put(Some(project), "k", "2"))), ErrorCode::InvalidArgument);
            assert_eq!(code(on.config().get(&of(Some(project), "k"))), ErrorCode::InvalidArgument);
        }
        assert_eq!(rows(on, &["config", "events"]), before);
    });
}

fn credentials(env: &Env) {
    env.within(|on| {
        let before = rows(on, &["config", "events"]);
        for (key, value, path) in [
            ("api.token", r#""plain""#, "/api.token"),
            ("mail", r#"{"smtp":{"password":"hunter22"}}"#, "/mail/smtp/password"),
        ] {
            let error = on.config().set(&put(Some("p"), key, value)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::SecretDetected, "{key}");
            assert_eq!(error.violations_list()[0].path, path);
            assert!(!error.to_json().to_string().contains("hunter22"));
        }
        assert_eq!(rows(on, &["config", "events"]), before);
        on.config().set(&put(Some("p"), "api.token", r#"{"$secret":"API_TOKEN"}"#)).unwrap();
        on.config().set(&put(Some("p"), "mail", r#"{"smtp":{"password":{"$secret":"SMTP"}}}"#)).unwrap();
    });
}

fn audited(env: &Env) {
    env.within(|on| {
        on.config().set(&put(Some("p/q"), "k", r#""private""#)).unwrap();
        on.config().set(&put(Some("p/q"), "k", r#""private""#)).unwrap();
        on.config().set(&put(Some("p/q"), "k", r#""other""#)).unwrap();
        on.config().unset(&UnsetConfig { project: Some("p/q".into()), ..UnsetConfig::new("k") }).unwrap();
        on.config().set(&put(None, "k", "1")).unwrap();
        let payload = json!({"key": "k"});
        let event = |kind: &str| (kind.to_owned(), payload.clone());
        assert_eq!(told(on, "config:p/q/k"), [event("config.set"), event("config.set"), event("config.unset")]);
        assert_eq!(told(on, "config:k"), [event("config.set")]);
        assert!(!rows(on, &["events"]).contains("private"));
    });
}

fn scoped(env: &Env) {
    let store = env.open();
    store.config().set(&put(None, "k", r#""store""#)).unwrap();
    store.config().set(&put(Some("q"), "k", r#""q""#)).unwrap();
    let p = store.scoped("p", Scope::DEFAULT).unwrap();
    let on = Face::Store(&p);
    assert_eq!(value(on, None, "k"), None, "the store's is not its own");
    p.config().set(&put(None, "k", r#""p""#)).unwrap();
    p.config().set(&put(Some("p"), "own", "1")).unwrap();
    assert_eq!(value(on, None, "k").as_deref(), Some(r#""p""#));
    assert_eq!(value(Face::Store(&store), Some("p"), "k").as_deref(), Some(r#""p""#));
    assert_eq!(value(Face::Store(&store), None, "k").as_deref(), Some(r#""store""#));
    let keys = |which: &ListConfig| p.config().list(which).unwrap().into_keys().collect::<Vec<_>>();
    assert_eq!(keys(&ListConfig::default()), ["k", "own"]);
    let elsewhere = Some("q".to_owned());
    assert_eq!(code(p.config().get(&of(Some("q"), "k"))), ErrorCode::PermissionDenied);
    assert_eq!(code(p.config().set(&put(Some("q"), "k", "1"))), ErrorCode::PermissionDenied);
    let unset = UnsetConfig { project: elsewhere.clone(), ..UnsetConfig::new("k") };
    assert_eq!(code(p.config().unset(&unset)), ErrorCode::PermissionDenied);
    let list = ListConfig { project: elsewhere, ..ListConfig::default() };
    assert_eq!(code(p.config().list(&list)), ErrorCode::PermissionDenied);
    let reader = store.scoped("p", &[Scope::AuxRead]).unwrap();
    assert_eq!(value(Face::Store(&reader), None, "own").as_deref(), Some("1"));
    assert_eq!(code(reader.config().set(&put(None, "k", "1"))), ErrorCode::PermissionDenied);
    assert_eq!(code(reader.config().unset(&UnsetConfig::new("k"))), ErrorCode::PermissionDenied);
    let runner = store.scoped("p", &[Scope::RunsRead, Scope::RunsWrite]).unwrap();
    assert_eq!(code(runner.config().get(&GetConfig::new("k"))), ErrorCode::PermissionDenied);
    let admin = store.scoped("p", &[Scope::Admin]).unwrap();
    assert_eq!(value(Face::Store(&admin), Some("q"), "k").as_deref(), Some(r#""q""#));
    assert_eq!(value(Face::Store(&admin), None, "k").as_deref(), Some(r#""p""#), "no project is its own");
    let events =
        p.events().read(&ReadEvents { types: Some(vec!["config.*".into()]), ..ReadEvents::default() }).unwrap();
    assert_eq!(events.items.len(), 2, "of its own project alone");
    let denied = ReadEvents { types: Some(vec!["config.set".into()]), ..ReadEvents::default() };
    assert_eq!(code(runner.events().read(&denied)), ErrorCode::PermissionDenied);
}

fn race(env: &Env) {
    let store = env.open();
    eight(env, &store, |store| {
        for n in 0..25 {
            store.config().set(&put(None, "k", &n.to_string())).unwrap();
            if n % 5 == 0 {
                store.config().unset(&UnsetConfig::new("k")).unwrap();
            }
        }
    });
    assert_eq!(value(Face::Store(&store), None, "k").as_deref(), Some("24"));
    let seqs = store.query("SELECT count(*), max(seq) FROM sprongus_events WHERE subject = 'config:k'", &[]).unwrap();
    assert_eq!(seqs[0].values()[0], seqs[0].values()[1], "1 to n without gaps");
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_payload_bytes: 100, ..env.options() });
    let text = |length: usize| Json::from_value(&json!("x".repeat(length))).unwrap();
    store.config().set(&SetConfig::new("k", text(98))).unwrap();
    assert_eq!(code(store.config().set(&SetConfig::new("k", text(99)))), ErrorCode::TooLarge);
}

fn transaction(env: &Env) {
    let store = env.open();
    let undone: sprongus::Result<()> = store.transaction(|tx| {
        tx.config().set(&put(None, "k", "1"))?;
        assert_eq!(value(Face::Tx(tx), None, "k").as_deref(), Some("1"));
        Err(sprongus::Error::misuse("no"))
    });
    assert_eq!(code(undone), ErrorCode::Misuse);
    assert_eq!(value(Face::Store(&store), None, "k"), None);
}

fn read_only(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        return; // there is nothing in it to read
    }
    env.open().config().set(&put(None, "k", "1")).unwrap();
    let store = Store::open(env.url(), Options { read_only: true, ..env.options() }).unwrap();
    assert_eq!(value(Face::Store(&store), None, "k").as_deref(), Some("1"));
    assert_eq!(code(store.config().set(&put(None, "k", "2"))), ErrorCode::PermissionDenied);
    assert_eq!(code(store.config().unset(&UnsetConfig::new("k"))), ErrorCode::PermissionDenied);
}

fn door(env: &Env) {
    env.within(|on| {
        assert_eq!(call(on, "config.set", &json!({"key": "k", "value": {"a": 1.0}})).unwrap(), Value::Null);
        let got = call(on, "config.get", &json!({"key": "k"})).unwrap();
        assert_eq!(got, json!({"key": "k", "value": {"a": 1.0}, "found": true}));
        call(on, "config.set", &json!({"key": "n", "value": null, "project": "p"})).unwrap();
        let null = call(on, "config.get", &json!({"key": "n", "project": "p"})).unwrap();
        assert_eq!(null, json!({"key": "n", "value": null, "found": true}));
        assert_eq!(call(on, "config.list", &json!({})).unwrap(), json!({"k": {"a": 1.0}}));
        assert_eq!(call(on, "config.unset", &json!({"key": "k"})).unwrap(), Value::Null);
        assert_eq!(
            call(on, "config.get", &json!({"key": "k"})).unwrap(),
            json!({"key": "k", "value": null, "found": false})
        );
        assert_eq!(call(on, "config.list", &json!({"prefix": "k"})).unwrap(), json!({}));
        for request in [
            json!({"key": "k"}),
            json!({"value": 1}),
            json!({"key": 1, "value": 1}),
            json!({"key": "k", "value": 1, "x": 1}),
        ] {
            assert!(call(on, "config.set", &request).is_err(), "{request}");
        }
        let listed: BTreeMap<String, Json> = on.config().list(&ListConfig::default()).unwrap();
        assert!(listed.is_empty());
    });
}
