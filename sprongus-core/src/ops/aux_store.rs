//! Entries of the aux store.

use serde_json::Value;

use super::Operation;
use crate::aux_store::{
    BulkUpsert, CountEntries, Counted, CreateEntry, DeleteEntry, DiffEntry, EntriesAsOf, EntryAddress, ExportEntries,
    ImportEntries, ListEntries, ResolveRefs, RestoreEntry, SyncTable, UpdateEntry, UpsertEntry, requested,
};
use crate::error::Result;
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    let mut table = single();
    table.extend(many());
    table.extend(past());
    table.extend(links());
    table
}

fn single() -> Vec<Operation> {
    vec![
        Operation::new(
            "aux.create",
            Scope::AuxWrite,
            "Creates an entry from a whole document.",
            |on, request: CreateEntry| {
                let aux = requested(on, request.project.as_deref(), &request.table)?;
                aux.create(Value::Object(request.payload), request.id.as_deref())
            },
        ),
        Operation::new("aux.get", Scope::AuxRead, "One entry.", |on, request: EntryAddress| {
            requested(on, request.project.as_deref(), &request.table)?.get(&request.id)
        }),
        Operation::new(
            "aux.update",
            Scope::AuxWrite,
            "Merges a patch into an entry, or replaces its document.",
            |on, request: UpdateEntry| {
                let (aux, options) = (requested(on, request.project.as_deref(), &request.table)?, request.options());
                aux.update(&request.id, Value::Object(request.patch), options)
            },
        ),
        Operation::new(
            "aux.upsert",
            Scope::AuxWrite,
            "Creates an entry, or merges into or replaces the one of its id.",
            |on, request: UpsertEntry| {
                let aux = requested(on, request.project.as_deref(), &request.table)?;
                aux.upsert(Value::Object(request.payload), request.id.as_deref(), request.replace)
            },
        ),
        Operation::new(
            "aux.delete",
            Scope::AuxWrite,
            "Deletes an entry; the entries that referred to it.",
            |on, request: DeleteEntry| {
                requested(on, request.project.as_deref(), &request.table)?.delete(&request.id, request.on_referenced)
            },
        ),
    ]
}

fn many() -> Vec<Operation> {
    vec![
        Operation::new(
            "aux.list",
            Scope::AuxRead,
            "A page of the entries that match, in the order asked for.",
            |on, request: ListEntries| {
                requested(on, request.project.as_deref(), &request.table)?.list(&request.query())
            },
        ),
        Operation::new("aux.count", Scope::AuxRead, "How many entries match.", |on, request: CountEntries| {
            let aux = requested(on, request.project.as_deref(), &request.table)?;
            let filter = request.filter.map(Value::Object);
            Ok(Counted { count: aux.count(request.q.as_deref(), filter.as_ref())? })
        }),
        Operation::new(
            "aux.bulk_upsert",
            Scope::AuxWrite,
            "Creates or changes many entries: others see all of it at once, or nothing.",
            |on, request: BulkUpsert| {
                let (aux, options) = (requested(on, request.project.as_deref(), &request.table)?, request.options());
                aux.bulk_upsert(request.items.into_iter().map(Ok), options, &mut quietly)
            },
        ),
        Operation::new(
            "aux.import",
            Scope::AuxWrite,
            "Reads a CSV, JSON or NDJSON file into a table.",
            |on, request: ImportEntries| {
                let aux = requested(on, request.project.as_deref(), &request.table)?;
                aux.import(&request.path, &request.options(), &mut quietly)
            },
        ),
        Operation::new(
            "aux.export",
            Scope::AuxRead,
            "Writes a table to a CSV, JSON or NDJSON file; the number of rows.",
            |on, request: ExportEntries| {
                let aux = requested(on, request.project.as_deref(), &request.table)?;
                Ok(Counted { count: aux.export(&request.path, request.options(), &mut quietly)? })
            },
        ),
    ]
}

fn past() -> Vec<Operation> {
    vec![
        Operation::new(
            "aux.history",
            Scope::AuxRead,
            "Every version of an entry, oldest first.",
            |on, request: EntryAddress| requested(on, request.project.as_deref(), &request.table)?.history(&request.id),
        ),
        Operation::new(
            "aux.diff",
            Scope::AuxRead,
            "What differs between two versions of an entry.",
            |on, request: DiffEntry| {
                requested(on, request.project.as_deref(), &request.table)?.diff(&request.id, request.a, request.b)
            },
        ),
        Operation::new("aux.as_of", Scope::AuxRead, "A table as it was at a time.", |on, request: EntriesAsOf| {
            requested(on, request.project.as_deref(), &request.table)?.as_of(request.at)
        }),
        Operation::new(
            "aux.restore",
            Scope::AuxWrite,
            "Brings a version of an entry back.",
            |on, request: RestoreEntry| {
                requested(on, request.project.as_deref(), &request.table)?.restore(&request.id, request.version)
            },
        ),
    ]
}

fn links() -> Vec<Operation> {
    vec![
        Operation::new(
            "aux.referrers",
            Scope::AuxRead,
            "The entries that refer to one.",
            |on, request: EntryAddress| {
                requested(on, request.project.as_deref(), &request.table)?.referrers(&request.id)
            },
        ),
        Operation::new(
            "aux.resolve_refs",
            Scope::AuxRead,
            "What references lead to, in few words.",
            |on, request: ResolveRefs| {
                requested(on, request.project.as_deref(), &request.table)?.resolve_refs(&request.ids)
            },
        ),
        Operation::new(
            "aux.sync",
            Scope::AuxWrite,
            "Keeps a table and a provider's documents in step; the run that did or will do it.",
            |on, request: SyncTable| requested(on, request.project.as_deref(), &request.table)?.sync(&request),
        ),
    ]
}

/// The JSON door has nobody to tell how far it is.
fn quietly(_: u64, _: Option<u64>) -> Result<()> {
    Ok(())
}
