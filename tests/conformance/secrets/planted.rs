//! What is planted: secrets that are to be found nowhere, and a control that is to be found.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sprongus::artifacts::PutArtifact;
use sprongus::aux_store::PutProfile;
use sprongus::runs::{Enqueue, SaveStep};
use sprongus::{Dialect, Error, Json, Options, Store};
use sprongus_conformance::{Backend, Env};
use sprongus_testkit::Postgres;

use crate::grep::Grep;

/// Stands in each of the secrets.
pub(crate) const MARK: &str = "pl4nted-s3cret";
/// Stands in what is stored as it is.
pub(crate) const CONTROL: &str = "c0ntrol-t3xt";

/// A secret that came by that way.
pub(crate) fn secret(way: &str) -> String {
    format!("{MARK}-by-{way}")
}

pub(crate) fn json_of(value: &Value) -> Json {
    Json::from_value(value).unwrap()
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// Names end as their resolver does.
fn resolve(name: &str) -> sprongus::Result<String> {
    let secret = secret(name);
    match name.rsplit('_').next() {
        Some("NONE") => Err(Error::not_found(secret)),
        Some("BROKEN") => Err(Error::invalid(&secret).with_details(json!({ &secret: secret })).with_source(secret)),
        Some("ENVIRONMENT") => Ok(std::env::var(crate::IN_CHILD).unwrap()),
        _ => Ok(secret),
    }
}

/// A store on that backend, whose URL has a password where it can; and what becomes of URLs that lead nowhere.
pub(crate) fn store(env: &Env, grep: &mut Grep) -> Store {
    let options = Options { secrets: Some(Arc::new(resolve)), ..env.options() };
    grep.text("options: Debug", &format!("{options:?}"));
    if env.backend() != Backend::Postgres {
        return Store::open(env.url(), options).unwrap();
    }
    let secret = secret("url");
    for bad in [
        format!("postgresql://postgres:{secret}@127.0.0.1:1/postgres"),
        format!("postgresql://postgres:{secret}@nowhere.invalid/postgres?application_name={secret}&no_such=1"),
        format!("host=127.0.0.1 port=1 user=postgres password={secret}"),
        format!("postgresql://postgres:{secret}@[::1"),
        format!("mysql://ann:{secret}@localhost/db"),
    ] {
        let brief = Options { call_timeout: std::time::Duration::from_secs(2), ..env.options() };
        grep.error(&Store::open(&bad, brief).err().unwrap_or_else(|| panic!("opened {bad}")));
    }
    let listening = Options { listen_url: Some(with_password(&secret)), ..options };
    grep.text("options: Debug", &format!("{listening:?}"));
    let store = Store::open(&with_password(&secret), listening).unwrap();
    assert_eq!(store.backend(), Dialect::Postgres);
    store
}

fn with_password(secret: &str) -> String {
    Postgres::shared().url_tcp().replacen("postgres@", &format!("postgres:{secret}@"), 1)
}

/// What may be stored and is to be found again.
pub(crate) fn control(store: &Store) {
    let told = json!({"text": CONTROL, "token": {"$secret": CONTROL}});
    let run = Enqueue { project: Some("p".into()), ..Enqueue::new("control", json_of(&told)) };
    store.runs().enqueue(&run).unwrap();
    let claimed = store.runs().claim_next(&sprongus::runs::Claim {
        kinds: Some(vec!["control".into()]),
        ..sprongus::runs::Claim::new("control")
    });
    let run = claimed.unwrap().remove(0);
    store.runs().save_step(&SaveStep::new(&run.id, run.lease, "control", json_of(&told))).unwrap();
    store.aux("p", "assets").create(told.clone(), Some("control")).unwrap();
    let put = PutArtifact { project: Some("p".into()), ..PutArtifact::text("control", "a", CONTROL) };
    store.artifacts().put(&put).unwrap();
    let profile = PutProfile { name: "control".into(), kind: "csv".into(), config: map(told) };
    store.providers().put(&profile).unwrap();
}
