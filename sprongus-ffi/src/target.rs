//! `const void *store_or_tx`: each call exists once and takes either.

use std::ffi::c_void;
use std::sync::Arc;

use sprongus::artifacts::Artifacts;
use sprongus::aux_store::{Aux, Providers};
use sprongus::config::Config;
use sprongus::events::Events;
use sprongus::inbox::Inbox;
use sprongus::presets::Presets;
use sprongus::projects::Projects;
use sprongus::runs::approvals::Approvals;
use sprongus::runs::schedules::Schedules;
use sprongus::tables::Tables;
use sprongus::{Result, Runs, Store, Tx, ops};

use crate::handle::{self, Noun};
use crate::store::StoreHandle;
use crate::tx::TxHandle;

/// What a call runs on.
pub(crate) enum Target<'t> {
    Store(&'t Store),
    Tx(&'t Tx<'static>),
}

/// Runs the work on the store or the open transaction behind the handle.
pub(crate) fn on<T>(store_or_tx: *const c_void, work: impl FnOnce(Target<'_>) -> Result<T>) -> Result<T> {
    match handle::any(store_or_tx) {
        Some((StoreHandle::TAG, object)) => match object.downcast::<StoreHandle>() {
            Ok(store) => work(Target::Store(store.store())),
            Err(_) => Err(none(store_or_tx)),
        },
        Some((TxHandle::TAG, object)) => match object.downcast::<TxHandle>() {
            Ok(tx) => Arc::as_ref(&tx).with(|tx| work(Target::Tx(tx))),
            Err(_) => Err(none(store_or_tx)),
        },
        _ => Err(none(store_or_tx)),
    }
}

fn none(handle: *const c_void) -> sprongus::Error {
    handle::wrong("store_or_tx", "sprongus_store or sprongus_tx", handle.is_null())
}

impl Target<'_> {
    /// Its runs.
    pub(crate) fn runs(&self) -> Runs<'_> {
        match self {
            Self::Store(store) => store.runs(),
            Self::Tx(tx) => tx.runs(),
        }
    }

    /// The documents of a table of a project.
    pub(crate) fn aux(&self, project: &str, table: &str) -> Aux<'_> {
        match self {
            Self::Store(store) => store.aux(project, table),
            Self::Tx(tx) => tx.aux(project, table),
        }
    }

    /// Its presets.
    pub(crate) fn presets(&self) -> Presets<'_> {
        match self {
            Self::Store(store) => store.presets(),
            Self::Tx(tx) => tx.presets(),
        }
    }

    /// Its approvals.
    pub(crate) fn approvals(&self) -> Approvals<'_> {
        match self {
            Self::Store(store) => store.approvals(),
            Self::Tx(tx) => tx.approvals(),
        }
    }

    /// Its schedules.
    pub(crate) fn schedules(&self) -> Schedules<'_> {
        match self {
            Self::Store(store) => store.schedules(),
            Self::Tx(tx) => tx.schedules(),
        }
    }

    /// Its inbox.
    pub(crate) fn inbox(&self) -> Inbox<'_> {
        match self {
            Self::Store(store) => store.inbox(),
            Self::Tx(tx) => tx.inbox(),
        }
    }

    /// Its artifacts.
    pub(crate) fn artifacts(&self) -> Artifacts<'_> {
        match self {
            Self::Store(store) => store.artifacts(),
            Self::Tx(tx) => tx.artifacts(),
        }
    }

    /// Its profiles of providers.
    pub(crate) fn providers(&self) -> Providers<'_> {
        match self {
            Self::Store(store) => store.providers(),
            Self::Tx(tx) => tx.providers(),
        }
    }

    /// Its feed of events.
    pub(crate) fn events(&self) -> Events<'_> {
        match self {
            Self::Store(store) => store.events(),
            Self::Tx(tx) => tx.events(),
        }
    }

    /// Its custom tables.
    pub(crate) fn tables(&self) -> Tables<'_> {
        match self {
            Self::Store(store) => store.tables(),
            Self::Tx(tx) => tx.tables(),
        }
    }

    /// Its projects.
    pub(crate) fn projects(&self) -> Projects<'_> {
        match self {
            Self::Store(store) => store.projects(),
            Self::Tx(tx) => tx.projects(),
        }
    }

    /// Its settings.
    pub(crate) fn config(&self) -> Config<'_> {
        match self {
            Self::Store(store) => store.config(),
            Self::Tx(tx) => tx.config(),
        }
    }

    /// Calls an operation of the table by name.
    pub(crate) fn call(&self, operation: &str, request: &[u8]) -> Result<String> {
        match self {
            Self::Store(store) => ops::call(*store, operation, request),
            Self::Tx(tx) => ops::call(*tx, operation, request),
        }
    }
}
