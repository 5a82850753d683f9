//! Small settings, of the store or of a project (DESIGN.md §9a).

mod model;
mod rows;

use std::collections::BTreeMap;

use serde_json::Map;

pub use model::{GetConfig, ListConfig, SetConfig, Setting, UnsetConfig};

use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::scope::Scope;
use crate::session::Session;

/// The longest key, in bytes.
const MAX_KEY: usize = 128;

/// The settings of a store, or of an open transaction; from [`Store::config`](crate::Store::config) or
/// [`Tx::config`](crate::Tx::config).
///
/// Those of the store are for handles without a scope. A scoped handle reads its own project's with `aux:read` and writes them
/// with `aux:write`; it needs `admin` for another's.
///
/// ```
/// use sprongus::config::{GetConfig, SetConfig};
/// use sprongus::{Json, Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// store.config().set(&SetConfig::new("ui.theme", Json::parse(r#""dark""#)?))?;
/// assert_eq!(store.config().get(&GetConfig::new("ui.theme"))?.value.as_str(), r#""dark""#);
/// assert!(!store.config().get(&GetConfig::new("ui.font"))?.found);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Config<'s> {
    session: Session<'s>,
}

impl<'s> Config<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// One setting; `found` tells whether it is set, for what is not is no error.
    ///
    /// # Errors
    /// `invalid_argument` (key, project), `permission_denied`.
    pub fn get(&self, of: &GetConfig) -> Result<Setting> {
        self.session.allow(Scope::AuxRead)?;
        check_key(&of.key)?;
        let project = self.session.project(of.project.as_deref())?;
        let value = self.session.read(|exec| rows::find(exec, project, &of.key))?;
        let found = value.is_some();
        Ok(Setting { key: of.key.clone(), value: value.unwrap_or_else(Json::null), found })
    }

    /// Sets a setting, with `config.set` as its event, which tells the key and not the value; nothing where it has that value.
    ///
    /// # Errors
    /// `invalid_argument` (key, project), `too_large` (over `max_payload_bytes`), `secret_detected` with the path of each
    /// credential in the value, the key itself first; `permission_denied`.
    pub fn set(&self, setting: &SetConfig) -> Result<()> {
        self.session.allow(Scope::AuxWrite)?;
        check_key(&setting.key)?;
        let project = self.session.project(setting.project.as_deref())?;
        let (size, most) = (setting.value.as_str().len(), self.session.options().max_payload_bytes);
        if size > most {
            let message = format!("the value has {size} bytes as canonical JSON; at most {most} are taken");
            return Err(Error::new(ErrorCode::TooLarge, message));
        }
        let named = Map::from_iter([(setting.key.clone(), setting.value.to_value())]);
        self.session.options().refuse_secrets(&Json::from_value(&named.into())?)?;
        self.session.write(|work| rows::set(work, project, &setting.key, &setting.value))
    }

    /// Removes a setting, with `config.unset` as its event; nothing where it is not set.
    ///
    /// # Errors
    /// `invalid_argument` (key, project), `permission_denied`.
    pub fn unset(&self, which: &UnsetConfig) -> Result<()> {
        self.session.allow(Scope::AuxWrite)?;
        check_key(&which.key)?;
        let project = self.session.project(which.project.as_deref())?;
        self.session.write(|work| rows::unset(work, project, &which.key))
    }

    /// Settings by key: all of them, or those whose keys begin so.
    ///
    /// # Errors
    /// `invalid_argument` (prefix, project), `permission_denied`.
    pub fn list(&self, which: &ListConfig) -> Result<BTreeMap<String, Json>> {
        self.session.allow(Scope::AuxRead)?;
        if !which.prefix.is_empty() {
            check_key(&which.prefix)?;
        }
        let project = self.session.project(which.project.as_deref())?;
        self.session.read(|exec| rows::list(exec, project, &which.prefix))
    }
}

fn check_key(key: &str) -> Result<()> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._:-".contains(&byte);
    if (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(letter) {
        return Ok(());
    }
    Err(Error::invalid(format!("a key must have 1 to {MAX_KEY} of a-z, 0-9, and . _ : -, such as ui.theme")))
}

/// The programs of the page on projects and settings run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/projects.md")]
struct DocsPage;
