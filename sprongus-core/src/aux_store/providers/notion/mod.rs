//! The pages of a Notion data source as documents (feature `notion`), by the API's version 2026-03-11.
//!
//! What a profile of the kind `notion` says, how properties become fields, and what is promised: docs/notion.md.

mod client;
mod config;
mod pull;
mod push;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod token;
mod write;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Capabilities, Changes, Provider, Pulled};
use crate::error::Result;
use client::Client;
use config::Config;
use pull::Pull;
use schema::Schema;

/// A provider from a profile's config, in which secrets are resolved. Nothing is sent yet.
///
/// # Errors
/// `invalid_argument`.
pub(crate) fn provider(config: &Map<String, Value>) -> Result<Box<dyn Provider>> {
    let config = Config::of(config)?;
    let client = Client::new(&config)?;
    Ok(Box::new(Notion { config, client, schema: None }))
}

struct Notion {
    config: Config,
    client: Client,
    /// The data source as it was first seen: a provider is made anew for each sync.
    schema: Option<Arc<Schema>>,
}

impl Notion {
    fn schema(&mut self) -> Result<Arc<Schema>> {
        if let Some(schema) = &self.schema {
            return Ok(schema.clone());
        }
        let schema = Arc::new(Schema::read(&mut self.client, &self.config)?);
        Ok(self.schema.insert(schema).clone())
    }
}

impl Provider for Notion {
    fn capabilities(&self) -> Capabilities {
        Capabilities { read: true, write: true }
    }

    fn pull(&mut self, _project: &str, _table: &str) -> Result<Pulled<'_>> {
        let schema = self.schema()?;
        Ok(Box::new(Pull::new(&mut self.client, schema)))
    }

    fn push(&mut self, _project: &str, _table: &str, changes: &Changes) -> Result<()> {
        let schema = self.schema()?;
        push::push(&mut self.client, &schema, changes)
    }
}
