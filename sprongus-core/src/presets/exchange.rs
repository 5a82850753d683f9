//! Presets from one store to another.

use std::collections::BTreeMap;

use super::builtin::{Builtin, PREFIX};
use super::compile::Compiled;
use super::model::{Address, Preset};
use super::requests::{ImportPresets, ImportedPresets, PresetImportMode, PresetItem};
use super::store::{self, Draft, Wanted};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::Json;
use crate::options::Options;
use crate::secrets;
use crate::session::{Session, Work};

/// A preset without what belongs to this store.
pub(super) fn item(preset: Preset) -> PresetItem {
    PresetItem {
        published: preset.published_at.is_some(),
        label: preset.label,
        kind: preset.kind,
        version: preset.version,
        definition: preset.definition,
    }
}

/// All or none: every item is checked before the first is written.
pub(super) fn import(session: Session<'_>, request: &ImportPresets) -> Result<ImportedPresets> {
    let items = checked(&request.items, session.options())?;
    session.write(|work| {
        let mut done = ImportedPresets::default();
        for item in items.values() {
            import_one(work, item, &mut done)?;
        }
        if request.mode == PresetImportMode::Replace {
            for preset in store::after(work.exec(), Wanted::default())? {
                if !items.contains_key(&(preset.label.as_str(), preset.version)) {
                    store::delete(work, &preset)?;
                    done.deleted += 1;
                }
            }
        }
        Ok(done)
    })
}

type Items<'i> = BTreeMap<(&'i str, i64), &'i PresetItem>;

fn checked<'i>(items: &'i [PresetItem], options: &Options) -> Result<Items<'i>> {
    let mut known = Items::new();
    for (index, item) in items.iter().enumerate() {
        check_label(&item.label).map_err(|error| in_item(index, &error))?;
        check_version(item.version).map_err(|error| in_item(index, &error))?;
        check_size(item.definition.as_str(), options.max_payload_bytes)?;
        check_secrets(&item.definition, options).map_err(|error| in_item(index, &error))?;
        Compiled::new(&item.definition).map_err(|error| in_item(index, &error))?;
        if known.insert((&item.label, item.version), item).is_some_and(|twin| twin != item) {
            return Err(Error::invalid(format!("{}@{} is there twice, and not the same", item.label, item.version)));
        }
    }
    Ok(known)
}

/// The same error, with its violations below the item they are in.
fn in_item(index: usize, error: &Error) -> Error {
    let below = |one: Violation| Violation { path: format!("/{index}/definition{}", one.path), ..one };
    let violations: Vec<Violation> = error.violations_list().into_iter().map(below).collect();
    if violations.is_empty() {
        Error::new(error.code(), format!("item {index}: {}", error.message()))
    } else {
        Error::violations(error.code(), violations)
    }
}

/// Labels of hosts: those of DESIGN.md §15, without the ids of built-ins.
pub(super) fn check_label(label: &str) -> Result<()> {
    crate::text::check_label(label)?;
    if label.starts_with(PREFIX) {
        return Err(Error::invalid(format!(
            "labels that begin with {PREFIX} are kept for what comes with the library"
        )));
    }
    Ok(())
}

pub(super) fn check_version(version: i64) -> Result<()> {
    if version >= 1 { Ok(()) } else { Err(Error::invalid("a preset's version is 1 or more")) }
}

pub(super) fn check_size(definition: &str, most: usize) -> Result<()> {
    if definition.len() <= most {
        return Ok(());
    }
    Err(Error::new(ErrorCode::TooLarge, format!("the definition has {} bytes; the limit is {most}", definition.len())))
}

/// Refuses a default, an example or another text that is a credential.
pub(super) fn check_secrets(definition: &Json, options: &Options) -> Result<()> {
    if options.check_secrets { secrets::refuse_shapes(definition) } else { Ok(()) }
}

fn import_one(work: &mut Work<'_>, item: &PresetItem, done: &mut ImportedPresets) -> Result<()> {
    let address = Address::Version(item.label.clone(), item.version);
    let Some(there) = store::find(work.exec(), &address)? else {
        let draft = Draft {
            label: &item.label,
            kind: item.kind,
            definition: &item.definition,
            version: Some(item.version),
            publish: item.published,
        };
        store::insert(work, &draft)?;
        done.created += 1;
        return Ok(());
    };
    let same = there.kind == item.kind && there.definition == item.definition;
    let published = there.published_at.is_some();
    if !same && published {
        let whose = if Builtin::of_id(&there.id).is_some() { "comes with the library" } else { "is published" };
        return Err(Error::new(
            ErrorCode::Conflict,
            format!("{} {whose} and says something else; import it as another version", there.address()),
        ));
    }
    if same && (published || !item.published) {
        done.unchanged += 1;
        return Ok(());
    }
    if !same {
        store::redefine(work, &there.id, item.kind, &item.definition)?;
    }
    if item.published {
        store::publish(work, &there)?;
    }
    done.updated += 1;
    Ok(())
}
