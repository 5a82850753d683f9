//! The data source behind a profile: its properties, and the fields they are.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::client::Client;
use super::config::{Config, Source};
use crate::error::{Error, ErrorCode, Result};

/// Fields that an entry has of its own.
const RESERVED: &[&str] = &["id", "lastUpdated", "projectId", "tableName"];

/// Property types by which an entry's id can be looked up.
const ID_TYPES: &[&str] = &["title", "rich_text", "number", "url", "email", "phone_number", "unique_id"];

/// A data source as a profile sees it.
pub(super) struct Schema {
    /// The data source's id.
    pub(super) id: String,
    /// By field.
    pub(super) fields: BTreeMap<String, Property>,
    /// The property that holds the entry's id, if one does.
    pub(super) id_property: Option<Property>,
}

/// A property of the data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    /// `title`, `rich_text`, `number`, …
    pub(super) kind: String,
}

impl Schema {
    pub(super) fn read(client: &mut Client, config: &Config) -> Result<Self> {
        let id = match &config.source {
            Source::DataSource(id) => id.clone(),
            Source::Database(id) => only_source(&shared(client.get(&format!("databases/{id}")))?)?,
        };
        let source = shared(client.get(&format!("data_sources/{id}")))?;
        let properties =
            source["properties"].as_object().ok_or_else(|| unexpected("a data source without properties"))?;
        let id_property = config.id_property.as_deref().map(|name| id_property(properties, name)).transpose()?;
        let fields = match &config.properties {
            Some(chosen) => {
                let named = |(field, name): (&String, &String)| Ok((field.clone(), named(properties, name)?));
                chosen.iter().map(named).collect::<Result<_>>()?
            }
            None => every(properties, id_property.as_ref()),
        };
        if let Some(reserved) = fields.keys().find(|field| RESERVED.contains(&field.as_str())) {
            return Err(Error::invalid(format!(
                "an entry has a {reserved} of its own: give that property another field in `properties`"
            )));
        }
        Ok(Self { id, fields, id_property })
    }
}

/// What is not shared with the connection is as good as not there (Notion's page on status codes).
fn shared(answer: Result<Value>) -> Result<Value> {
    answer.map_err(|error| match error.code() {
        ErrorCode::NotFound => {
            Error::not_found(format!("{}; share it with the connection of the token", error.message()))
        }
        _ => error,
    })
}

fn only_source(database: &Value) -> Result<String> {
    let sources = database["data_sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    match sources {
        [one] => one["id"].as_str().map(str::to_owned).ok_or_else(|| unexpected("a data source without an id")),
        [] => Err(Error::not_found("the database has no data source that this token sees")),
        several => {
            let names: Vec<String> = several.iter().map(|one| format!("{} {}", one["id"], one["name"])).collect();
            Err(Error::invalid(format!(
                "the database has several data sources; name one as dataSource: {}",
                names.join(", ")
            )))
        }
    }
}

/// Every property but the id, under its own name; buttons have no value.
fn every(properties: &Map<String, Value>, id: Option<&Property>) -> BTreeMap<String, Property> {
    let all = properties.iter().map(|(name, property)| (name.clone(), property_of(name, property)));
    all.filter(|(_, property)| Some(property) != id && property.kind != "button").collect()
}

fn named(properties: &Map<String, Value>, name: &str) -> Result<Property> {
    let property =
        properties.get(name).ok_or_else(|| Error::invalid(format!("the data source has no property {name:?}")))?;
    Ok(property_of(name, property))
}

fn id_property(properties: &Map<String, Value>, name: &str) -> Result<Property> {
    let property = named(properties, name)?;
    match ID_TYPES.contains(&property.kind.as_str()) {
        true => Ok(property),
        false => Err(Error::invalid(format!("idProperty is one of the types {}", ID_TYPES.join(", ")))),
    }
}

fn property_of(name: &str, property: &Value) -> Property {
    Property { name: name.to_owned(), kind: property["type"].as_str().unwrap_or_default().to_owned() }
}

/// An answer that the API does not give.
pub(super) fn unexpected(what: &str) -> Error {
    Error::new(ErrorCode::Unavailable, format!("Notion answered with {what}"))
}
