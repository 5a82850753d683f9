//! What the table changed goes to the provider, a batch at a time, each noted when it has arrived.

use std::collections::{HashMap, HashSet};

use super::decide::{Action, Hash, Push};
use super::plan::{Plan, Planned};
use super::state;
use super::work::Syncing;
use crate::aux_store::providers::{Changes, Provider};
use crate::aux_store::rows::{self, object};
use crate::aux_store::unseen;
use crate::error::Result;
use crate::json::Json;

/// The most changes of one push, and about how many bytes of documents.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 8 << 20;
/// Entries read at once.
const READ: usize = 64;

/// Changes that are pushed together.
#[derive(Default)]
struct Batch {
    changes: Changes,
    /// The ids of the documents.
    written: Vec<String>,
    bytes: usize,
}

impl Syncing<'_> {
    /// Pushes; the ids of entries that were written since the plan was made and are left to the next sync.
    pub(super) fn push(&self, plan: &Plan, provider: &mut dyn Provider) -> Result<HashSet<String>> {
        let pushed: Vec<&Planned> = plan.of(|action| matches!(action, Action::Push(_))).collect();
        let (mut batch, mut later) = (Batch::default(), HashSet::new());
        for some in pushed.chunks(READ) {
            let entries = self.patiently(|| self.entries(some))?;
            for one in some {
                if !batch.add(one, entries.get(&*one.id)) {
                    later.insert(one.id.to_string());
                }
            }
            if batch.changes.len() >= MOST || batch.bytes >= MOST_BYTES {
                self.push_batch(std::mem::take(&mut batch), provider)?;
            }
        }
        self.push_batch(batch, provider)?;
        Ok(later)
    }

    fn push_batch(&self, batch: Batch, provider: &mut dyn Provider) -> Result<()> {
        let changes = &batch.changes;
        if changes.is_empty() {
            return Ok(());
        }
        (self.go_on)()?;
        provider.push(self.pair.place.project, self.pair.place.table, changes)?;
        let written: Vec<&str> = batch.written.iter().map(String::as_str).collect();
        let deleted: Vec<&str> = changes.deleted.iter().map(String::as_str).collect();
        self.session.write(|work| {
            self.fence(work)?;
            state::pushed(work.exec(), self.pair, &written, &deleted)
        })
    }

    /// The entries as they are now.
    fn entries(&self, some: &[&Planned]) -> Result<HashMap<String, (Hash, Json)>> {
        let ids: Vec<&str> = some.iter().map(|one| &*one.id).collect();
        let place = self.pair.place;
        self.session.read_snapshot(|exec| {
            unseen::refuse_another(exec, place)?;
            let sql = format!("SELECT id, hash, payload FROM {}", rows::named(exec, place)?);
            let rows = exec.query(&sql, &[place.project.into(), place.table.into(), rows::ids(&ids)])?;
            let read = |row: &crate::db::Row| {
                let hash = state::hash(&row.opt_bytes(1)?.unwrap_or_default())?;
                Ok((row.text(0)?, (hash, row.json(2)?)))
            };
            rows.iter().map(read).collect()
        })
    }
}

impl Batch {
    /// Whether the entry still is what was to be pushed.
    fn add(&mut self, one: &Planned, entry: Option<&(Hash, Json)>) -> bool {
        let (documents, wanted) = match one.decision.action {
            Action::Push(Push::Create(wanted)) => (&mut self.changes.created, wanted),
            Action::Push(Push::Update(wanted)) => (&mut self.changes.updated, wanted),
            _ if entry.is_none() => {
                self.changes.deleted.push(one.id.to_string());
                return true;
            }
            _ => return false,
        };
        let Some((_, json)) = entry.filter(|(hash, _)| *hash == wanted) else { return false };
        let mut document = object(json);
        document.entry("id").or_insert_with(|| one.id.to_string().into());
        documents.push(document);
        self.written.push(one.id.to_string());
        self.bytes += json.as_str().len();
        true
    }
}
