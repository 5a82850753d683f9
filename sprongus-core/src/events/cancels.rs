//! Tells workers of this process at once that a run they may have was canceled; those elsewhere learn by their heartbeats.

use std::sync::{Mutex, PoisonError, Weak};

/// Told of each run that is canceled by this process. Quick, for whoever committed calls it.
pub(crate) trait OnCancel: Send + Sync {
    fn canceled(&self, run: &str);
}

/// Those who are told, for as long as they live.
#[derive(Default)]
pub(crate) struct Cancels(Mutex<Vec<Weak<dyn OnCancel>>>);

impl Cancels {
    pub(crate) fn listen(&self, listener: Weak<dyn OnCancel>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(listener);
    }

    /// After the commit.
    pub(crate) fn tell(&self, runs: &[String]) {
        if runs.is_empty() {
            return;
        }
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let listening: Vec<_> = listeners.iter().filter_map(Weak::upgrade).collect();
        drop(listeners);
        for run in runs {
            listening.iter().for_each(|listener| listener.canceled(run));
        }
    }
}
