//! Changes made to a data source. Every change may be made again after a failure: it does nothing twice.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::client::Client;
use super::config::uuid;
use super::pull::{entry_id, fields, in_trash, next_cursor};
use super::read;
use super::schema::{Property, Schema, unexpected};
use super::write::{self, Refusal};
use crate::aux_store::providers::Changes;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::pointer;

/// Makes the changes; nothing is sent before all documents are judged.
pub(super) fn push(client: &mut Client, schema: &Schema, changes: &Changes) -> Result<()> {
    let documents = || changes.created.iter().chain(&changes.updated);
    let mut wrong = Vec::new();
    let pages: Vec<Wanted<'_>> = documents().filter_map(|document| Wanted::of(schema, document, &mut wrong)).collect();
    if !wrong.is_empty() {
        return Err(Error::validation(wrong));
    }
    let mut pushing = Pushing { client, schema };
    pages.iter().try_for_each(|page| pushing.put(page))?;
    changes.deleted.iter().try_for_each(|id| pushing.trash(id))
}

/// A page as it is to be.
struct Wanted<'d> {
    id: &'d str,
    /// By the name of the property.
    values: BTreeMap<&'d str, Given<'d>>,
}

/// The value of a field.
struct Given<'d> {
    field: &'d str,
    value: Option<Value>,
    /// As the API takes it; where it is more than a request may hold, what is wrong if it must be written.
    written: Result<Value, Violation>,
}

impl<'d> Wanted<'d> {
    fn of(schema: &'d Schema, document: &'d Map<String, Value>, wrong: &mut Vec<Violation>) -> Option<Self> {
        let Some(id) = document.get("id").and_then(Value::as_str) else {
            wrong.push(Violation::new("/id", "required", "a document that is pushed has its id"));
            return None;
        };
        let refusal = |field: &str, keyword: &str, message: String| {
            let path = pointer([field]);
            Violation { id: Some(id.to_owned()), ..Violation::new(path, keyword, message) }
        };
        let known = |field: &str| matches!(field, "id" | "lastUpdated") || schema.fields.contains_key(field);
        let strangers = document.keys().filter(|field| !known(field));
        let no_property = "the data source has no property for this field";
        wrong.extend(strangers.map(|field| refusal(field, "additionalProperties", no_property.to_owned())));
        let mut values = BTreeMap::new();
        for (field, property) in schema.fields.iter().filter(|(_, property)| write::is_writable(&property.kind)) {
            let value = document.get(field).cloned().and_then(read::full);
            let written = match write::value(&property.kind, value.as_ref()) {
                Ok(written) => Ok(written),
                Err(Refusal::Limit(message)) => Err(refusal(field, &property.kind, message)),
                Err(Refusal::Type(message)) => {
                    wrong.push(refusal(field, &property.kind, message));
                    continue;
                }
            };
            values.insert(property.name.as_str(), Given { field, value, written });
        }
        Some(Self { id, values })
    }

    /// What differs from the fields there are. What is the same is left alone, and keeps its formatting.
    fn changes(&self, present: &Map<String, Value>) -> Result<Map<String, Value>> {
        let (mut changes, mut wrong) = (Map::new(), Vec::new());
        for (name, given) in self.values.iter().filter(|(_, given)| given.differs(present.get(given.field))) {
            match &given.written {
                Ok(written) => drop(changes.insert((*name).to_owned(), written.clone())),
                Err(violation) => wrong.push(violation.clone()),
            }
        }
        if wrong.is_empty() { Ok(changes) } else { Err(Error::validation(wrong)) }
    }
}

impl Given<'_> {
    /// Whether it is another value than the present one. A box that is not checked is one that is not there.
    fn differs(&self, present: Option<&Value>) -> bool {
        match (present, &self.value) {
            (Some(Value::Bool(false)), None) | (None, Some(Value::Bool(false))) => false,
            (present, value) => present != value.as_ref(),
        }
    }
}

struct Pushing<'p> {
    client: &'p mut Client,
    schema: &'p Schema,
}

impl Pushing<'_> {
    /// Makes a page be as it is to be, there or not.
    fn put(&mut self, wanted: &Wanted<'_>) -> Result<()> {
        let mut attempt = 1;
        loop {
            if let Some(page) = self.find(wanted.id)? {
                return self.update(&page, wanted);
            }
            let body = self.new_page(wanted)?;
            match self.client.create("pages", &body) {
                Ok(_) => return Ok(()),
                // It may be there all the same: it is looked for before it is made again.
                Err(failure) => self.client.rest(failure, attempt)?,
            }
            attempt += 1;
        }
    }

    fn new_page(&self, wanted: &Wanted<'_>) -> Result<Value> {
        let Some(key) = &self.schema.id_property else {
            return Err(Error::new(
                ErrorCode::Unsupported,
                "Notion gives a page its own id: to push entries that were made here, name the property that keeps theirs \
                 as idProperty",
            ));
        };
        let mut properties = wanted.changes(&Map::new())?;
        properties.insert(key.name.clone(), id_value(key, wanted.id)?);
        let parent = json!({ "type": "data_source_id", "data_source_id": self.schema.id });
        Ok(json!({ "parent": parent, "properties": properties }))
    }

    fn update(&mut self, page: &Value, wanted: &Wanted<'_>) -> Result<()> {
        let path = path_of(page)?;
        if in_trash(page) {
            self.client.patch(&path, &json!({ "in_trash": false }))?;
        }
        let changes = wanted.changes(&fields(self.client, self.schema, page)?)?;
        if !changes.is_empty() {
            self.client.patch(&path, &json!({ "properties": changes }))?;
        }
        Ok(())
    }

    /// Moves a page into the trash, unless it is there or gone.
    fn trash(&mut self, id: &str) -> Result<()> {
        let Some(page) = self.find(id)?.filter(|page| !in_trash(page)) else { return Ok(()) };
        match self.client.patch(&path_of(&page)?, &json!({ "in_trash": true })) {
            // The answer of an attempt before may be what was lost: a page in the trash takes no more changes.
            Err(error) if matches!(error.code(), ErrorCode::Validation | ErrorCode::NotFound) => match self.find(id)? {
                Some(page) if !in_trash(&page) => Err(error),
                _ => Ok(()),
            },
            answer => answer.map(drop),
        }
    }

    /// The page of an entry: by its id property, else by the page's own id.
    fn find(&mut self, id: &str) -> Result<Option<Value>> {
        if let Some(page) = self.find_by_property(id)? {
            return Ok(Some(page));
        }
        let Some(page) = uuid(id).filter(|page| page == id) else { return Ok(None) };
        match self.client.get(&format!("pages/{page}")) {
            // A page of somewhere else is none of ours to change.
            Ok(page) => Ok(Some(page).filter(|page| page["parent"]["data_source_id"] == self.schema.id)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Notion's `equals` may see less than we do, so every page it gives is looked at.
    fn find_by_property(&mut self, id: &str) -> Result<Option<Value>> {
        let Some(key) = &self.schema.id_property else { return Ok(None) };
        let Some(equals) = id_filter(key, id) else { return Ok(None) };
        let mut body = json!({ "filter": { "property": key.name, &key.kind: { "equals": equals } }, "page_size": 100 });
        let mut cursor = None::<String>;
        loop {
            let mut answer = self.client.query(&format!("data_sources/{}/query", self.schema.id), &body)?;
            cursor = next_cursor(&answer, cursor.as_deref())?;
            let Value::Array(pages) = answer["results"].take() else {
                return Err(unexpected("a list without results"));
            };
            let same = |page: &Value| entry_id(page, Some(key)).as_deref() == Some(id);
            if let Some(page) = pages.into_iter().find(same) {
                return Ok(Some(page));
            }
            match &cursor {
                Some(cursor) => body["start_cursor"] = json!(cursor),
                None => return Ok(None),
            }
        }
    }
}

fn path_of(page: &Value) -> Result<String> {
    let id = page["id"].as_str().and_then(uuid).ok_or_else(|| unexpected("a page without an id"))?;
    Ok(format!("pages/{id}"))
}

/// What the id property of an entry is asked to equal; none where no page can have that id.
fn id_filter(key: &Property, id: &str) -> Option<Value> {
    match key.kind.as_str() {
        "number" => serde_json::from_str::<Value>(id).ok().filter(Value::is_number),
        // `PREFIX-17` is asked for by its number.
        "unique_id" => id.rsplit('-').next()?.parse::<i64>().ok().map(Value::from),
        _ => Some(id.into()),
    }
}

/// The id of an entry as the value of the property that keeps it. A number must come back as the same text: Notion's are
/// those of JavaScript, exact up to 2^53.
fn id_value(key: &Property, id: &str) -> Result<Value> {
    let exact = |number: &i64| number.unsigned_abs() <= 1 << 53 && *id == *number.to_string();
    let number = id.parse::<i64>().ok().filter(|number| key.kind == "number" && exact(number));
    let given = number.map_or_else(|| Value::from(id), Value::from);
    write::value(&key.kind, Some(&given)).map_err(|refusal| {
        let (Refusal::Type(message) | Refusal::Limit(message)) = refusal;
        let message = format!("the id cannot be kept in the property {:?}: {message}", key.name);
        Error::validation(vec![Violation { id: Some(id.to_owned()), ..Violation::new("/id", &key.kind, message) }])
    })
}
