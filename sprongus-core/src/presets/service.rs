//! The calls on presets, the same on a store and in a transaction.

use serde_json::json;

use super::bind;
use super::builtin::{BUILTINS, Builtin};
use super::cache::Cache;
use super::exchange::{self, check_label, check_secrets, check_size, check_version};
use super::model::Preset;
use super::requests::{
    BindPreset, BindReport, BindRunPreset, BoundPreset, CreatePreset, ExportPresets, ImportPresets, ImportedPresets,
    ListPresets, PresetItem, ValidatePayload,
};
use super::store::{self, Draft, Wanted};
use crate::db::Executor;
use crate::error::{Error, Result, Violation};
use crate::page::{Cursor, DEFAULT_LIMIT, MAX_LIMIT, Page, check_limit};
use crate::scope::Scope;
use crate::session::Session;

/// Presets of a store or a transaction (DESIGN.md §6): reading takes the scope `presets:read`, writing `admin`.
///
/// ```
/// use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
/// use sprongus::{Json, Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let definition = Json::parse(r#"{"fields": [{"name": "title", "type": "string", "required": true}]}"#)?;
/// let preset = store.presets().create(&CreatePreset::new("paper", PresetKind::Custom, definition))?;
/// assert_eq!(preset.address(), "paper@1");
/// let bind = BindPreset { table: "papers".to_owned(), address: "paper".to_owned(), ..BindPreset::default() };
/// assert!(store.presets().bind(&bind)?.bound);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Presets<'s> {
    session: Session<'s>,
}

impl<'s> Presets<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Stores a preset, published unless said otherwise; with `preset.published` as its event.
    ///
    /// # Errors
    /// `validation` with every fault of the definition, `invalid_argument` (label, version), `too_large`, `conflict` where
    /// the version exists, `permission_denied`.
    pub fn create(&self, request: &CreatePreset) -> Result<Preset> {
        self.session.allow(Scope::Admin)?;
        check_label(&request.label)?;
        request.version.map_or(Ok(()), check_version)?;
        check_size(request.definition.as_str(), self.session.options().max_payload_bytes)?;
        check_secrets(&request.definition, self.session.options())?;
        self.cache().get(&request.definition)?;
        let draft = Draft {
            label: &request.label,
            kind: request.kind,
            definition: &request.definition,
            version: request.version,
            publish: request.publish,
        };
        self.session.write(|work| store::insert(work, &draft))
    }

    /// Makes a draft immutable and addressable by its label; nothing where it is so already.
    ///
    /// # Errors
    /// `not_found`, `invalid_argument` (the address), `permission_denied`.
    pub fn publish(&self, address: &str) -> Result<Preset> {
        self.session.allow(Scope::Admin)?;
        self.session.write(|work| {
            let preset = store::get(work.exec(), address)?;
            if preset.published_at.is_some() { Ok(preset) } else { store::publish(work, &preset) }
        })
    }

    /// The preset at `label` (its newest published version), `label@2` or an id.
    ///
    /// # Errors
    /// `not_found`, `invalid_argument` (the address), `permission_denied`.
    pub fn get(&self, address: &str) -> Result<Preset> {
        self.session.allow(Scope::PresetsRead)?;
        self.session.read(|exec| store::get(exec, address))
    }

    /// Presets by label and version, built-ins and drafts included.
    ///
    /// # Errors
    /// `invalid_argument` (limit, cursor), `permission_denied`.
    pub fn list(&self, request: &ListPresets) -> Result<Page<Preset>> {
        self.session.allow(Scope::PresetsRead)?;
        let limit = check_limit(request.limit.unwrap_or(DEFAULT_LIMIT), MAX_LIMIT)?;
        let prefix = request.label_prefix.as_deref().unwrap_or_default();
        let cursor = Cursor::new("presets", &json!([request.kind, prefix]));
        let from = request.cursor.as_deref().map_or(Ok((String::new(), 0)), |text| position(&cursor.decode(text)?))?;
        let wanted = Wanted { kind: request.kind, prefix, from: (&from.0, from.1), limit: Some(limit + 1) };
        let mut items = self.session.read(|exec| with_builtins(exec, wanted))?;
        let more = items.len() as i64 > limit;
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|preset| cursor.encode(&[json!(preset.label), json!(preset.version)]));
        Ok(Page { items, next_cursor })
    }

    /// Deletes a preset that is bound nowhere.
    ///
    /// # Errors
    /// `conflict` where it is bound or built in, `not_found`, `permission_denied`.
    pub fn delete(&self, address: &str) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        self.session.write(|work| {
            let preset = store::get(work.exec(), address)?;
            store::delete(work, &preset)
        })
    }

    /// Binds a table to a preset, once every entry the table holds passes; with `preset.bound` as its event.
    ///
    /// With `dry_run` nothing is written and the report says what would fail. Unique values are checked too.
    ///
    /// # Errors
    /// `conflict` with the report as its details where entries fail and `force` is not set, `invalid_argument` (a
    /// `run_input` preset, or one of another kind for `assets`, `citations`, `storyboard`), `invalid_state` (a draft),
    /// `not_found`, `permission_denied`.
    pub fn bind(&self, request: &BindPreset) -> Result<BindReport> {
        self.session.allow(Scope::Admin)?;
        let project = self.session.project(request.project.as_deref())?.unwrap_or_default().to_owned();
        bind::table(self.session, &self.cache(), request, &project)
    }

    /// Binds a kind of runs to a preset of kind `run_input`; inputs already enqueued stay as they are.
    ///
    /// # Errors
    /// `invalid_argument` (a preset of another kind), `invalid_state` (a draft), `not_found`, `permission_denied`.
    pub fn bind_run(&self, request: &BindRunPreset) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        let project = self.session.project(request.project.as_deref())?.unwrap_or_default().to_owned();
        bind::run(self.session, &request.kind, &request.address, &project)
    }

    /// The preset that holds for a table: the project's own, else the one for all projects, else the built-in.
    ///
    /// # Errors
    /// `not_found` where there is none, `permission_denied`.
    pub fn bound(&self, request: &BoundPreset) -> Result<Preset> {
        self.session.allow(Scope::PresetsRead)?;
        crate::text::check_name("the table", &request.table)?;
        let project = self.session.project(request.project.as_deref())?;
        self.session.read(|exec| bind::of_table(exec, &request.table, project))
    }

    /// Every violation of a document as it is: no defaults are applied, nothing is taken out.
    ///
    /// # Errors
    /// `not_found`, `permission_denied`; a document that breaks the preset is no error here.
    pub fn validate(&self, request: &ValidatePayload) -> Result<Vec<Violation>> {
        let preset = self.get(&request.address)?;
        Ok(self.cache().get(&preset.definition)?.validate(&request.payload.to_value()))
    }

    /// Presets as they travel to another store, by label and version; those that come with the library stay.
    ///
    /// # Errors
    /// `permission_denied`.
    pub fn export(&self, request: &ExportPresets) -> Result<Vec<PresetItem>> {
        self.session.allow(Scope::PresetsRead)?;
        let prefix = request.label_prefix.as_deref().unwrap_or_default();
        let wanted = Wanted { kind: request.kind, prefix, ..Wanted::default() };
        let presets = self.session.read(|exec| store::after(exec, wanted))?;
        Ok(presets.into_iter().map(exchange::item).collect())
    }

    /// Takes in what `export` gave: all or none.
    ///
    /// # Errors
    /// `conflict` where a published preset says something else (or, in mode `replace`, one to be removed is bound),
    /// `validation`, `invalid_argument`, `too_large`, `permission_denied`.
    pub fn import(&self, request: &ImportPresets) -> Result<ImportedPresets> {
        self.session.allow(Scope::Admin)?;
        exchange::import(self.session, request)
    }

    fn cache(&self) -> std::sync::Arc<Cache> {
        self.session.core().shared::<Cache>()
    }
}

fn position(keys: &[serde_json::Value]) -> Result<(String, i64)> {
    match keys {
        [label, version] => label.as_str().map(str::to_owned).zip(version.as_i64()),
        _ => None,
    }
    .ok_or_else(|| Error::invalid("the cursor is damaged; pass nextCursor of the page before as it was given"))
}

/// Rows and built-ins by label and version.
fn with_builtins(exec: &mut dyn Executor, wanted: Wanted<'_>) -> Result<Vec<Preset>> {
    let fits = |one: &Builtin| {
        let kind = wanted.kind.is_none_or(|kind| kind == one.kind);
        kind && one.label.starts_with(wanted.prefix) && (one.label, 1) > wanted.from
    };
    let mut found = store::after(exec, wanted)?;
    found.extend(BUILTINS.into_iter().filter(fits).map(Builtin::preset));
    found.sort_by(|a, b| (&a.label, a.version).cmp(&(&b.label, b.version)));
    Ok(found)
}
