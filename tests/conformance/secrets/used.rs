//! Secrets that are resolved, and whoever uses them fails in every way there is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sprongus::artifacts::PutArtifact;
use sprongus::aux_store::providers::{Capabilities, Provider, Pulled};
use sprongus::aux_store::{PutProfile, SyncTable};
use sprongus::runs::{Enqueue, ListRuns};
use sprongus::worker::{Context, HandlerError, Outcome};
use sprongus::{Error, ErrorCode, Json, RunState, Store, WorkerOptions};
use sprongus_testkit::NotionServer;

use crate::grep::Grep;
use crate::planted::{MARK, json_of, map};

const KINDS: [&str; 10] =
    ["fails", "retries", "panics", "outputs", "refers", "steps", "asks", "keeps", "gets_none", "gets_broken"];

pub(crate) fn all(store: &Store, grep: &mut Grep) {
    handlers(store, grep);
    providers(store, grep);
    notion(store, grep);
}

fn handlers(store: &Store, grep: &mut Grep) {
    let worker = store.worker(WorkerOptions::default()).unwrap();
    for kind in KINDS {
        worker.handle(kind, move |context: &Context| handle(kind, context)).unwrap();
        let input = json!({"token": {"$secret": format!("handler_{kind}")}, "env": {"$secret": "ENVIRONMENT"}});
        let project = Some("p".to_owned());
        let run = Enqueue { max_attempts: 1, project, ..Enqueue::new(kind, json_of(&input)) };
        store.runs().enqueue(&run).unwrap();
    }
    worker.run_until_idle(Duration::ZERO).unwrap();
    let ended = store.runs().list(&ListRuns::default()).unwrap().items;
    let stands = |state| ended.iter().filter(|run| KINDS.contains(&run.kind.as_str()) && run.state == state).count();
    let states = [RunState::Failed, RunState::Succeeded, RunState::AwaitingApproval];
    assert_eq!(states.map(stands), [5, 4, 1], "every way of ending was taken");
    grep.text("worker: stats", &format!("{:?}", worker.metrics()));
}

fn handle(kind: &str, context: &Context) -> Result<Outcome, HandlerError> {
    let input = context.input().to_value();
    if let Some(how) = kind.strip_prefix("gets_") {
        let name = format!("handler_{}", how.to_uppercase());
        return context.secret(&json!({ "$secret": name })).map(|_| Outcome::None).map_err(HandlerError::from);
    }
    let (secret, own) = (context.secret(&input["token"])?, context.secret(&input["env"])?);
    assert!(secret.contains(MARK) && own.contains(MARK), "they are resolved");
    let quoted = json_of(&json!({ "sent": [secret, own], secret.clone(): {"deep": format!("x{own}x")} }));
    match kind {
        "fails" => Err(HandlerError::Fatal(format!("401 for {secret} and {own}"))),
        "retries" => Err(HandlerError::Retry(format!("{quoted:?} {}", secret.repeat(2000)))),
        "panics" => std::panic::resume_unwind(Box::new(format!("{secret} {own}"))),
        "outputs" => Ok(Outcome::Output(quoted)),
        "refers" => Ok(Outcome::Ref(format!("https://ann:{secret}@example.org"))),
        "steps" => {
            context.heartbeat(quoted.clone())?;
            context.step("step", || Ok(quoted)).map(Outcome::Output)
        }
        "asks" => {
            context.approval("leave", &format!("send {secret}"), None, quoted)?;
            Ok(Outcome::None)
        }
        _ => {
            let refused = context.artifact(&PutArtifact::json("report", "a", quoted)).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::SecretDetected);
            Ok(Outcome::Output(Json::from_serialize(&format!("{refused:?}"))?))
        }
    }
}

/// Tells its secret to whoever listens.
struct Blabbing(String);

impl Blabbing {
    fn error(&self) -> Error {
        let told = format!("401 for {}", self.0);
        Error::invalid(&told).with_details(json!({ &self.0: [told] })).with_source(self.0.clone())
    }
}

impl Provider for Blabbing {
    fn capabilities(&self) -> Capabilities {
        Capabilities { read: true, write: false }
    }

    fn pull(&mut self, _: &str, _: &str) -> sprongus::Result<Pulled<'_>> {
        Err(self.error())
    }
}

fn providers(store: &Store, grep: &mut Grep) {
    let factory = |config: &Map<String, Value>| -> sprongus::Result<Box<dyn Provider>> {
        let blabbing = Blabbing(config["auth"]["token"].as_str().unwrap_or_default().to_owned());
        assert!(blabbing.0.contains(MARK));
        if config.contains_key("fail") { Err(blabbing.error()) } else { Ok(Box::new(blabbing)) }
    };
    store.providers().register("blabbing", Arc::new(factory)).unwrap();
    let named = |name: &str| json!({"token": {"$secret": name}});
    for (name, config) in [
        ("pulls", json!({"auth": named("provider")})),
        ("makes", json!({"auth": named("provider"), "fail": true})),
        ("none", json!({"auth": named("provider_NONE")})),
        ("broken", json!({"auth": named("provider_BROKEN")})),
    ] {
        let profile = PutProfile { name: name.into(), kind: "blabbing".into(), config: map(config) };
        store.providers().put(&profile).unwrap();
        for enqueue in [false, true] {
            let sync = SyncTable { enqueue, ..SyncTable::new("assets", name) };
            match store.aux("p", "assets").sync(&sync) {
                Ok(_) => assert!(enqueue),
                Err(error) => grep.error(&error),
            }
        }
    }
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
}

/// A token that the server does not take, and which it tells back.
fn notion(store: &Store, grep: &mut Grep) {
    let server = NotionServer::start(&[("Name", "title")]);
    let mut config = server.config(&json!({"$secret": "notion"}));
    config["properties"] = json!({"title": "Name"});
    store.providers().put(&PutProfile { name: "wiki".into(), kind: "notion".into(), config: map(config) }).unwrap();
    server.fail_saying("GET", 400, &format!("is it {}?", crate::planted::secret("notion")));
    for _ in 0..2 {
        grep.error(&store.aux("p", "assets").sync(&SyncTable::new("assets", "wiki")).unwrap_err());
    }
}
