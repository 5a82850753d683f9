//! What handlers are, what they answer, and which one works a kind.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use crate::error::{Error, Result};
use crate::json::Json;

/// What came out of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing worth keeping.
    #[default]
    None,
    /// A document, kept as the run's output.
    Output(Json),
    /// Where the output is kept, as the run's `output_ref`.
    Ref(String),
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::None
    }
}

impl From<Json> for Outcome {
    fn from(output: Json) -> Self {
        Self::Output(output)
    }
}

/// Why an attempt ended without success.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandlerError {
    /// Another attempt may do better.
    Retry(String),
    /// No attempt will do better.
    Fatal(String),
    /// Not now: the run is due again after the delay, and the attempt is given back.
    Snooze(Duration),
    /// The run waits for an approval that the context asked for: nothing is reported. Returned by whoever has not asked, it
    /// leaves the run to be rescued when its lease runs out.
    Awaiting,
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(message) | Self::Fatal(message) => f.write_str(message),
            Self::Snooze(delay) => write!(f, "put off for {} seconds", delay.as_secs_f64()),
            Self::Awaiting => f.write_str("waits for an approval"),
        }
    }
}

impl std::error::Error for HandlerError {}

/// So that `?` in a handler makes an error of the store's a failed attempt that is tried again.
impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        Self::Retry(error.to_string())
    }
}

/// Works the runs of a kind. It may be called again for the same run: after a failure, a crash, a lost lease.
pub trait Handler: Send + Sync + 'static {
    /// Works one run.
    fn handle(&self, context: &Context) -> Result<Outcome, HandlerError>;
}

impl<F> Handler for F
where
    F: Fn(&Context) -> Result<Outcome, HandlerError> + Send + Sync + 'static,
{
    fn handle(&self, context: &Context) -> Result<Outcome, HandlerError> {
        self(context)
    }
}

/// Handlers by kind, in the order they were given.
#[derive(Default)]
pub(super) struct Handlers(Vec<(String, Arc<dyn Handler>)>);

impl Handlers {
    /// Takes a handler; for a kind that has one, instead of it.
    pub(super) fn put(&mut self, kind: &str, handler: Arc<dyn Handler>) {
        self.0.retain(|(known, _)| known != kind);
        self.0.push((kind.to_owned(), handler));
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.0.iter().map(|(kind, _)| kind.clone()).collect()
    }

    /// The handler of exactly that kind, else of the longest prefix.
    pub(super) fn of(&self, kind: &str) -> Option<Arc<dyn Handler>> {
        let exact = self.0.iter().find(|(known, _)| known == kind);
        let prefixed = || {
            let prefixes = self.0.iter().filter(|(known, _)| {
                known.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('/') && kind.starts_with(prefix))
            });
            prefixes.max_by_key(|(known, _)| known.len())
        };
        exact.or_else(prefixed).map(|(_, handler)| handler.clone())
    }
}
