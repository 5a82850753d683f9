//! Statements that go to the server together: one round trip for all of them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::{Client, Statement};

use super::encode::Param;
use super::errors;
use super::wire::{Answer, Wire, answer};
use crate::db::{Row, Value};
use crate::error::Error;

/// What waits for the next statement.
pub(super) enum Ahead {
    /// Opens the transaction that the others are of.
    Begin(String),
    Statement(String, Vec<Value<'static>>),
    /// The same, whose rows will be asked for.
    Expected(String, Vec<Value<'static>>),
}

/// What they go with.
#[derive(Clone, Copy)]
pub(super) enum Last<'l> {
    Statement(&'l str, &'l [Value<'l>]),
    /// Without parameters; any number of them.
    Batch(&'l str),
}

/// One message of several.
pub(super) enum Step<'s> {
    Batch(&'s str),
    Run(&'s Statement, Vec<Param<'s>>),
}

/// A statement that was expected and has its answer.
pub(super) struct Known {
    pub(super) sql: String,
    pub(super) values: Vec<Value<'static>>,
    pub(super) rows: Vec<Row>,
}

/// The first that failed, and why.
pub(super) type Failed = (usize, Error);

type Sent<'s> = Pin<Box<dyn Future<Output = Result<Answer, tokio_postgres::Error>> + 's>>;

impl Wire {
    /// Sends them all and then waits; the answers. In a transaction the server passes over what follows an error.
    pub(super) fn together(&mut self, steps: &[Step<'_>]) -> Result<Vec<Answer>, Failed> {
        let answers = self.ask(|client| all(steps.iter().map(|step| sent(client, step)).collect()));
        let answers = answers.map_err(|error| (0, error))?.into_iter().enumerate();
        let noted = |(at, answer): (usize, Result<Answer, tokio_postgres::Error>)| {
            self.noted(answer.map_err(|error| errors::from_driver(&error))).map_err(|error| (at, error))
        };
        answers.map(noted).collect()
    }
}

fn sent<'s>(client: &'s Client, step: &'s Step<'s>) -> Sent<'s> {
    match step {
        Step::Batch(sql) => Box::pin(async move { client.batch_execute(sql).await.map(|()| Answer::default()) }),
        Step::Run(statement, params) => Box::pin(answer(client, statement, params)),
    }
}

/// Polls them in their order, in which the first look at each sends it.
async fn all<'s>(mut sent: Vec<Sent<'s>>) -> Result<Vec<Result<Answer, tokio_postgres::Error>>, tokio_postgres::Error> {
    let mut answers: Vec<_> = sent.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (one, answer) in sent.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(done) = one.as_mut().poll(context) {
                *answer = Some(done);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(answers.into_iter().flatten().collect())
}
