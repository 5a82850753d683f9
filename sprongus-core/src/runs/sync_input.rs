//! What a run of the kind `sync.aux/TABLE` takes, by whoever it is enqueued (DESIGN.md §7 "Sync").

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Runs;
use super::requests::Enqueue;
use crate::error::{Error, Result};
use crate::presets::{Cache, Compiled, Preset};
use crate::scope::Scope;

/// Before the name of the table.
pub(crate) const SYNC_KIND: &str = "sync.aux/";

/// Who is right where both sides changed an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The source.
    Provider,
    /// The table.
    Local,
    /// Whichever was written later. Where the source does not say when, and where one side deleted the entry, it stays a
    /// conflict.
    Newest,
    /// Nobody: conflicts are listed, and nothing is done about them.
    #[default]
    Manual,
}

/// The input of a run of the kind `sync.aux/TABLE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncInput {
    /// The name of a profile, or `csv:PATH` or `json:PATH`.
    pub provider: String,
    /// Who is right where both sides changed an entry.
    #[serde(default)]
    pub policy: Policy,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Let an empty pull empty the table.
    #[serde(default)]
    pub force: bool,
}

impl Runs<'_> {
    /// Refuses a sync without a project or with another input than [`SyncInput`]. It writes entries, so a scoped handle needs
    /// leave to do that.
    pub(super) fn check_sync(&self, request: &Enqueue) -> Result<()> {
        if !request.kind.starts_with(SYNC_KIND) {
            return Ok(());
        }
        self.session.allow(Scope::AuxWrite)?;
        if self.session.project(request.project.as_deref())?.is_none() {
            return Err(Error::invalid("a sync is of a table of a project: name the project"));
        }
        let violations = self.sync_preset()?.validate(&request.input.to_value());
        if violations.is_empty() { Ok(()) } else { Err(Error::validation(violations)) }
    }

    fn sync_preset(&self) -> Result<Arc<Compiled>> {
        self.session.core().shared::<Cache>().keyed(SYNC_KIND, Preset::of::<SyncInput>)
    }
}
