//! The table of operations: each once, as name, request, response, scope and handler.
//!
//! The JSON door (`sprongus_call` in C), the published JSON Schemas and the checks that no door lacks an operation come
//! from it (DESIGN.md §2).

mod approvals;
mod artifacts;
mod aux_store;
mod config;
mod events;
mod inbox;
mod presets;
mod projects;
mod providers;
mod runs;
mod schedules;
mod store;
mod tables;

use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Session;
use crate::store::Store;
use crate::transaction::Tx;

type Handler = Box<dyn Fn(Session<'_>, &[u8]) -> Result<String> + Send + Sync>;

/// One operation of the library.
pub struct Operation {
    /// `runs.enqueue`, `aux.create`, …
    pub name: &'static str,
    /// What a scoped handle must hold for it.
    pub scope: Scope,
    /// One sentence.
    pub summary: &'static str,
    request: fn(&mut SchemaGenerator) -> Schema,
    response: fn(&mut SchemaGenerator) -> Schema,
    handler: Handler,
}

/// A store or a transaction: where an operation is called.
pub trait Target: sealed::Sealed {}

impl Target for Store {}
impl Target for Tx<'_> {}

mod sealed {
    /// Keeps the seam behind an operation out of the public face.
    pub trait Sealed {
        fn run(&self, operation: &super::Operation, request: &[u8]) -> super::Result<String>;
    }
}

impl sealed::Sealed for Store {
    fn run(&self, operation: &Operation, request: &[u8]) -> Result<String> {
        (operation.handler)(Session::new(self), request)
    }
}

impl sealed::Sealed for Tx<'_> {
    fn run(&self, operation: &Operation, request: &[u8]) -> Result<String> {
        (operation.handler)(Session::new(self), request)
    }
}

/// A request without members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Every operation, ordered by name.
pub fn all() -> &'static [Operation] {
    static TABLE: OnceLock<Vec<Operation>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = store::operations();
        table.extend(runs::operations());
        table.extend(approvals::operations());
        table.extend(schedules::operations());
        table.extend(inbox::operations());
        table.extend(events::operations());
        table.extend(presets::operations());
        table.extend(aux_store::operations());
        table.extend(artifacts::operations());
        table.extend(providers::operations());
        table.extend(projects::operations());
        table.extend(config::operations());
        table.extend(tables::operations());
        table.sort_by_key(|operation| operation.name);
        table
    })
}

/// The operation of that name; `not_found` where there is none.
pub fn find(name: &str) -> Result<&'static Operation> {
    let table = all();
    match table.binary_search_by_key(&name, |operation| operation.name) {
        Ok(index) => Ok(&table[index]),
        Err(_) => {
            Err(Error::not_found("no operation of that name; the table of operations lists them (include/schema)"))
        }
    }
}

/// Calls an operation by name: JSON in, JSON out.
///
/// The request is one JSON object, UTF-8, as the operation's published schema says; nothing or white space is `{}`.
///
/// ```
/// use sprongus::{Options, Store, ops};
/// let store = Store::open(":memory:", Options::default())?;
/// let run = ops::call(&store, "runs.enqueue", br#"{"kind": "mail.send", "input": {"to": "a@b.c"}}"#)?;
/// assert!(run.contains(r#""state":"queued""#));
/// # Ok::<(), sprongus::Error>(())
/// ```
pub fn call(target: &dyn Target, name: &str, request: &[u8]) -> Result<String> {
    let operation = find(name)?;
    let request = if request.trim_ascii().is_empty() { b"{}" } else { request };
    target.run(operation, request)
}

impl Operation {
    /// An operation from its handler; the wire types are the handler's.
    fn new<Request, Response>(
        name: &'static str,
        scope: Scope,
        summary: &'static str,
        handler: impl Fn(Session<'_>, Request) -> Result<Response> + Send + Sync + 'static,
    ) -> Self
    where
        Request: DeserializeOwned + JsonSchema,
        Response: Serialize + JsonSchema,
    {
        Self {
            name,
            scope,
            summary,
            request: |generator| generator.subschema_for::<Request>(),
            response: |generator| generator.subschema_for::<Response>(),
            handler: Box::new(move |session, bytes| {
                let response = handler(session, crate::json::decode(bytes)?)?;
                serde_json::to_string(&response)
                    .map_err(|error| Error::new(ErrorCode::Panic, "a response could not be written").with_source(error))
            }),
        }
    }

    /// The published JSON Schema (draft 2020-12): `request` and `response` under `properties`, shared types in `$defs`.
    pub fn schema(&self) -> Value {
        let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
        let request = (self.request)(&mut generator);
        let response = (self.response)(&mut generator);
        let definitions = generator.take_definitions(true);
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.summary,
            "x-scope": self.scope.as_str(),
            "type": "object",
            "properties": { "request": request, "response": response },
            "$defs": definitions,
        })
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).field("scope", &self.scope).finish_non_exhaustive()
    }
}
