//! Profiles of providers: a name, a kind and a config that holds no secrets (DESIGN.md §15 "Sync").

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aux_store::providers::{self, Factory};
use crate::clock::Timestamp;
use crate::db::{Executor, Row};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::scope::Scope;
use crate::session::Session;
use crate::text::check_name;

/// How a source is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name, as syncs give it.
    pub name: String,
    /// `csv`, `json`, `notion`, or one a host registers.
    pub kind: String,
    /// What its provider needs; secrets as `{"$secret": name}`.
    pub config: Map<String, Value>,
    /// When it was last put.
    pub updated_at: Timestamp,
}

/// A profile to be kept under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutProfile {
    /// Its name: 1–512 bytes, no colon.
    pub name: String,
    /// The kind of its provider: 1–512 bytes, no colon. One that no process knows yet is found when a sync works.
    pub kind: String,
    /// What its provider needs; secrets only as `{"$secret": name}`.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// Names a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileName {
    /// Its name.
    pub name: String,
}

/// The providers of a store: profiles kept in the database, and kinds that this process knows.
///
/// Profiles belong to the store, not to a project: a scoped handle reads them with `aux:read` and needs `admin` for the rest.
///
/// ```
/// use serde_json::json;
/// use sprongus::aux_store::{ProfileName, PutProfile};
/// use sprongus::{ErrorCode, Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let config = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
/// let mut put = PutProfile { name: "wiki".into(), kind: "notion".into(), config: config(json!({"token": "plain"})) };
/// assert_eq!(store.providers().put(&put).unwrap_err().code(), ErrorCode::SecretDetected);
/// put.config = config(json!({"token": {"$secret": "WIKI_TOKEN"}}));
/// store.providers().put(&put)?;
/// assert_eq!(store.providers().get(&ProfileName { name: "wiki".into() })?.kind, "notion");
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Providers<'s> {
    session: Session<'s>,
}

impl<'s> Providers<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Keeps a profile, in the place of the one of that name.
    ///
    /// # Errors
    /// `invalid_argument` (a name), `secret_detected` with the path of each credential in the config, `validation` (a config
    /// that breaks the rules of JSON), `too_large`.
    pub fn put(&self, put: &PutProfile) -> Result<Profile> {
        self.session.allow(Scope::Admin)?;
        check("the profile's name", &put.name)?;
        check("the kind", &put.kind)?;
        let config = Json::from_value(&Value::Object(put.config.clone()))?;
        let (size, most) = (config.as_str().len(), self.session.options().max_payload_bytes);
        if size > most {
            let message = format!("the config has {size} bytes; at most {most} are taken");
            return Err(Error::new(crate::ErrorCode::TooLarge, message));
        }
        self.session.options().refuse_secrets(&config)?;
        self.session.write_one(|work| {
            let now = work.dialect().now(4);
            let sql = format!(
                "INSERT INTO sprongus_providers (name, kind, config, created_at, updated_at) VALUES ($1, $2, $3, {now}, {now}) \
                 ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, config = excluded.config, \
                 updated_at = excluded.updated_at RETURNING name, kind, config, updated_at"
            );
            let (name, kind) = (put.name.as_str().into(), put.kind.as_str().into());
            let params = [name, kind, work.dialect().json(&config), work.now()];
            let rows = work.query(&sql, &params)?;
            rows.first().map_or_else(|| Err(unknown(&put.name)), read)
        })
    }

    /// One profile.
    ///
    /// # Errors
    /// `not_found`.
    pub fn get(&self, name: &ProfileName) -> Result<Profile> {
        self.session.allow(Scope::AuxRead)?;
        self.session.read(|exec| find(exec, &name.name))?.ok_or_else(|| unknown(&name.name))
    }

    /// All profiles, by name.
    pub fn list(&self) -> Result<Vec<Profile>> {
        self.session.allow(Scope::AuxRead)?;
        self.session.read(|exec| {
            let sql = "SELECT name, kind, config, updated_at FROM sprongus_providers ORDER BY name";
            exec.query(sql, &[])?.iter().map(read).collect()
        })
    }

    /// Removes a profile. What was last synced under its name stays: put again, it goes on from there.
    ///
    /// # Errors
    /// `not_found`.
    pub fn delete(&self, name: &ProfileName) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        check("the profile's name", &name.name)?;
        let sql = "DELETE FROM sprongus_providers WHERE name = $1";
        let deleted = self.session.write_one(|work| work.execute(sql, &[name.name.as_str().into()]))?;
        if deleted == 0 { Err(unknown(&name.name)) } else { Ok(()) }
    }

    /// Makes a kind of providers known to this store, for this process: profiles of it can be synced with. In the place of
    /// the factory it had.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use serde_json::json;
    /// use sprongus::aux_store::{PutProfile, SyncTable};
    /// use sprongus::aux_store::providers::{Capabilities, Provider, Pulled};
    /// use sprongus::{Options, Store};
    ///
    /// struct Fixed;
    /// impl Provider for Fixed {
    ///     fn capabilities(&self) -> Capabilities {
    ///         Capabilities { read: true, write: false }
    ///     }
    ///     fn pull(&mut self, _project: &str, _table: &str) -> sprongus::Result<Pulled<'_>> {
    ///         Ok(Box::new([json!({"id": "a-1", "title": "Coburg"})].into_iter().map(Ok)))
    ///     }
    /// }
    ///
    /// let store = Store::open(":memory:", Options::default())?;
    /// store.providers().register("fixed", Arc::new(|_config| Ok(Box::new(Fixed))))?;
    /// store.providers().put(&PutProfile { name: "museum".into(), kind: "fixed".into(), config: Default::default() })?;
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_argument` (the kind, one that comes along); `permission_denied` where a scoped handle lacks `admin`.
    pub fn register(&self, kind: &str, factory: Arc<Factory>) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        self.session.core().check()?;
        check("the kind", kind)?;
        providers::register(self.session.core(), kind, factory)
    }
}

fn check(what: &str, name: &str) -> Result<()> {
    check_name(what, name)?;
    if name.contains(':') {
        return Err(Error::invalid(format!("{what} holds a colon: that is for csv:PATH and json:PATH")));
    }
    Ok(())
}

/// The profile of that name.
pub(in crate::aux_store) fn find(exec: &mut dyn Executor, name: &str) -> Result<Option<Profile>> {
    check_name("the profile's name", name)?;
    let sql = "SELECT name, kind, config, updated_at FROM sprongus_providers WHERE name = $1";
    exec.query(sql, &[name.into()])?.first().map(read).transpose()
}

pub(in crate::aux_store) fn unknown(name: &str) -> Error {
    Error::not_found(format!(
        "there is no profile of a provider named {name:?}: put one, or give csv:PATH or json:PATH"
    ))
}

fn read(row: &Row) -> Result<Profile> {
    let config = row.json(2)?.to_value().as_object().cloned().unwrap_or_default();
    Ok(Profile { name: row.text(0)?, kind: row.text(1)?, config, updated_at: row.time(3)? })
}
