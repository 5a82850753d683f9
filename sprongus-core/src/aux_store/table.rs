//! The handle for one table of a project.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use super::bulk::{self, Given, Others, Progress};
use super::import::{Cell, Content, ReadOptions, rows as file_rows};
use super::model::{
    BulkOptions, BulkReport, Document, Entry, ExportOptions, ImportOptions, ListQuery, Mode, OnReferenced, Referrer,
    UpdateOptions,
};
use super::providers::Provider;
use super::query::{self, Listing};
use super::rows::Place;
use super::search;
use super::{
    Difference, EntryVersion, Format, Moment, RefView, SyncTable, bound, counters, crud, delete, history, referrers,
    sync, transfer, views,
};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::page::Page;
use crate::runs::Run;
use crate::scope::Scope;
use crate::session::Session;

/// Documents of one table of a project, from a store or within a transaction (DESIGN.md §7).
///
/// Reads need the scope `aux:read`, writes `aux:write`. Every method may fail with `permission_denied`, `invalid_argument`
/// (a malformed name), and what the database itself brings; writes also with `not_found` where no preset is bound to the
/// table. What is written, its version and its event are committed together.
///
/// ```
/// use serde_json::json;
/// use sprongus::{Options, Store, aux_store::ListQuery};
/// let store = Store::open(":memory:", Options::default())?;
/// let assets = store.aux("p1", "assets");
/// let entry = assets.create(json!({"id": "a-1", "title": "Coburg"}), None)?;
/// assert_eq!(entry.version, 1);
/// let found = assets.list(&ListQuery { q: Some("cob".into()), ..ListQuery::default() })?;
/// assert_eq!(found[0].payload.as_str(), r#"{"title":"Coburg"}"#);
/// # Ok::<(), sprongus::Error>(())
/// ```
pub struct Aux<'s> {
    session: Session<'s>,
    project: String,
    table: String,
}

impl<'s> Aux<'s> {
    /// The table of that name; both names are checked by each call.
    pub(crate) fn new(session: Session<'s>, project: &str, table: &str) -> Self {
        Self { session, project: project.to_owned(), table: table.to_owned() }
    }

    /// The project.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.table
    }

    fn place(&self, scope: Scope) -> Result<Place<'_>> {
        self.session.allow(scope)?;
        self.session.project(Some(&self.project))?;
        crate::text::check_name("the table", &self.table)?;
        Ok(Place { project: &self.project, table: &self.table })
    }

    /// Writes one document; where it is refused, that is counted.
    fn write<T>(&self, work: impl FnOnce(Place<'_>) -> Result<T>) -> Result<T> {
        let place = self.place(Scope::AuxWrite)?;
        let written = work(place).inspect_err(|error| {
            if counters::is_refusal(error.code()) {
                counters::refused(self.session.core(), place.project, place.table, 1);
            }
        })?;
        search::after_write(self.session, place);
        Ok(written)
    }

    /// Writes many; those that are refused are counted, but where nothing was to be kept.
    fn write_many(&self, dry_run: bool, work: impl FnOnce(Place<'_>) -> Result<BulkReport>) -> Result<BulkReport> {
        let place = self.place(Scope::AuxWrite)?;
        let written = work(place);
        let refused = match &written {
            _ if dry_run => 0,
            Ok(report) => counters::rows_of(&report.errors),
            Err(error) if counters::is_refusal(error.code()) => counters::rows_of(&error.violations_list()).max(1),
            Err(_) => 0,
        };
        counters::refused(self.session.core(), place.project, place.table, refused);
        if written.is_ok() && !dry_run {
            search::after_bulk(self.session, place);
        }
        written
    }

    /// Creates an entry from a whole document, with the preset's defaults. Its id is `id`, else the document's, else a new one.
    ///
    /// # Errors
    /// `validation` with every violation, `reserved_field`, `conflict` (the id or a unique value is taken), `too_large`.
    pub fn create(&self, payload: Value, id: Option<&str>) -> Result<Entry> {
        self.write(|place| crud::create(self.session, place, &crud::document(payload)?, id))
    }

    /// The entry of that id.
    ///
    /// # Errors
    /// `not_found`.
    pub fn get(&self, id: &str) -> Result<Entry> {
        crud::get(self.session, self.place(Scope::AuxRead)?, id)
    }

    /// Merges a patch into an entry (RFC 7396), or replaces its document; the result is what is validated.
    ///
    /// A result equal to what is there makes no new version.
    ///
    /// # Errors
    /// `not_found`, `validation`, `reserved_field`, `conflict` (`if_version`, a unique value), `too_large`.
    pub fn update(&self, id: &str, patch: Value, options: UpdateOptions) -> Result<Entry> {
        self.write(|place| crud::update(self.session, place, id, &crud::document(patch)?, options))
    }

    /// Creates an entry, or merges the document into the one of its id (or replaces that with `replace`). A null is stored.
    ///
    /// # Errors
    /// As [`create`](Self::create), but for the id being taken.
    pub fn upsert(&self, payload: Value, id: Option<&str>, replace: bool) -> Result<Entry> {
        let mode = if replace { Mode::Replace } else { Mode::Merge };
        self.write(|place| crud::upsert(self.session, place, &crud::document(payload)?, id, mode))
    }

    /// Deletes an entry; the entries that referred to it (with `force`: not looked for).
    ///
    /// # Errors
    /// `not_found`; `referenced` with the referrers in its details; `validation` where one cannot be unlinked.
    pub fn delete(&self, id: &str, on_referenced: OnReferenced) -> Result<Vec<Referrer>> {
        self.write(|place| delete::delete(self.session, place, id, on_referenced))
    }

    /// A page of the entries that match, in the order asked for; nothing where the table holds none.
    ///
    /// # Errors
    /// `invalid_argument`: a malformed filter, sort, limit, offset or cursor.
    pub fn list(&self, query: &ListQuery) -> Result<Page<Entry>> {
        let place = self.place(Scope::AuxRead)?;
        Listing::parse(place, query)?.page(self.session, place)
    }

    /// How many entries match.
    ///
    /// # Errors
    /// `invalid_argument`: a malformed filter.
    pub fn count(&self, q: Option<&str>, filter: Option<&Value>) -> Result<u64> {
        query::count(self.session, self.place(Scope::AuxRead)?, q, filter)
    }

    /// Upserts many documents, which others see all at once. Rows are numbered from 1; of a repeated id the last good one counts.
    ///
    /// From 2,000 rows on SQLite's lock is held for some milliseconds at a time, so that other processes write in between
    /// (`docs/decisions/0014-rows-before-they-are-seen.md`); not within a transaction, nor where the unique values, indexed
    /// fields or references of more than 50,000 entries change or go, and in memory not where the preset has such at all.
    ///
    /// # Errors
    /// `validation` with every violation of every row where `on_error` is `abort`, an item that is `validation` itself
    /// included; what another item or `progress` fails with.
    pub fn bulk_upsert(
        &self,
        items: impl IntoIterator<Item = Result<Value>>,
        options: BulkOptions,
        progress: Progress<'_>,
    ) -> Result<BulkReport> {
        self.write_items(items, options, Others::Stay, progress)
    }

    /// Imports documents as [`import`](Self::import) does a file: with `replace` the table becomes equal to them.
    ///
    /// # Errors
    /// As [`bulk_upsert`](Self::bulk_upsert).
    pub fn import_items(
        &self,
        items: impl IntoIterator<Item = Result<Value>>,
        options: BulkOptions,
        progress: Progress<'_>,
    ) -> Result<BulkReport> {
        self.write_items(items, options, others(options.mode), progress)
    }

    fn write_items(
        &self,
        items: impl IntoIterator<Item = Result<Value>>,
        options: BulkOptions,
        others: Others,
        progress: Progress<'_>,
    ) -> Result<BulkReport> {
        let items = items.into_iter();
        let total = items.size_hint().1.filter(|most| *most == items.size_hint().0).map(|rows| rows as u64);
        let mut rows = (1..).zip(items).map(|(number, item)| match item {
            // What has no JSON form is the row's fault, as what breaks the preset is.
            Err(error) if error.code() == ErrorCode::Validation => Ok((number, Err(error.violations_list().into()))),
            item => item.map(|value| given(number, value)),
        });
        self.write_many(options.dry_run, |place| {
            let prepared = bulk::prepare(self.session, place, &mut rows, options.mode, total, progress)?;
            bulk::write(self.session, place, &prepared, options, others)
        })
    }

    /// Imports a file: CSV typed by the preset, a JSON array, or one JSON object per line (DESIGN.md §7, §15 "CSV").
    ///
    /// It is read as a stream and judged before anything is locked; `progress` counts rows, their total being unknown.
    /// With `replace` and `report` together, the entry of a bad row stays as it is, and where a bad row does not tell its
    /// id, no entry is deleted.
    ///
    /// # Errors
    /// `not_found` (the file), `invalid_argument` (a directory, a format that cannot be told, a delimiter), `validation`:
    /// every bad row where `on_error` is `abort`, or a file that cannot be read on (not UTF-8, cut short, no header).
    pub fn import(&self, path: &Path, options: &ImportOptions, progress: Progress<'_>) -> Result<BulkReport> {
        self.place(Scope::AuxWrite)?;
        let format = Format::of(options.format, path)?;
        let file = File::open(path).map_err(|error| crate::new_file::unreadable(path, error))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Error::invalid(format!("{} is a directory, not a file", path.display())));
        }
        self.import_from(BufReader::with_capacity(1 << 16, file), format, options, progress)
    }

    /// Imports from a reader; `options.format` is not looked at.
    ///
    /// # Errors
    /// As [`import`](Self::import), but for the file.
    pub fn import_from(
        &self,
        input: impl BufRead,
        format: Format,
        options: &ImportOptions,
        progress: Progress<'_>,
    ) -> Result<BulkReport> {
        let mut reading = ReadOptions::new(self.session.options().max_payload_bytes.saturating_mul(8).max(1 << 16));
        if let Some(delimiter) = &options.delimiter {
            reading = reading.with_delimiter(delimiter)?;
        }
        self.write_many(options.bulk.dry_run, |place| {
            let rules = self.session.read(|exec| bound::read(self.session, exec, place))?;
            let types = |keys: &[String]| Cell::of(&rules.preset, keys);
            let mut rows = file_rows(format, input, &types, Some(&rules.preset), reading)?
                .map(|row| row.map(|row| (row.number, row.value)));
            let prepared = bulk::prepare(self.session, place, &mut rows, options.bulk.mode, None, progress)?;
            bulk::write(self.session, place, &prepared, options.bulk, others(options.bulk.mode))
        })
    }

    /// Writes the whole table to a file, by id, from one snapshot; the number of rows. The file appears when it is complete.
    ///
    /// Byte for byte the same for the same entries, and `import` of it gives equal payloads. `progress` is called while the
    /// snapshot is held: within a transaction it must not use that transaction.
    ///
    /// # Errors
    /// `invalid_argument` (a format that cannot be told, a directory), `not_found` (its folder), `permission_denied`,
    /// `storage_full`, `storage`; what `progress` fails with.
    pub fn export(&self, path: &Path, options: ExportOptions, progress: Progress<'_>) -> Result<u64> {
        let place = self.place(Scope::AuxRead)?;
        transfer::export(self.session, place, path, options, progress)
    }

    /// The entries that refer to one, itself left out, ordered by table, id and field; also where there is no such entry.
    pub fn referrers(&self, id: &str) -> Result<Vec<Referrer>> {
        referrers::of(self.session, self.place(Scope::AuxRead)?, id)
    }

    /// One view per id asked for, in that order; `missing` where there is no such entry.
    pub fn resolve_refs(&self, ids: &[String]) -> Result<Vec<RefView>> {
        views::resolve(self.session, self.place(Scope::AuxRead)?, ids)
    }

    /// Every version of an entry, oldest first; a deleted one's too.
    ///
    /// # Errors
    /// `not_found` where there never was such an entry.
    pub fn history(&self, id: &str) -> Result<Vec<EntryVersion>> {
        history::history(self.session, self.place(Scope::AuxRead)?, id)
    }

    /// What differs between two versions, down to the leaves; `b` is the present one where none is given.
    ///
    /// # Errors
    /// `not_found` where there is no such version, or none at such a time.
    pub fn diff(&self, id: &str, a: Moment, b: Option<Moment>) -> Result<Vec<Difference>> {
        history::diff(self.session, self.place(Scope::AuxRead)?, id, a, b)
    }

    /// The table as it was at a time, ordered by id.
    pub fn as_of(&self, at: Timestamp) -> Result<Vec<Entry>> {
        history::as_of(self.session, self.place(Scope::AuxRead)?, at)
    }

    /// Makes the document of an earlier version the present one, as the next version; a deleted entry comes back.
    ///
    /// # Errors
    /// `not_found` (the entry, the version), `invalid_state` (the version is a deletion), `validation` (the preset has changed).
    pub fn restore(&self, id: &str, version: i64) -> Result<Entry> {
        self.write(|place| history::restore(self.session, place, id, version))
    }

    /// Syncs the table with a provider, here and now, or by a worker where `enqueue` is set; the run that did or will do it.
    /// `project` and `table` of the request are this handle's.
    ///
    /// Each entry is compared with what both sides had when it was last synced, under this name of the provider. The run's
    /// `output_ref` is the artifact `sync.diff` of the table, a [`SyncDiff`](super::SyncDiff). A run that is there under the
    /// idempotency key is returned as it is. A lease is held while the provider works, and no transaction; another sync of the
    /// same table and provider is waited for as long as `call_timeout`.
    ///
    /// # Errors
    /// What the sync failed with; its run is then failed. `not_found` (the provider, its file, the table's preset),
    /// `invalid_state` (an empty pull would empty the table), `busy` (another sync is under way), `lease_lost` (its run was
    /// canceled), `misuse` (in a transaction, without `enqueue`), whatever the provider fails with.
    pub fn sync(&self, sync: &SyncTable) -> Result<Run> {
        sync::sync(self.session, self.place_to_sync()?, sync, None)
    }

    /// The same with a provider at hand; `provider` of the request is the name under which it is remembered what both sides
    /// had.
    ///
    /// # Errors
    /// As [`sync`](Self::sync); `invalid_argument` with `enqueue`, for a worker finds providers by name.
    pub fn sync_with(&self, sync: &SyncTable, provider: &mut dyn Provider) -> Result<Run> {
        sync::sync(self.session, self.place_to_sync()?, sync, Some(provider))
    }

    fn place_to_sync(&self) -> Result<Place<'_>> {
        let place = self.place(Scope::AuxWrite)?;
        self.session.allow(Scope::RunsWrite)?;
        Ok(place)
    }
}

fn others(mode: Mode) -> Others {
    match mode {
        Mode::Merge => Others::Stay,
        Mode::Replace => Others::AreDeleted,
    }
}

fn given(number: u64, value: Value) -> Given {
    let refused = |error: Error| match error.code() {
        ErrorCode::Validation => error.violations_list(),
        _ => vec![Violation::new("", "type", error.message())],
    };
    let document: Result<Document> = crud::document(value);
    (number, document.map(Content::Tree).map_err(|error| refused(error).into()))
}
