//! Compiled presets, kept by what they say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::compile::Compiled;
use crate::error::Result;
use crate::json::Json;

/// Compiled definitions by hash or by id: bounded, for all threads of a store.
#[derive(Debug)]
pub struct Cache {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<String, (u64, Arc<Compiled>)>,
    /// Rises with each use: the least recently used one goes first.
    clock: u64,
}

impl Default for Cache {
    /// Room for 256 presets.
    fn default() -> Self {
        Self::new(256)
    }
}

impl Cache {
    /// A cache for at most that many, one at least.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: Mutex::default() }
    }

    /// The compiled form of a definition; compiled outside the lock on first use.
    ///
    /// # Errors
    /// Those of [`Compiled::new`]; a definition that fails is not kept.
    pub fn get(&self, definition: &Json) -> Result<Arc<Compiled>> {
        self.keyed(&definition.hash_hex(), || Ok(definition.clone()))
    }

    /// The same by a key of the caller's for something that never changes: the id of a published preset. The definition
    /// is asked for where the key is not known.
    ///
    /// # Errors
    /// Those of [`Compiled::new`] and of `definition`.
    pub fn keyed(&self, key: &str, definition: impl FnOnce() -> Result<Json>) -> Result<Arc<Compiled>> {
        if let Some(found) = self.find(key) {
            return Ok(found);
        }
        let compiled = Arc::new(Compiled::new(&definition()?)?);
        self.keep(key, &compiled);
        Ok(compiled)
    }

    fn find(&self, key: &str) -> Option<Arc<Compiled>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (used, compiled) = kept.by_key.get_mut(key)?;
        *used = now;
        Some(Arc::clone(compiled))
    }

    fn keep(&self, key: &str, compiled: &Arc<Compiled>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_key.len() >= self.most {
            let oldest = kept.by_key.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| kept.by_key.remove(&key));
        }
        kept.clock += 1;
        let now = kept.clock;
        kept.by_key.insert(key.to_owned(), (now, Arc::clone(compiled)));
    }
}
