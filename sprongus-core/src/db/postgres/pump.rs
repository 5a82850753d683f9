//! Drives one connection's protocol from a blocking call, and gives up on a network that stays silent.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use tokio_postgres::{CancelToken, NoTls};

use super::alarm::Alarm;
use super::nudge::Nudge;
use super::settings::Asked;
use super::{async_guard, errors};
use crate::error::{Error, ErrorCode, Result};

/// Between two looks at the interrupt.
const LOOK: Duration = Duration::from_millis(50);
/// How long a statement may take to end once the server was asked to cancel it.
const ENDING: Duration = Duration::from_secs(2);

/// The half of a connection that reads and writes the socket.
type Connection = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// When to lose patience with the server.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    /// From then on the server is asked to cancel the statement.
    pub(super) stop: Option<Instant>,
    /// From then on the connection is of no further use.
    pub(super) give_up: Option<Instant>,
}

/// A runtime of one thread, the caller's, and the connection it moves forward while a call waits.
pub(super) struct Pump {
    runtime: Option<Runtime>,
    connection: Option<Connection>,
    nudge: Nudge,
    alarm: Alarm,
    asked: Asked,
    cancel: Option<CancelToken>,
    cancelled: bool,
}

impl Pump {
    /// Waits that `asked` may end.
    pub(super) fn new(asked: Asked) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime
            .map_err(|error| Error::new(ErrorCode::Unavailable, format!("no I/O loop for PostgreSQL: {error}")))?;
        let (nudge, alarm) = (Nudge::new(), Alarm::default());
        Ok(Self { runtime: Some(runtime), connection: None, nudge, alarm, asked, cancel: None, cancelled: false })
    }

    pub(super) fn attach(
        &mut self,
        cancel: CancelToken,
        connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    ) {
        self.connection = Some(Box::pin(connection));
        self.cancel = Some(cancel);
    }

    /// Whether the socket is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_none()
    }

    /// Whether the server was asked to cancel a statement: the request may yet strike whatever comes next.
    pub(super) fn was_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Closes the socket without a word: what it was asked may still happen.
    pub(super) fn abandon(&mut self) {
        self.connection = None;
    }

    /// Runs `work` to its end, or until the limits say otherwise.
    pub(super) fn run<T, E>(&mut self, limits: Limits, work: impl Future<Output = Result<T, E>>) -> Result<T>
    where
        E: Into<DriverError>,
    {
        async_guard::check()?;
        let Some(runtime) = &self.runtime else {
            return Err(errors::lost("the connection to PostgreSQL is closed".to_owned()));
        };
        let (connection, nudge) = (&mut self.connection, &self.nudge);
        let mut work = pin!(work);
        let both = poll_fn(|context| {
            nudge.poll(context, |context| {
                if let Some(alive) = connection
                    && alive.as_mut().poll(context).is_ready()
                {
                    *connection = None;
                }
                work.as_mut().poll(context)
            })
        });
        let patience = Patience { limits, asked: &self.asked, cancel: self.cancel.as_ref(), alarm: &mut self.alarm };
        let outcome = runtime.block_on(patience.wait(&mut self.cancelled, both));
        match outcome {
            Some(result) => result.map_err(|error| error.into().0),
            None => {
                self.abandon();
                Err(silent())
            }
        }
    }

    /// Lets a connection whose client is gone say goodbye, for so long at most.
    pub(super) fn drain(&mut self, limit: Duration) {
        if let (Some(runtime), Some(connection)) = (&self.runtime, self.connection.take()) {
            let _ = runtime.block_on(async { tokio::time::timeout(limit, connection).await });
        }
    }

    /// Takes in what arrived while nobody was calling, without waiting: the end of a connection is seen here.
    pub(super) fn settle(&mut self) -> Result<()> {
        // The I/O loop looks at its sockets once between two polls; nobody has to wake it for that.
        self.run::<_, Error>(Limits::default(), async {
            yield_now().await;
            Ok(())
        })
    }
}

/// How long a call waits, and what ends it.
struct Patience<'p> {
    limits: Limits,
    asked: &'p Asked,
    cancel: Option<&'p CancelToken>,
    alarm: &'p mut Alarm,
}

impl Patience<'_> {
    /// Runs `work` to its end or until it is given up. Where its time is over, or the host's interrupt says so, the server is
    /// asked to cancel: its answer then says what became of the statement.
    async fn wait<T>(self, cancelled: &mut bool, work: impl Future<Output = T>) -> Option<T> {
        let Self { limits: Limits { mut stop, mut give_up }, asked, cancel, alarm } = self;
        let mut work = pin!(work);
        let mut looking = asked.is_some();
        loop {
            let look = looking.then(|| Instant::now() + LOOK);
            let Some(next) = [look, stop, give_up].into_iter().flatten().min() else { return Some(work.await) };
            if let Some(done) = alarm.until(next, work.as_mut()).await {
                return Some(done);
            }
            let over = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
            if over(give_up) {
                return None;
            }
            if over(stop) || looking && asked.now() {
                (looking, stop, *cancelled) = (false, None, true);
                give_up = Some(Instant::now() + ENDING);
                if let Some(cancel) = cancel {
                    let _ = tokio::time::timeout(ENDING / 2, cancel.cancel_query(NoTls)).await;
                }
            }
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            // An ordinary drop waits, which panics on an async worker thread.
            runtime.shutdown_background();
        }
    }
}

/// Either kind of failure, as ours.
pub(super) struct DriverError(Error);

impl From<Error> for DriverError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<tokio_postgres::Error> for DriverError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(errors::from_driver(&error))
    }
}

fn silent() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "PostgreSQL did not answer within the time the call may wait; the connection was dropped",
    )
    .with_details(serde_json::json!({ "connection": "lost" }))
}
