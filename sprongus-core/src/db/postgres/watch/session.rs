//! One connection that listens and notifies.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::time::{sleep_until, timeout};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Notification, SimpleQueryMessage, Socket};

use super::super::errors;
use super::super::settings::PostgresSettings;
use crate::db::Signals;
use crate::db::watch::{Desk, LINGER, Orders};
use crate::error::{Error, ErrorCode, Result};

/// Between two notifications of ours: what is committed meanwhile is told by one. The longer one while each has news, for the
/// processors' time that a notification takes is that of waking up for it, here and in the server.
const GAP: Duration = Duration::from_millis(5);
const LONGEST_GAP: Duration = Duration::from_millis(10);
/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_millis(200);

/// Listens while somebody waits and tells what is to be told, until nobody needs it.
pub(super) fn work(config: &Config, settings: &PostgresSettings, listens: bool, desk: &Desk) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let runtime =
        runtime.map_err(|error| Error::new(ErrorCode::Unavailable, format!("no I/O loop for PostgreSQL: {error}")))?;
    runtime.block_on(async {
        let connected = timeout(settings.call_timeout, config.connect(NoTls)).await;
        let (client, connection) = connected.map_err(|_| silent())?.map_err(|error| errors::from_driver(&error))?;
        let mut session = Session { client, connection, heard: Vec::new() };
        let place = session.find(settings).await?;
        session.work(desk, listens, &place).await?;
        session.farewell().await;
        Ok(())
    })
}

/// A connection that is moved by whoever waits for something.
struct Session {
    client: Client,
    connection: Connection<Socket, NoTlsStream>,
    heard: Vec<Notification>,
}

/// When others are told next.
struct Pace {
    next: Instant,
    gap: Duration,
}

impl Pace {
    fn told(&mut self) {
        self.next = Instant::now() + self.gap;
        self.gap = (self.gap * 2).min(LONGEST_GAP);
    }
}

/// Where notifications go.
struct Place {
    /// One per schema; another database's are not heard here.
    channel: String,
    /// The number of this session: its own notifications come back to it.
    own: String,
}

impl Session {
    async fn find(&mut self, settings: &PostgresSettings) -> Result<Place> {
        // Statements of one message are one transaction: behind a pooler the next one may be in another session.
        let sql = format!("{}; SELECT to_regclass('sprongus_runs')::oid, pg_backend_pid()", settings.set("SET LOCAL"));
        let answers = self.ask(|client| client.simple_query(&sql)).await?;
        let row = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some((row.get(0)?.to_owned(), row.get(1)?.to_owned())),
            _ => None,
        });
        let missing =
            || Error::new(ErrorCode::NotFound, "the tables of this store are not in the database listened to");
        row.map(|(table, own)| Place { channel: format!("sprongus_{table}"), own }).ok_or_else(missing)
    }

    async fn work(&mut self, desk: &Desk, listens: bool, place: &Place) -> Result<()> {
        let mut listening = false;
        desk.set_trouble(None);
        let mut pace = Pace { next: Instant::now(), gap: GAP };
        let mut needed = Instant::now();
        loop {
            let orders = desk_orders(desk).await;
            if orders.listen && listens && !listening {
                let sql = format!("LISTEN {}", place.channel);
                self.ask(|client| client.batch_execute(&sql)).await?;
                listening = true;
                // What was committed before.
                desk.wake().signal(Signals::ANY);
            }
            let mut pausing = Instant::now() < pace.next;
            if orders.post && (orders.close || !pausing) {
                self.post(desk, &place.channel).await?;
                pace.told();
                pausing = true;
            } else if !pausing {
                pace.gap = GAP;
            }
            if orders.close {
                return Ok(());
            }
            if orders.listen || orders.post {
                needed = Instant::now();
            } else if needed.elapsed() >= LINGER {
                return Ok(());
            }
            let known = Orders { post: false, ..orders };
            let until = if pausing { Some(pace.next) } else { (!orders.listen).then(|| needed + LINGER) };
            let look = if pausing { Desk::orders_but_post } else { Desk::orders };
            self.rest(|waker| look(desk, waker) != known, until).await?;
            for notification in self.heard.drain(..) {
                if notification.process_id().to_string() != place.own {
                    desk.wake().signal(Signals::from_letters(notification.payload()));
                }
            }
        }
    }

    /// Tells other processes. A commit that did not reach the disk costs no more than a wake-up, so nobody waits for it.
    async fn post(&mut self, desk: &Desk, channel: &str) -> Result<()> {
        let post = desk.take_post();
        let sql = format!("SET LOCAL synchronous_commit = off; SELECT pg_notify('{channel}', '{}')", post.letters());
        self.ask(|client| client.batch_execute(&sql)).await.inspect_err(|_| desk.put_back(post))
    }

    /// Waits until something was heard, there is something new to do, or that time.
    async fn rest(&mut self, ordered: impl Fn(&Waker) -> bool, until: Option<Instant>) -> Result<()> {
        let mut over = pin!(async {
            match until {
                Some(until) => sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|context| {
            let heard = self.hear(context)?;
            let ordered = ordered(context.waker());
            if heard || ordered || over.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            Poll::Pending
        })
        .await
    }

    /// Runs a request while moving the connection.
    async fn ask<'s, T, F>(&'s mut self, request: impl FnOnce(&'s Client) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, tokio_postgres::Error>> + 's,
    {
        let Self { client, connection, heard } = self;
        let mut answer = pin!(request(client));
        let both = poll_fn(|context| {
            hear(connection, heard, context)?;
            answer.as_mut().poll(context).map_err(|error| errors::from_driver(&error))
        });
        timeout(ANSWER, both).await.map_err(|_| silent())?
    }

    async fn farewell(self) {
        drop(self.client);
        let _ = timeout(FAREWELL, self.connection).await;
    }

    fn hear(&mut self, context: &mut Context<'_>) -> Result<bool> {
        hear(&mut self.connection, &mut self.heard, context)
    }
}

/// Takes in what arrived; whether there was anything for us. `unavailable` where the connection is at its end.
fn hear(
    connection: &mut Connection<Socket, NoTlsStream>,
    heard: &mut Vec<Notification>,
    context: &mut Context<'_>,
) -> Result<bool> {
    while let Poll::Ready(message) = connection.poll_message(context) {
        match message {
            Some(Ok(AsyncMessage::Notification(notification))) => heard.push(notification),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(errors::from_driver(&error)),
            None => return Err(errors::lost("the connection to PostgreSQL was closed".to_owned())),
        }
    }
    Ok(!heard.is_empty())
}

async fn desk_orders(desk: &Desk) -> Orders {
    poll_fn(|context| Poll::Ready(desk.orders(context.waker()))).await
}

fn silent() -> Error {
    errors::lost("PostgreSQL did not answer in time".to_owned())
}
