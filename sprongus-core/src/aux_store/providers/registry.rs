//! Which provider a name means: a profile's kind, or a file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::{Factory, Provider, files};
use crate::aux_store::format::Format;
use crate::aux_store::sync::{find_profile, unknown_profile};
use crate::error::{Error, ErrorCode, Result};
use crate::new_file::refuse_store;
use crate::presets::Compiled;
use crate::secrets::Revealed;
use crate::session::{Core, Session, locked};

/// What a provider that comes along is made from.
pub(super) struct Making<'m> {
    /// The profile's config, its secrets resolved.
    pub(super) config: &'m Map<String, Value>,
    /// The table that is synced, and its preset.
    pub(super) table: &'m str,
    pub(super) preset: Arc<Compiled>,
    /// The largest document that is read, in bytes.
    pub(super) max_row_bytes: usize,
    /// Refuses the store's own file: a push would put another one in its place.
    pub(super) refuse: &'m dyn Fn(&Path) -> Result<()>,
}

type Builtin = fn(&Making<'_>) -> Result<Box<dyn Provider>>;

/// The kinds that come along.
fn builtin(kind: &str) -> Option<Builtin> {
    match kind {
        "csv" => Some(|making| files::open(making, &[Format::Csv])),
        "json" => Some(|making| files::open(making, &[Format::Json, Format::Ndjson])),
        #[cfg(feature = "notion")]
        "notion" => Some(|making| super::notion::provider(making.config)),
        _ => None,
    }
}

/// The kinds that hosts have registered for a store.
#[derive(Default)]
struct Registry(Mutex<HashMap<String, Arc<Factory>>>);

/// Makes a kind known.
///
/// # Errors
/// `invalid_argument` for one that comes along.
pub(crate) fn register(core: &Core, kind: &str, factory: Arc<Factory>) -> Result<()> {
    if builtin(kind).is_some() {
        return Err(Error::invalid(format!("providers of the kind {kind:?} come along; register another kind")));
    }
    locked(&core.shared::<Registry>().0).insert(kind.to_owned(), factory);
    Ok(())
}

/// A provider ready to work, and the secrets it was given.
pub(in crate::aux_store) struct Opened {
    pub(in crate::aux_store) provider: Box<dyn Provider>,
    pub(in crate::aux_store) secrets: Revealed,
}

/// The provider of that name: a profile's, or of a file as `csv:PATH` and `json:PATH`.
///
/// # Errors
/// `not_found`: no such profile, or a kind this process does not know; what its factory fails with, without its secrets.
pub(in crate::aux_store) fn open(
    session: Session<'_>,
    name: &str,
    table: &str,
    preset: &Arc<Compiled>,
) -> Result<Opened> {
    let (kind, config) = match name.split_once(':') {
        Some((kind @ ("csv" | "json"), path)) => (kind.to_owned(), path_config(path)),
        Some(_) => {
            return Err(Error::invalid(format!(
                "{name:?} names no provider: give a profile's name, csv:PATH or json:PATH"
            )));
        }
        None => {
            let profile = session.read(|exec| find_profile(exec, name))?.ok_or_else(|| unknown_profile(name))?;
            (profile.kind, profile.config)
        }
    };
    let secrets = Revealed::of(session.options().secrets.as_ref(), &config)?;
    let made = match builtin(&kind) {
        Some(open) => {
            let max_row_bytes = session.options().max_payload_bytes.saturating_mul(8).max(1 << 16);
            let refuse = |path: &Path| session.read(|exec| refuse_store(exec, path));
            open(&Making { config: &secrets.config, table, preset: preset.clone(), max_row_bytes, refuse: &refuse })
        }
        None => {
            let factory = locked(&session.core().shared::<Registry>().0).get(&kind).cloned();
            let factory = factory.ok_or_else(|| unknown(name, &kind))?;
            factory(&secrets.config)
        }
    };
    let provider = made.map_err(|error| secrets.masks.hide(error))?;
    Ok(Opened { provider, secrets })
}

fn path_config(path: &str) -> Map<String, Value> {
    Map::from_iter([("path".to_owned(), json!(path))])
}

fn unknown(name: &str, kind: &str) -> Error {
    let message =
        format!("the provider {name:?} is of the kind {kind:?}, which this process does not know: register it first");
    Error::new(ErrorCode::NotFound, message)
}
