//! What concerns the store itself.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Empty, Operation};
use crate::aux_store::counters;
use crate::db::SCHEMA_VERSION;
use crate::doctor::{self, Examine};
use crate::scope::Scope;

/// What `store.info` answers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Info {
    /// `sqlite` or `postgres`.
    backend: &'static str,
    /// The version of the schema in use.
    schema_version: i64,
    /// The version of the library.
    version: &'static str,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "store.info",
            Scope::RunsRead,
            "Which database, schema and library this is.",
            |session, _: Empty| {
                session.allow(Scope::RunsRead)?;
                let backend = session.core().dialect().as_str();
                Ok(Info { backend, schema_version: SCHEMA_VERSION, version: env!("CARGO_PKG_VERSION") })
            },
        ),
        Operation::new(
            "store.stats",
            Scope::AuxRead,
            "What this process did to the tables since the store was opened.",
            |session, _: Empty| counters::of(session),
        ),
        Operation::new(
            "store.doctor",
            Scope::Admin,
            "What is wrong with the store, or soon will be.",
            |session, how: Examine| doctor::examine(session, how),
        ),
    ]
}
