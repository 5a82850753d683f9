//! A source that does as a test tells it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Map, Value, json};
use sprongus::artifacts::ArtifactId;
use sprongus::aux_store::providers::{Capabilities, Changes, Provider, Pulled, bad_document};
use sprongus::aux_store::{Policy, PutProfile, SyncDiff, SyncTable};
use sprongus::{Error, ErrorCode, Result, Run, Store};

/// What happens before the source does something.
pub(crate) type Hook = Box<dyn FnMut() -> Result<()> + Send>;

/// What a source holds, and what was done to it.
#[derive(Default)]
pub(crate) struct Inner {
    /// Documents by id; `null` is one that cannot be read.
    pub(crate) documents: BTreeMap<String, Value>,
    /// Documents without an id.
    pub(crate) anonymous: Vec<Value>,
    pub(crate) read_only: bool,
    pub(crate) write_only: bool,
    pub(crate) pulls: usize,
    pub(crate) pushes: Vec<Changes>,
    /// The pull fails after so many documents.
    pub(crate) breaks_after: Option<usize>,
    pub(crate) before_each: Option<Hook>,
    pub(crate) before_push: Option<Hook>,
    /// After the changes were made, before the answer: an error here is one that came too late.
    pub(crate) after_push: Option<Hook>,
}

/// A source; all clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Source(Arc<Mutex<Inner>>);

impl Source {
    /// A source with these documents, by id.
    pub(crate) fn of(documents: Value) -> Self {
        let source = Self::default();
        let documents = documents.as_object().cloned().unwrap_or_default();
        source.inner().documents = documents.into_iter().collect();
        source
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn set(&self, id: &str, document: Value) {
        self.inner().documents.insert(id.to_owned(), document);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.inner().documents.remove(id);
    }

    /// What it holds, as one object.
    pub(crate) fn holds(&self) -> Value {
        self.inner().documents.clone().into_iter().collect::<Map<_, _>>().into()
    }

    /// How often it was pulled.
    pub(crate) fn pulled(&self) -> usize {
        self.inner().pulls
    }

    pub(crate) fn pushes(&self) -> Vec<Changes> {
        std::mem::take(&mut self.inner().pushes)
    }

    /// Makes it known to a store, as the profile `source`.
    pub(crate) fn known_to(&self, store: &Store) {
        let source = self.clone();
        store.providers().register("scripted", Arc::new(move |_| Ok(Box::new(source.clone())))).unwrap();
        put(store);
    }
}

/// The profile, whether or not its kind is known.
pub(crate) fn put(store: &Store) {
    let profile = PutProfile { name: "source".into(), kind: "scripted".into(), config: Map::new() };
    store.providers().put(&profile).unwrap();
}

/// Runs a hook outside the lock, so that it may change the source.
fn call(source: &Source, hook: fn(&mut Inner) -> &mut Option<Hook>) -> Result<()> {
    let Some(mut work) = hook(&mut source.inner()).take() else { return Ok(()) };
    let done = work();
    let mut inner = source.inner();
    let again = hook(&mut inner);
    if again.is_none() {
        *again = Some(work);
    }
    done
}

impl Provider for Source {
    fn capabilities(&self) -> Capabilities {
        let inner = self.inner();
        Capabilities { read: !inner.write_only, write: !inner.read_only }
    }

    fn pull(&mut self, _: &str, _: &str) -> Result<Pulled<'_>> {
        let mut inner = self.inner();
        inner.pulls += 1;
        let with_id = |(id, document): (&String, &Value)| match document {
            Value::Object(document) => {
                let mut document = document.clone();
                document.insert("id".to_owned(), json!(id));
                Ok(Value::Object(document))
            }
            other => Ok(other.clone()),
        };
        let mut documents: Vec<Result<Value>> = inner.documents.iter().map(with_id).collect();
        documents.extend(inner.anonymous.iter().cloned().map(Ok));
        if let Some(most) = inner.breaks_after {
            documents.truncate(most);
            documents.push(Err(Error::new(ErrorCode::Unavailable, "the source went away")));
        }
        drop(inner);
        let source = self.clone();
        Ok(Box::new(documents.into_iter().enumerate().map(move |(index, document)| {
            call(&source, |inner| &mut inner.before_each)?;
            match document {
                Ok(Value::Null) => Err(bad_document(index as u64 + 1, &Error::invalid("it cannot be read"))),
                document => document,
            }
        })))
    }

    fn push(&mut self, _: &str, _: &str, changes: &Changes) -> Result<()> {
        call(self, |inner| &mut inner.before_push)?;
        {
            let mut inner = self.inner();
            for document in changes.created.iter().chain(&changes.updated) {
                let mut document = document.clone();
                let id = document.remove("id").unwrap();
                inner.documents.insert(id.as_str().unwrap().to_owned(), Value::Object(document));
            }
            for id in &changes.deleted {
                inner.documents.remove(id);
            }
            inner.pushes.push(changes.clone());
        }
        call(self, |inner| &mut inner.after_push)
    }
}

/// A sync of the assets with the source.
pub(crate) fn asked(policy: Policy) -> SyncTable {
    SyncTable { policy, ..SyncTable::new("assets", "source") }
}

/// Syncs the assets of `p` in place; what the run says it did.
pub(crate) fn synced(store: &Store, policy: Policy) -> SyncDiff {
    diff(store, &store.aux("p", "assets").sync(&asked(policy)).unwrap())
}

/// What a run says it did.
pub(crate) fn diff(store: &Store, run: &Run) -> SyncDiff {
    let id = run.output_ref.as_deref().and_then(|at| at.strip_prefix("artifact:")).unwrap().to_owned();
    let artifact = store.artifacts().get(&ArtifactId { id }).unwrap();
    assert_eq!((artifact.kind.as_str(), artifact.run_id.as_deref()), ("sync.diff", Some(run.id.as_str())));
    SyncDiff::parse(artifact.content.as_deref().unwrap()).unwrap()
}

/// The assets of `p`, as one object by id.
pub(crate) fn assets(store: &Store) -> Value {
    let query = sprongus::aux_store::ListQuery { limit: 1_000, ..Default::default() };
    let page = store.aux("p", "assets").list(&query).unwrap();
    page.iter().map(|entry| (entry.id.clone(), entry.payload.to_value())).collect::<Map<_, _>>().into()
}
