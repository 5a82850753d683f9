//! The data source: its pages, and what each endpoint does with them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::filter::matches;
use super::http::Request;
use super::{Fault, NotionServer};

const VERSION: &str = "2026-03-11";
/// References that a page shows of a property.
const SHOWN: usize = 25;

#[derive(Debug)]
pub(super) struct State {
    types: BTreeMap<String, String>,
    pub(super) pages: Vec<Value>,
    pub(super) faults: Vec<(String, Fault)>,
    pub(super) requests: Vec<String>,
    pub(super) limit: usize,
    pub(super) sources: usize,
    made: u32,
    /// Minutes since it began: times are told no finer.
    minute: u32,
}

type Answer = (u16, Value);

/// An error as the API tells it.
pub(super) fn error(status: u16, message: &str) -> Value {
    let code = match status {
        400 => "validation_error",
        401 => "unauthorized",
        403 => "restricted_resource",
        404 => "object_not_found",
        409 => "conflict_error",
        429 => "rate_limited",
        500 => "internal_server_error",
        503 => "service_unavailable",
        504 => "gateway_timeout",
        529 => "service_overload",
        _ => "error",
    };
    json!({ "object": "error", "status": status, "code": code, "message": message })
}

fn refused(status: u16, message: impl AsRef<str>) -> Answer {
    (status, error(status, message.as_ref()))
}

impl State {
    pub(super) fn new(properties: &[(&str, &str)]) -> Self {
        let types = properties.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        Self { types, pages: vec![], faults: vec![], requests: vec![], limit: 10_000, sources: 1, made: 0, minute: 0 }
    }

    pub(super) fn page(&mut self, id: &str) -> &mut Value {
        self.pages.iter_mut().find(|page| page["id"] == id).expect("a page of that id")
    }

    pub(super) fn add(&mut self, properties: &Value) -> String {
        self.made += 1;
        if self.made % 2 == 1 {
            self.minute += 1;
        }
        let id = format!("{:08x}-0000-4000-8000-000000000000", self.made);
        let at = self.now();
        let mut all = Map::new();
        for (name, kind) in &self.types {
            let id = if kind == "title" { "title".to_owned() } else { format!("%3A{}", hex(name)) };
            all.insert(name.clone(), json!({ "id": id, "type": kind, kind: empty(kind, self.made) }));
        }
        self.pages.push(json!({
            "object": "page", "id": id, "created_time": at, "last_edited_time": at, "in_trash": false,
            "parent": { "type": "data_source_id", "data_source_id": NotionServer::DATA_SOURCE,
                        "database_id": NotionServer::DATABASE },
            "properties": all,
        }));
        self.set(&id, properties);
        id
    }

    pub(super) fn change(&mut self, id: &str, properties: &Value) {
        self.minute += 1;
        self.set(id, properties);
        let at = self.now();
        self.page(id)["last_edited_time"] = json!(at);
    }

    fn now(&self) -> String {
        format!("2026-01-01T{:02}:{:02}:00.000Z", self.minute / 60, self.minute % 60)
    }

    fn set(&mut self, id: &str, properties: &Value) {
        let types = self.types.clone();
        let page = self.page(id);
        for (name, value) in properties.as_object().expect("properties") {
            let kind = types.get(name).unwrap_or_else(|| panic!("no property {name}"));
            page["properties"][name][kind] = stored(kind, &value[kind]);
        }
    }

    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if request.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {}", NotionServer::TOKEN))
        {
            return refused(401, "API token is invalid.");
        }
        match request.headers.get("notion-version").map(String::as_str) {
            Some(VERSION) => {}
            Some(other) => return refused(400, format!("Notion-Version header failed validation: {other}")),
            None => return refused(400, "Notion-Version header should be defined"),
        }
        if request.length > 500_000 {
            return refused(413, "the body is too large");
        }
        let parts: Vec<&str> = request.path.trim_start_matches("/v1/").split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["databases", NotionServer::DATABASE]) => (200, self.database()),
            ("GET", ["data_sources", NotionServer::DATA_SOURCE]) => (200, self.data_source()),
            ("POST", ["data_sources", NotionServer::DATA_SOURCE, "query"]) => self.query(&request.body),
            ("POST", ["pages"]) => self.create(&request.body),
            ("GET", ["pages", id]) => self.found(id, |page| (200, shown(page))),
            ("PATCH", ["pages", id]) => self.update(id, &request.body),
            ("GET", ["pages", id, "properties", property]) => {
                self.found(id, |page| property_item(page, property, &request.query))
            }
            _ => refused(404, "Could not find it. Make sure it is shared with your connection."),
        }
    }

    fn found(&self, id: &str, then: impl FnOnce(&Value) -> Answer) -> Answer {
        match self.pages.iter().find(|page| page["id"] == id) {
            Some(page) => then(page),
            None => refused(404, format!("Could not find page with ID: {id}.")),
        }
    }

    fn database(&self) -> Value {
        let sources = (0..self.sources).map(|n| match n {
            0 => json!({ "id": NotionServer::DATA_SOURCE, "name": "first" }),
            n => json!({ "id": format!("{n:08}-0000-4000-8000-000000000000"), "name": format!("other {n}") }),
        });
        json!({ "object": "database", "id": NotionServer::DATABASE, "data_sources": sources.collect::<Vec<_>>() })
    }

    fn data_source(&self) -> Value {
        let each = |(name, kind): (&String, &String)| (name.clone(), json!({ "name": name, "type": kind, kind: {} }));
        let properties: Map<String, Value> = self.types.iter().map(each).collect();
        json!({ "object": "data_source", "id": NotionServer::DATA_SOURCE, "properties": properties })
    }

    fn query(&self, body: &Value) -> Answer {
        let size = body["page_size"].as_u64().unwrap_or(100) as usize;
        if size > 100 {
            return refused(400, "body.page_size should be ≤ `100`");
        }
        let asked = |page: &&Value| page["in_trash"] == false && matches(&body["filter"], page);
        let mut all: Vec<&Value> = self.pages.iter().filter(asked).collect();
        if body["sorts"][0]["timestamp"] == "created_time" {
            all.sort_by_key(|page| page["created_time"].as_str().map(str::to_owned));
        }
        let cut = all.len() > self.limit;
        all.truncate(self.limit);
        let start = match body["start_cursor"].as_str() {
            None => 0,
            Some(cursor) => match cursor.strip_prefix("after:").and_then(|at| at.parse::<usize>().ok()) {
                Some(at) => at,
                None => return refused(400, "The start_cursor provided is invalid"),
            },
        };
        let end = (start + size).min(all.len());
        let more = end < all.len();
        let results: Vec<Value> = all[start..end].iter().map(|page| shown(page)).collect();
        let mut answer = json!({
            "object": "list", "type": "page_or_data_source", "results": results, "has_more": more,
            "next_cursor": more.then(|| format!("after:{end}")),
        });
        if cut {
            answer["request_status"] =
                json!({ "type": "incomplete", "incomplete_reason": "query_result_limit_reached" });
        }
        (200, answer)
    }

    fn create(&mut self, body: &Value) -> Answer {
        if body["parent"]["data_source_id"] != NotionServer::DATA_SOURCE {
            return refused(404, "Could not find data_source.");
        }
        if let Some(wrong) = self.wrong(&body["properties"]) {
            return refused(400, wrong);
        }
        let id = self.add(&body["properties"]);
        (200, shown(self.page(&id)))
    }

    fn update(&mut self, id: &str, body: &Value) -> Answer {
        let Some(page) = self.pages.iter().find(|page| page["id"] == id) else {
            return refused(404, format!("Could not find page with ID: {id}."));
        };
        if page["in_trash"] == true && body["in_trash"] != false {
            return refused(400, "Can't edit page that is in the trash. You must restore it before editing.");
        }
        if let Some(wrong) = self.wrong(&body["properties"]) {
            return refused(400, wrong);
        }
        if body["properties"].is_object() {
            self.change(id, &body["properties"]);
        }
        let page = self.page(id);
        if let Some(trash) = body["in_trash"].as_bool() {
            page["in_trash"] = json!(trash);
        }
        (200, shown(page))
    }

    /// What is wrong with properties that are to be written.
    fn wrong(&self, properties: &Value) -> Option<String> {
        for (name, value) in properties.as_object().into_iter().flatten() {
            let Some(kind) = self.types.get(name) else {
                return Some(format!("{name} is not a property that exists."));
            };
            let Some(inner) = value.get(kind) else { return Some(format!("{name} is expected to be {kind}.")) };
            let items = inner.as_array().map_or(0, Vec::len);
            let long =
                |item: &Value| item["text"]["content"].as_str().is_some_and(|text| text.encode_utf16().count() > 2000);
            if items > 100 || inner.as_array().is_some_and(|items| items.iter().any(long)) {
                return Some(format!("body.properties.{name} should be shorter"));
            }
            if matches!(kind.as_str(), "formula" | "rollup" | "unique_id" | "created_time" | "last_edited_time") {
                return Some(format!("{name} cannot be written."));
            }
        }
        None
    }
}

fn hex(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What a new page has in a property.
fn empty(kind: &str, number: u32) -> Value {
    match kind {
        "title" | "rich_text" | "multi_select" | "people" | "relation" | "files" => json!([]),
        "checkbox" => json!(false),
        "unique_id" => json!({ "prefix": "T", "number": number }),
        _ => Value::Null,
    }
}

/// A value as it is kept: texts get their plain form.
fn stored(kind: &str, value: &Value) -> Value {
    let mut value = value.clone();
    if matches!(kind, "title" | "rich_text") {
        for item in value.as_array_mut().expect("text objects") {
            if item.get("plain_text").is_none() {
                item["plain_text"] = item["text"]["content"].clone();
            }
        }
    }
    value
}

/// A page as it is shown: of long lists of references the start.
fn shown(page: &Value) -> Value {
    let mut page = page.clone();
    for (_, property) in page["properties"].as_object_mut().expect("properties") {
        if property["type"] == "relation" {
            let more = property["relation"].as_array().is_some_and(|all| all.len() > SHOWN);
            property["has_more"] = json!(more);
        }
        for kind in ["relation", "people"] {
            if let Some(all) = property[kind].as_array_mut() {
                all.truncate(SHOWN);
            }
        }
    }
    page
}

fn property_item(page: &Value, id: &str, query: &BTreeMap<String, String>) -> Answer {
    let properties = page["properties"].as_object().expect("properties");
    let Some(property) = properties.values().find(|property| property["id"] == id) else {
        return refused(404, format!("Could not find property with ID: {id}."));
    };
    let kind = property["type"].as_str().expect("a type");
    let Some(all) = property[kind].as_array() else {
        return (200, json!({ "object": "property_item", "id": id, "type": kind, kind: property[kind] }));
    };
    let size: usize = query.get("page_size").map_or(100, |size| size.parse().expect("a size"));
    let start: usize =
        query.get("start_cursor").map_or(0, |at| at.trim_start_matches("after%3A").parse().expect("a cursor"));
    let end = (start + size).min(all.len());
    let item = |one: &Value| json!({ "object": "property_item", "id": id, "type": kind, kind: one });
    let more = end < all.len();
    let answer = json!({
        "object": "list", "type": "property_item", "property_item": { "id": id, "type": kind, kind: {} },
        "results": all[start..end].iter().map(item).collect::<Vec<_>>(),
        "has_more": more, "next_cursor": more.then(|| format!("after:{end}")),
    });
    (200, answer)
}
