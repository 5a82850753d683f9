//! Keeping a table in step with a source outside.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use sprongus::aux_store::{Policy, SyncTable};

use super::{AuxTable, pick};
use crate::args::{Text, text};
use crate::providers::PyProvider;
use crate::records::Run;

#[pymethods]
impl AuxTable {
    /// Syncs the table with a source, by what changed on either side since the last time; the run that did it, or will.
    ///
    /// provider: the name of a profile (`store.providers`), "csv:PATH", "json:PATH", or an object as `Provider` describes it;
    /// what both sides had last is remembered under the name, which an object has as its `name` or by its class. policy: who is right where
    /// both sides changed an entry: "provider", "local", "newest", or "manual", which lists such conflicts and leaves them.
    /// dry_run: only say what would be done. force: let an empty source empty the table. enqueue: leave it to a worker that
    /// serves syncs. The differences are the artifact that the run's `output_ref` names.
    ///
    /// Raises what the source failed with (the run is failed then), and `MisuseError` in a transaction unless `enqueue` is set.
    ///
    /// >>> from pathlib import Path
    /// >>> written = Path("assets.csv").write_text("id,title\na,Coburg\n", encoding="utf-8")
    /// >>> store.aux("p10", "assets").sync("csv:assets.csv").state
    /// 'succeeded'
    /// >>> store.aux("p10", "assets").get("a").payload
    /// {'title': 'Coburg'}
    #[pyo3(
        signature = (
            provider, *, policy = None, dry_run = false, force = false, idempotency_key = None, enqueue = false
        ),
        text_signature = "($self, provider, *, policy='manual', dry_run=False, force=False, idempotency_key=None, \
                          enqueue=False)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn sync<'py>(
        &self,
        py: Python<'py>,
        provider: &Bound<'_, PyAny>,
        policy: Option<Text>,
        dry_run: bool,
        force: bool,
        idempotency_key: Option<Text>,
        enqueue: bool,
    ) -> PyResult<Bound<'py, Run>> {
        let policies = [
            ("manual", Policy::Manual),
            ("provider", Policy::Provider),
            ("local", Policy::Local),
            ("newest", Policy::Newest),
        ];
        let request = SyncTable {
            policy: pick(py, "policy", policy, &policies)?,
            dry_run,
            force,
            idempotency_key: text(idempotency_key),
            enqueue,
            ..SyncTable::new(&self.name, String::new())
        };
        let run = if provider.is_instance_of::<PyString>() {
            let request = SyncTable { provider: provider.extract::<Text>()?.0, ..request };
            self.ground.aux(py, self.place(), |aux| aux.sync(&request))?
        } else {
            let request = SyncTable { provider: name_of(provider)?, ..request };
            let mut provider = PyProvider::of(provider)?;
            self.ground.aux(py, self.place(), |aux| aux.sync_with(&request, &mut provider))?
        };
        Run::make(py, run)
    }
}

/// The name an object gives itself, else its class's.
fn name_of(provider: &Bound<'_, PyAny>) -> PyResult<String> {
    match provider.getattr_opt(intern!(provider.py(), "name"))? {
        Some(name) if name.is_instance_of::<PyString>() => name.extract::<Text>().map(|name| name.0),
        _ => provider.get_type().name().map(|name| name.to_string()),
    }
}
