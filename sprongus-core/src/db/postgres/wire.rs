//! A connection of ours: the driver's client, and the pump that moves it.

use std::future::Future;
use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::runtime::Handle;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::driver::{Chunks, Driver};
use super::encode::Param;
use super::errors;
use super::pump::{Limits, Pump};
use super::settings::Asked;
use crate::error::{Error, Result};

/// How long past the server's own limit its answer is waited for.
const GRACE: Duration = Duration::from_millis(500);
/// How long the goodbye of a connection may take.
const FAREWELL: Duration = Duration::from_millis(200);

/// One session with the server.
pub(super) struct Wire {
    client: Option<Client>,
    pump: Option<Pump>,
    limit: Option<Duration>,
    stop: Option<Instant>,
    lost: bool,
}

impl Wire {
    /// Connects by `until`; every later call waits no longer than `limit` and a grace.
    pub(super) fn connect(config: &Config, until: Instant, limit: Duration, asked: Asked) -> Result<Self> {
        let mut pump = Pump::new(asked)?;
        let (client, connection) = pump.run(Limits { stop: None, give_up: Some(until) }, config.connect(NoTls))?;
        pump.attach(client.cancel_token(), connection);
        Ok(Self { client: Some(client), pump: Some(pump), limit: Some(limit), stop: None, lost: false })
    }

    /// The longest wait for one answer; `None` for work that is not bounded.
    pub(super) fn set_limit(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// When the server is asked to cancel what it is at.
    pub(super) fn set_stop(&mut self, stop: Option<Instant>) {
        self.stop = stop;
    }

    /// Whether a request to cancel is under way, which may strike the next caller's statement.
    pub(super) fn was_cancelled(&self) -> bool {
        self.pump.as_ref().is_some_and(Pump::was_cancelled)
    }

    /// Whether it is of no further use.
    pub(super) fn is_closed(&self) -> bool {
        self.lost || self.pump.as_ref().is_none_or(Pump::is_closed)
    }

    /// Never to be used again, whatever it is asked.
    pub(super) fn abandon(&mut self) {
        self.lost = true;
        if let Some(pump) = &mut self.pump {
            pump.abandon();
        }
    }

    /// Sees what arrived meanwhile, without a round trip.
    pub(super) fn settle(&mut self) -> Result<()> {
        let (_, pump, _) = self.parts()?;
        pump.settle()?;
        if self.is_closed() { Err(closed()) } else { Ok(()) }
    }

    fn parts(&mut self) -> Result<(&Client, &mut Pump, Limits)> {
        let give_up = self.limit.map(|limit| Instant::now() + limit + GRACE);
        let limits = Limits { stop: self.stop, give_up };
        match (&self.client, &mut self.pump) {
            (Some(client), Some(pump)) if !self.lost => Ok((client, pump, limits)),
            _ => Err(closed()),
        }
    }

    /// Asks the client for something, and waits for it.
    pub(super) fn ask<'w, T, F>(&'w mut self, request: impl FnOnce(&'w Client) -> F) -> Result<T>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>> + 'w,
    {
        let Self { client: Some(client), pump: Some(pump), limit, stop, lost } = self else { return Err(closed()) };
        if *lost {
            return Err(closed());
        }
        let give_up = limit.map(|limit| Instant::now() + limit + GRACE);
        pump.run(Limits { stop: *stop, give_up }, request(client)).inspect_err(|error| {
            if errors::is_connection_lost(error) {
                *lost = true;
                pump.abandon();
            }
        })
    }

    /// Remembers that the connection is gone.
    pub(super) fn noted<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && errors::is_connection_lost(error)
        {
            self.abandon();
        }
        result
    }
}

fn closed() -> Error {
    errors::lost("the connection to PostgreSQL is closed".to_owned())
}

impl Driver for Wire {
    fn prepare(&mut self, sql: &str) -> Result<Statement> {
        let (client, pump, limits) = self.parts()?;
        let result = pump.run(limits, client.prepare(sql));
        self.noted(result)
    }

    fn run(&mut self, statement: &Statement, params: &[Param<'_>]) -> Result<(Vec<Row>, u64)> {
        self.ask(|client| answer(client, statement, params))
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let (client, pump, limits) = self.parts()?;
        let result = pump.run(limits, client.batch_execute(sql));
        self.noted(result)
    }

    fn copy_in(&mut self, sql: &str, chunks: &mut Chunks<'_>) -> Result<u64> {
        let (client, pump, limits) = self.parts()?;
        let sink = pump.run(limits, client.copy_in::<_, Bytes>(sql));
        let mut sink = Box::pin(self.noted(sink)?);
        // Dropped before its end, on an error of the rows', it tells the server that the COPY failed.
        while let Some(chunk) = chunks()? {
            let (_, pump, limits) = self.parts()?;
            let sent = pump.run(limits, sink.as_mut().send(chunk));
            self.noted(sent)?;
        }
        let (_, pump, limits) = self.parts()?;
        let written = pump.run(limits, sink.as_mut().finish());
        self.noted(written)
    }
}

/// The rows of a statement, and how many it changed or gave.
pub(super) type Answer = (Vec<Row>, u64);

/// Runs a statement.
pub(super) async fn answer(
    client: &Client,
    statement: &Statement,
    params: &[Param<'_>],
) -> Result<Answer, tokio_postgres::Error> {
    let mut stream = pin!(client.query_raw(statement, params).await?);
    let mut rows = Vec::new();
    while let Some(row) = next(stream.as_mut()).await {
        rows.push(row?);
    }
    let changed = stream.rows_affected().unwrap_or(0);
    Ok((rows, changed))
}

async fn next<S: futures_util::Stream>(mut stream: std::pin::Pin<&mut S>) -> Option<S::Item> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}

impl Drop for Wire {
    fn drop(&mut self) {
        let (client, Some(mut pump)) = (self.client.take(), self.pump.take()) else { return };
        if pump.is_closed() {
            return;
        }
        let farewell = move || {
            drop(client);
            pump.drain(FAREWELL);
        };
        if Handle::try_current().is_err() {
            farewell();
        } else if let Err(error) = thread::Builder::new().name("sprongus-close".to_owned()).spawn(farewell) {
            tracing::debug!(%error, "a connection to PostgreSQL was closed without a goodbye");
        }
    }
}
