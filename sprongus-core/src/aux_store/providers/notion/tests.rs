//! Against a server on this host that behaves as the published API does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod logged;
mod pulling;
mod pushing;
mod trouble;

use serde_json::{Map, Value, json};
use sprongus_testkit::NotionServer;

use super::{Client, Config, Notion};
use crate::aux_store::providers::{Changes, Provider};
use crate::error::Result;

const PROPERTIES: &[(&str, &str)] = &[
    ("Name", "title"),
    ("Key", "rich_text"),
    ("Notes", "rich_text"),
    ("Year", "number"),
    ("Done", "checkbox"),
    ("Tags", "multi_select"),
    ("Links", "relation"),
    ("Number", "unique_id"),
];

fn text(content: &str) -> Value {
    json!([{ "type": "text", "text": { "content": content } }])
}

fn named(name: &str) -> Value {
    json!({ "Name": { "title": text(name) } })
}

/// A provider of that server, its config with more in it.
fn notion(server: &NotionServer, more: Value) -> Notion {
    let mut config = server.config(&json!(NotionServer::TOKEN));
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = Config::of(config.as_object().unwrap()).unwrap();
    let mut client = Client::new(&config).unwrap();
    client.backoff_base = std::time::Duration::from_millis(2);
    Notion { config, client, schema: None }
}

fn keyed(server: &NotionServer) -> Notion {
    notion(server, json!({ "idProperty": "Key" }))
}

fn pull(notion: &mut Notion) -> Result<Vec<Value>> {
    notion.pull("p", "t")?.collect()
}

fn push(notion: &mut Notion, created: &[Value], updated: &[Value], deleted: &[&str]) -> Result<()> {
    let documents = |all: &[Value]| all.iter().map(|one| one.as_object().unwrap().clone()).collect::<Vec<Map<_, _>>>();
    let deleted = deleted.iter().map(|id| (*id).to_owned()).collect();
    notion.push("p", "t", &Changes { created: documents(created), updated: documents(updated), deleted })
}

/// How many requests begin so.
fn asked(server: &NotionServer, request: &str) -> usize {
    server.requests().iter().filter(|line| line.starts_with(request)).count()
}
