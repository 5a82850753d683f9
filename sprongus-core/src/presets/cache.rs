//! Compiled presets, kept by what they say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::compile::Compiled;
use crate::error::Result;
use crate::json::Json;

type Hash = [u8; 32];

/// Compiled definitions by the hash of their canonical text: bounded, for all threads of a store.
#[derive(Debug)]
pub struct Cache {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_hash: HashMap<Hash, (u64, Arc<Compiled>)>,
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
        let hash: Hash = definition.hash();
        if let Some(found) = self.find(&hash) {
            return Ok(found);
        }
        let compiled = Arc::new(Compiled::new(definition)?);
        self.keep(hash, &compiled);
        Ok(compiled)
    }

    fn find(&self, hash: &Hash) -> Option<Arc<Compiled>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (used, compiled) = kept.by_hash.get_mut(hash)?;
        *used = now;
        Some(Arc::clone(compiled))
    }

    fn keep(&self, hash: Hash, compiled: &Arc<Compiled>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_hash.len() >= self.most {
            let oldest = kept.by_hash.iter().min_by_key(|(_, (used, _))| *used).map(|(hash, _)| *hash);
            oldest.and_then(|hash| kept.by_hash.remove(&hash));
        }
        kept.clock += 1;
        let now = kept.clock;
        kept.by_hash.insert(hash, (now, Arc::clone(compiled)));
    }
}
