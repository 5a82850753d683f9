//! One API in or out of a transaction, as a transactional case sees it.

use sprongus::artifacts::Artifacts;
use sprongus::aux_store::Aux;
use sprongus::config::Config;
use sprongus::events::Events;
use sprongus::inbox::Inbox;
use sprongus::presets::Presets;
use sprongus::projects::Projects;
use sprongus::runs::approvals::Approvals;
use sprongus::runs::schedules::Schedules;
use sprongus::tables::Tables;
use sprongus::{Result, Row, Runs, Store, Tx, Value};

/// A store, or the host's own transaction: the services are the same, so a case is written once.
#[derive(Clone, Copy)]
pub enum Face<'f, 'c> {
    /// Each call in a transaction of its own.
    Store(&'f Store),
    /// All calls in the host's transaction.
    Tx(&'f Tx<'c>),
}

impl Face<'_, '_> {
    /// The documents of a table of the project `p`.
    pub fn aux(&self, table: &str) -> Aux<'_> {
        match self {
            Self::Store(store) => store.aux("p", table),
            Self::Tx(tx) => tx.aux("p", table),
        }
    }

    /// The artifacts.
    pub fn artifacts(&self) -> Artifacts<'_> {
        match self {
            Self::Store(store) => store.artifacts(),
            Self::Tx(tx) => tx.artifacts(),
        }
    }

    /// The projects.
    pub fn projects(&self) -> Projects<'_> {
        match self {
            Self::Store(store) => store.projects(),
            Self::Tx(tx) => tx.projects(),
        }
    }

    /// The settings.
    pub fn config(&self) -> Config<'_> {
        match self {
            Self::Store(store) => store.config(),
            Self::Tx(tx) => tx.config(),
        }
    }

    /// The documents of a table of any project.
    pub fn aux_of(&self, project: &str, table: &str) -> Aux<'_> {
        match self {
            Self::Store(store) => store.aux(project, table),
            Self::Tx(tx) => tx.aux(project, table),
        }
    }

    /// The presets.
    pub fn presets(&self) -> Presets<'_> {
        match self {
            Self::Store(store) => store.presets(),
            Self::Tx(tx) => tx.presets(),
        }
    }

    /// The runs.
    pub fn runs(&self) -> Runs<'_> {
        match self {
            Self::Store(store) => store.runs(),
            Self::Tx(tx) => tx.runs(),
        }
    }

    /// The schedules.
    pub fn schedules(&self) -> Schedules<'_> {
        match self {
            Self::Store(store) => store.schedules(),
            Self::Tx(tx) => tx.schedules(),
        }
    }

    /// The custom tables.
    pub fn tables(&self) -> Tables<'_> {
        match self {
            Self::Store(store) => store.tables(),
            Self::Tx(tx) => tx.tables(),
        }
    }

    /// The feed.
    pub fn events(&self) -> Events<'_> {
        match self {
            Self::Store(store) => store.events(),
            Self::Tx(tx) => tx.events(),
        }
    }

    /// The approvals.
    pub fn approvals(&self) -> Approvals<'_> {
        match self {
            Self::Store(store) => store.approvals(),
            Self::Tx(tx) => tx.approvals(),
        }
    }

    /// The inbox.
    pub fn inbox(&self) -> Inbox<'_> {
        match self {
            Self::Store(store) => store.inbox(),
            Self::Tx(tx) => tx.inbox(),
        }
    }

    /// The host's own SQL, changing.
    pub fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Store(store) => store.execute(sql, params),
            Self::Tx(tx) => tx.execute(sql, params),
        }
    }

    /// The host's own SQL, reading.
    pub fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        match self {
            Self::Store(store) => store.query(sql, params),
            Self::Tx(tx) => tx.query(sql, params),
        }
    }
}
