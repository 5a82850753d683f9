//! Presets in the database: rows, addresses, events.

use serde_json::json;

use super::builtin::Builtin;
use super::model::{Address, Preset, PresetKind};
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{NewEvent, append, next_seq};
use crate::json::Json;
use crate::session::Work;

const COLUMNS: &str = "id, label, kind, version, definition, published_at, created_at, updated_at";
/// Rivals for the next version of a label that one call gives way to.
const ATTEMPTS: usize = 100;

/// What a new row says.
pub(super) struct Draft<'p> {
    pub(super) label: &'p str,
    pub(super) kind: PresetKind,
    pub(super) definition: &'p Json,
    pub(super) version: Option<i64>,
    pub(super) publish: bool,
}

fn read(row: &Row) -> Result<Preset> {
    Ok(Preset {
        id: row.text(0)?,
        label: row.text(1)?,
        kind: PresetKind::parse(&row.text(2)?)?,
        version: row.int(3)?,
        definition: row.json(4)?,
        published_at: row.opt_time(5)?,
        created_at: row.time(6)?,
        updated_at: row.time(7)?,
    })
}

fn select(exec: &mut dyn Executor, rest: &str, params: &[Value<'_>]) -> Result<Vec<Preset>> {
    exec.query(&format!("SELECT {COLUMNS} FROM sprongus_presets {rest}"), params)?.iter().map(read).collect()
}

fn first(exec: &mut dyn Executor, rest: &str, params: &[Value<'_>]) -> Result<Option<Preset>> {
    Ok(select(exec, rest, params)?.into_iter().next())
}

/// The preset of that address, built-ins included.
pub(super) fn find(exec: &mut dyn Executor, address: &Address) -> Result<Option<Preset>> {
    match address {
        Address::Version(label, version) => of_version(exec, label, *version),
        Address::Name(name) => of_name(exec, name),
    }
}

/// The same; `not_found` says what was looked for.
pub(super) fn get(exec: &mut dyn Executor, address: &str) -> Result<Preset> {
    let parsed: Address = address.parse()?;
    find(exec, &parsed)?.ok_or_else(|| {
        Error::not_found(format!(
            "no published preset has the label, and none the version or id, {address}; a draft is named label@version"
        ))
    })
}

fn of_version(exec: &mut dyn Executor, label: &str, version: i64) -> Result<Option<Preset>> {
    if let Some(builtin) = Builtin::named(label).filter(|_| version == 1) {
        return Ok(Some(builtin.preset()));
    }
    first(exec, "WHERE label = $1 AND version = $2", &[label.into(), version.into()])
}

fn of_name(exec: &mut dyn Executor, name: &str) -> Result<Option<Preset>> {
    let newest = "WHERE label = $1 AND published_at IS NOT NULL ORDER BY version DESC LIMIT 1";
    if let Some(found) = first(exec, newest, &[name.into()])? {
        return Ok(Some(found));
    }
    match Builtin::named(name) {
        Some(builtin) => Ok(Some(builtin.preset())),
        None => of_id(exec, name),
    }
}

/// The preset of that id, built-ins included.
pub(super) fn of_id(exec: &mut dyn Executor, id: &str) -> Result<Option<Preset>> {
    match Builtin::of_id(id) {
        Some(builtin) => Ok(Some(builtin.preset())),
        None => first(exec, "WHERE id = $1", &[id.into()]),
    }
}

/// The same row, kept from change and deletion until the transaction ends; a built-in needs no keeping.
pub(super) fn keep(work: &mut Work<'_>, preset: &Preset, how: &str) -> Result<Preset> {
    let lock = match work.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => how,
    };
    if Builtin::of_id(&preset.id).is_some() {
        return Ok(preset.clone());
    }
    first(work.exec(), &format!("WHERE id = $1 {lock}"), &[(&preset.id).into()])?
        .ok_or_else(|| Error::not_found(format!("{} was deleted just now", preset.address())))
}

/// Which rows [`after`] reads: past a label and version, in that order.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted<'w> {
    pub(super) kind: Option<PresetKind>,
    pub(super) prefix: &'w str,
    pub(super) from: (&'w str, i64),
    pub(super) limit: Option<i64>,
}

/// Rows by label and version.
pub(super) fn after(exec: &mut dyn Executor, wanted: Wanted<'_>) -> Result<Vec<Preset>> {
    // Longer than a label, or with letters none has: nothing begins so.
    let length = wanted.prefix.len() as i64;
    if length > 64 || !wanted.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Ok(Vec::new());
    }
    let mut params: Vec<Value<'_>> =
        vec![wanted.from.0.into(), wanted.from.1.into(), length.into(), wanted.prefix.into()];
    let mut rest = "WHERE (label, version) > ($1, $2) AND substr(label, 1, $3) = $4".to_owned();
    if let Some(kind) = wanted.kind {
        params.push(kind.as_str().into());
        rest.push_str(&format!(" AND kind = ${}", params.len()));
    }
    rest.push_str(" ORDER BY label, version");
    if let Some(limit) = wanted.limit {
        params.push(limit.into());
        rest.push_str(&format!(" LIMIT ${}", params.len()));
    }
    select(exec, &rest, &params)
}

/// A new row; `conflict` where the version is taken.
pub(super) fn insert(work: &mut Work<'_>, draft: &Draft<'_>) -> Result<Preset> {
    let taken = |version: i64| {
        Error::new(ErrorCode::Conflict, format!("{}@{version} exists; versions never change", draft.label))
    };
    if let Some(version) = draft.version {
        let builtin = Builtin::named(draft.label).is_some() && version == 1;
        let made = if builtin { None } else { try_insert(work, draft, version)? };
        return made.ok_or_else(|| taken(version));
    }
    for _ in 0..ATTEMPTS {
        let version = next_version(work, draft.label)?;
        if let Some(made) = try_insert(work, draft, version)? {
            return Ok(made);
        }
    }
    Err(Error::new(ErrorCode::Conflict, format!("others kept taking the next version of {}; try again", draft.label)))
}

fn next_version(work: &mut Work<'_>, label: &str) -> Result<i64> {
    let rows =
        work.query("SELECT coalesce(max(version), 0) FROM sprongus_presets WHERE label = $1", &[label.into()])?;
    let highest = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let built_in = i64::from(Builtin::named(label).is_some());
    highest.max(built_in).checked_add(1).ok_or_else(|| Error::invalid(format!("{label} has no version left")))
}

fn try_insert(work: &mut Work<'_>, draft: &Draft<'_>, version: i64) -> Result<Option<Preset>> {
    let id = crate::id::new_id();
    let now = work.dialect().now(6);
    let published = if draft.publish { now.as_str() } else { "NULL" };
    let sql = format!(
        "INSERT INTO sprongus_presets ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, {published}, {now}, {now}) ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    );
    let params = [
        Value::text(&id),
        draft.label.into(),
        draft.kind.as_str().into(),
        version.into(),
        work.dialect().json(draft.definition),
        work.now(),
    ];
    let made = work.query(&sql, &params)?.first().map(read).transpose()?;
    if let Some(made) = made.as_ref().filter(|_| draft.publish) {
        published_event(work, made)?;
    }
    Ok(made)
}

/// Publishes a draft; nothing where it is published already.
pub(super) fn publish(work: &mut Work<'_>, preset: &Preset) -> Result<Preset> {
    let now = work.dialect().now(2);
    let sql = format!(
        "UPDATE sprongus_presets SET published_at = {now}, updated_at = {now} WHERE id = $1 AND published_at IS NULL RETURNING {COLUMNS}"
    );
    let params = [(&preset.id).into(), work.now()];
    let Some(made) = work.query(&sql, &params)?.first().map(read).transpose()? else {
        return of_id(work.exec(), &preset.id)?
            .ok_or_else(|| Error::not_found(format!("{} was deleted just now", preset.address())));
    };
    published_event(work, &made)?;
    Ok(made)
}

/// Gives a draft another kind and definition.
pub(super) fn redefine(work: &mut Work<'_>, id: &str, kind: PresetKind, definition: &Json) -> Result<()> {
    let now = work.dialect().now(4);
    let sql = format!(
        "UPDATE sprongus_presets SET kind = $2, definition = $3, updated_at = {now} WHERE id = $1 AND published_at IS NULL"
    );
    let params = [id.into(), kind.as_str().into(), work.dialect().json(definition), work.now()];
    work.execute(&sql, &params).map(drop)
}

/// Deletes a row; `conflict` naming a binding where there is one.
pub(super) fn delete(work: &mut Work<'_>, preset: &Preset) -> Result<()> {
    if Builtin::of_id(&preset.id).is_some() {
        return Err(Error::new(
            ErrorCode::Conflict,
            format!("{} comes with the library and cannot be deleted", preset.address()),
        ));
    }
    keep(work, preset, "FOR UPDATE")?;
    let bound =
        "SELECT target, name FROM sprongus_bindings WHERE preset_id = $1 ORDER BY target, name, project_id LIMIT 1";
    if let Some(row) = work.query(bound, &[(&preset.id).into()])?.first() {
        let what = if row.text(0)? == "run" { "runs of the kind" } else { "the table" };
        let message =
            format!("{} is bound to {what} {}; bind another preset there first", preset.address(), row.text(1)?);
        return Err(Error::new(ErrorCode::Conflict, message));
    }
    work.execute("DELETE FROM sprongus_presets WHERE id = $1", &[(&preset.id).into()]).map(drop)
}

fn published_event(work: &mut Work<'_>, preset: &Preset) -> Result<()> {
    let payload = json!({ "id": preset.id, "label": preset.label, "version": preset.version, "kind": preset.kind });
    event(work, preset, "preset.published", None, &payload)
}

/// An event on `preset:LABEL@VERSION`.
pub(super) fn event(
    work: &mut Work<'_>,
    preset: &Preset,
    kind: &str,
    project: Option<&str>,
    payload: &serde_json::Value,
) -> Result<()> {
    let subject = format!("preset:{}", preset.address());
    lock(work, &[(&subject, true)])?;
    let seq = next_seq(work.exec(), &subject)?;
    let actor = work.who().actor.clone();
    let payload = Json::from_value(payload)?;
    append(
        work,
        &NewEvent { run_id: None, project_id: project, subject: &subject, seq, kind, actor: &actor, payload: &payload },
    )
}

/// Holds others off until the transaction ends, by each name alone (`true`) or with those who share it. SQLite has one
/// writer anyway.
pub(crate) fn lock(work: &mut Work<'_>, names: &[(&str, bool)]) -> Result<()> {
    if work.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    // Another schema of the same database is another store.
    let one = |(n, (_, alone)): (usize, &(&str, bool))| {
        let shared = if *alone { "" } else { "_shared" };
        let name = format!("current_schema() || ' sprongus ' || ${}::text", n + 1);
        format!("pg_advisory_xact_lock{shared}(hashtextextended({name}, 0))::text")
    };
    let locks: Vec<String> = names.iter().enumerate().map(one).collect();
    let params: Vec<Value<'_>> = names.iter().map(|(name, _)| (*name).into()).collect();
    work.exec().execute_soon(&format!("SELECT {}", locks.join(", ")), &params)
}
