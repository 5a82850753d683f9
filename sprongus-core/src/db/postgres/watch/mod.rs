//! Hears of commits by LISTEN, and tells of ours by NOTIFY, on one connection of its own and in a thread of its own.

mod session;

use std::sync::Arc;
use std::task::Waker;
use std::thread::{Thread, current, park_timeout};
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use super::settings::PostgresSettings;
use super::url;
use crate::db::watch::{Desk, Watcher};
use crate::error::{Error, ErrorCode, Result};

/// Before a lost connection is opened again: the first time, and at most.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);
/// The same where the server will not have it: a standby, a missing table.
const REFUSED: Duration = Duration::from_secs(30);

/// Watches one schema of a database.
pub(super) struct ServerWatcher {
    config: Config,
    settings: Arc<PostgresSettings>,
    /// Not behind a pooler in transaction mode: there LISTEN would stay with some other client's session.
    listens: bool,
}

impl ServerWatcher {
    /// By `listen_url` where the store's own connections come from such a pooler.
    pub(super) fn new(config: &Config, settings: &Arc<PostgresSettings>) -> Result<Self> {
        let direct = settings.listen_url.as_deref().map(|direct| url::parse(direct, settings)).transpose();
        let direct = direct.map_err(|error| Error::new(error.code(), format!("listen_url: {}", error.message())))?;
        let listens = direct.is_some() || settings.statement_cache;
        Ok(Self { config: direct.unwrap_or_else(|| config.clone()), settings: settings.clone(), listens })
    }
}

impl Watcher for ServerWatcher {
    fn posts(&self) -> bool {
        !self.settings.read_only
    }

    fn listens(&self) -> bool {
        self.listens
    }

    fn watch(&self, desk: &Desk) {
        let mut pause = FIRST;
        while !desk.retire() {
            let begun = Instant::now();
            let Err(error) = session::work(&self.config, &self.settings, self.listens, desk) else { continue };
            desk.set_trouble(Some(error.message().to_owned()));
            tracing::debug!(code = %error.code(), "no wake-ups from PostgreSQL for now: {}", error.message());
            pause = match error.code() {
                ErrorCode::Unavailable | ErrorCode::Timeout if begun.elapsed() > LONGEST => FIRST,
                ErrorCode::Unavailable | ErrorCode::Timeout => (pause * 2).min(LONGEST),
                _ => REFUSED,
            };
            rest(desk, pause);
        }
    }
}

/// Waits before the next try, unless the store is closing: then there is none.
fn rest(desk: &Desk, pause: Duration) {
    struct Nudge(Thread);
    impl std::task::Wake for Nudge {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Nudge(current())));
    let until = Instant::now() + pause;
    loop {
        let orders = desk.orders(&waker);
        let left = until.saturating_duration_since(Instant::now());
        if orders.close || !orders.listen {
            // Nobody waits here, and others poll: what could not be told is not worth another try.
            desk.take_post();
            return;
        }
        if left.is_zero() {
            return;
        }
        park_timeout(left);
    }
}
