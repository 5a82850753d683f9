//! Every page of a data source, as documents, as they come.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::client::Client;
use super::read;
use super::schema::{Property, Schema, unexpected};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::pointer;

/// Pages of one answer: the most there are.
const PAGE_SIZE: usize = 100;

/// A pull under way.
///
/// A query ends after 10,000 pages, whatever more there are (Notion's guide to large data sources). So pages are asked for in
/// the order of their creation, which never changes; where a query was cut, the next one goes on from the last time it gave.
pub(super) struct Pull<'n> {
    client: &'n mut Client,
    schema: Arc<Schema>,
    waiting: VecDeque<Value>,
    /// The page of each id that was given.
    given: HashMap<String, String>,
    /// From when on pages are asked for.
    since: Option<String>,
    cursor: Option<String>,
    /// Whether the present query gives less than there is.
    cut: bool,
    last_created: Option<String>,
    over: bool,
}

impl<'n> Pull<'n> {
    pub(super) fn new(client: &'n mut Client, schema: Arc<Schema>) -> Self {
        Self {
            client,
            schema,
            waiting: VecDeque::new(),
            given: HashMap::new(),
            since: None,
            cursor: None,
            cut: false,
            last_created: None,
            over: false,
        }
    }

    fn step(&mut self) -> Result<Option<Value>> {
        loop {
            while let Some(page) = self.waiting.pop_front() {
                if let Some(document) = self.document(page)? {
                    return Ok(Some(document));
                }
            }
            if self.over {
                return Ok(None);
            }
            self.ask()?;
        }
    }

    /// Asks for the next pages.
    fn ask(&mut self) -> Result<()> {
        let mut body = json!({
            "page_size": PAGE_SIZE,
            "sorts": [{ "timestamp": "created_time", "direction": "ascending" }],
        });
        if let Some(since) = &self.since {
            body["filter"] = json!({ "timestamp": "created_time", "created_time": { "on_or_after": since } });
        }
        if let Some(cursor) = &self.cursor {
            body["start_cursor"] = json!(cursor);
        }
        let mut answer = self.client.query(&format!("data_sources/{}/query", self.schema.id), &body)?;
        self.cut |= answer["request_status"]["type"] == "incomplete";
        let next = next_cursor(&answer, self.cursor.as_deref())?;
        let Value::Array(pages) = answer["results"].take() else { return Err(unexpected("a list without results")) };
        if let Some(created) = pages.iter().rev().find_map(|page| page["created_time"].as_str()) {
            self.last_created = Some(created.to_owned());
        }
        self.waiting = pages.into();
        self.cursor = next;
        if self.cursor.is_none() {
            self.next_query()?;
        }
        Ok(())
    }

    /// After the last pages of a query: goes on where it was cut, or ends.
    fn next_query(&mut self) -> Result<()> {
        if !self.cut {
            self.over = true;
            return Ok(());
        }
        if self.last_created == self.since {
            return Err(Error::new(
                ErrorCode::Unsupported,
                "more pages than one query gives were created at the same time; Notion cannot list them all",
            ));
        }
        self.since = self.last_created.clone();
        self.cut = false;
        Ok(())
    }

    /// The document of a page; none where it was given already, or is no page of the table.
    fn document(&mut self, page: Value) -> Result<Option<Value>> {
        if page["object"] != "page" || in_trash(&page) {
            return Ok(None);
        }
        let page_id = page["id"].as_str().ok_or_else(|| unexpected("a page without an id"))?;
        if !page["properties"].is_object() {
            let message = "Notion shows no properties: the connection of the token may not read content";
            return Err(Error::new(ErrorCode::PermissionDenied, message));
        }
        let id = entry_id(&page, self.schema.id_property.as_ref()).unwrap_or_else(|| page_id.to_owned());
        match self.given.get(&id) {
            Some(first) if first == page_id => return Ok(None),
            Some(first) => return Err(twice(self.schema.id_property.as_ref(), &id, first, page_id)),
            None => self.given.insert(id.clone(), page_id.to_owned()),
        };
        let mut document = fields(self.client, &self.schema, &page)?;
        document.insert("id".to_owned(), id.into());
        document.insert("lastUpdated".to_owned(), page["last_edited_time"].clone());
        Ok(Some(document.into()))
    }
}

impl Iterator for Pull<'_> {
    type Item = Result<Value>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.over = true;
            self.waiting.clear();
        }
        step.transpose()
    }
}

/// The cursor of what comes next; it never stays where it is.
pub(super) fn next_cursor(answer: &Value, present: Option<&str>) -> Result<Option<String>> {
    match (answer["has_more"].as_bool(), answer["next_cursor"].as_str()) {
        (Some(false) | None, _) => Ok(None),
        (Some(true), Some(next)) if present != Some(next) => Ok(Some(next.to_owned())),
        (Some(true), _) => Err(unexpected("more to come, but no cursor to it")),
    }
}

/// Whether a page was deleted; earlier versions of the API call that archived.
pub(super) fn in_trash(page: &Value) -> bool {
    page["in_trash"] == true || page["archived"] == true
}

/// The id that a page's property gives its entry.
pub(super) fn entry_id(page: &Value, property: Option<&Property>) -> Option<String> {
    match read::value(&page["properties"][&property?.name])? {
        Value::String(id) => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn twice(property: Option<&Property>, id: &str, first: &str, second: &str) -> Error {
    let name = property.map_or("id", |property| property.name.as_str());
    let message =
        format!("the pages {first} and {second} have the same {name}, {id:?}, which is to be the id of one entry");
    Error::validation(vec![Violation::new(pointer([name]), "unique", message)])
}

/// The fields of a page, what a page cuts brought whole.
pub(super) fn fields(client: &mut Client, schema: &Schema, page: &Value) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    for (field, property) in &schema.fields {
        let property = &page["properties"][&property.name];
        let whole = if read::is_cut(property) { whole(client, page, property)? } else { None };
        if let Some(value) = read::value(whole.as_ref().unwrap_or(property)) {
            fields.insert(field.clone(), value);
        }
    }
    Ok(fields)
}

/// A property with all of its items, a page of them at a time.
fn whole(client: &mut Client, page: &Value, property: &Value) -> Result<Option<Value>> {
    let (Some(page), Some(id), Some(kind)) = (page["id"].as_str(), property["id"].as_str(), property["type"].as_str())
    else {
        return Ok(None);
    };
    let path = format!("pages/{page}/properties/{}?page_size={PAGE_SIZE}", encoded_id(id));
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let more = cursor.as_deref().map(|cursor| format!("&start_cursor={}", encoded(cursor))).unwrap_or_default();
        let mut answer = client.get(&format!("{path}{more}"))?;
        if answer["object"] != "list" {
            return Ok(Some(answer));
        }
        if let Value::Array(results) = answer["results"].take() {
            items.extend(results);
        }
        cursor = next_cursor(&answer, cursor.as_deref())?;
        if cursor.is_none() {
            return Ok(Some(assembled(kind, items, &answer["property_item"])));
        }
    }
}

/// A property value of items that came one by one. What a rollup adds up to stands beside the last of them.
fn assembled(kind: &str, items: Vec<Value>, about: &Value) -> Value {
    if kind != "rollup" {
        let items: Value = items.into_iter().filter_map(|mut item| item.get_mut(kind).map(Value::take)).collect();
        return json!({ "type": kind, kind: items });
    }
    match about["rollup"]["type"].as_str() {
        Some("array") => {
            json!({ "type": kind, kind: { "type": "array", "array": items.into_iter().map(element).collect::<Value>() } })
        }
        _ => json!({ "type": kind, kind: about["rollup"] }),
    }
}

/// An element of a rollup as a page would show it: what is a list there is one item here.
fn element(mut item: Value) -> Value {
    let kind = item["type"].as_str().unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "title" | "rich_text" | "people" | "relation") && !item[&kind].is_array() {
        item[&kind] = json!([item[&kind].take()]);
    }
    item
}

/// A property's id within a path: the API gives it encoded already (`f%5C%5C%3Ap`).
fn encoded_id(id: &str) -> String {
    let is_encoded = id.bytes().all(|byte| is_unreserved(byte) || byte == b'%');
    if is_encoded { id.to_owned() } else { encoded(id) }
}

/// Percent-encoded (RFC 3986 §2.1).
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if is_unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
