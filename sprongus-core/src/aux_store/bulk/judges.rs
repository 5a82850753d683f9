//! Threads that judge batches while the caller reads the next ones; what they find comes back in the order of the batches.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use serde_json::Value;

use super::ids::Digest;
use crate::aux_store::import::Content;
use crate::error::Result;
use crate::json::Json;

/// Threads that judge, at most: reading takes about as long as judging.
const MOST: usize = 2;

/// A row whose id is known.
pub(super) struct Named {
    pub(super) row: u64,
    pub(super) id: String,
    pub(super) content: Content,
}

/// An entry that a row meets.
pub(super) struct Base {
    pub(super) version: i64,
    pub(super) payload: Json,
}

/// Rows that are judged together.
pub(super) struct Batch {
    /// Rows read, up to the last of these.
    pub(super) read: u64,
    pub(super) rows: Vec<Named>,
    /// The entries they meet, by id.
    pub(super) bases: HashMap<String, Base>,
}

/// What became of a batch.
pub(super) struct Answer {
    pub(super) read: u64,
    pub(super) rows: Vec<Answered>,
    /// Given back to the thread that made them: memory that another one frees makes the two wait for each other.
    pub(super) documents: Vec<Value>,
}

/// What became of a row.
pub(super) struct Answered {
    pub(super) row: u64,
    pub(super) id: String,
    pub(super) digest: Digest,
    /// For the spool.
    pub(super) record: Result<Vec<u8>>,
}

/// Judges a batch.
pub(super) type Judging<'j> = dyn Fn(Batch) -> Answer + Sync + 'j;

struct Judge {
    batches: Sender<Batch>,
    answers: Receiver<std::thread::Result<Answer>>,
}

/// The threads, started as they are needed; the n-th batch goes to the n-th of them, and round again.
pub(super) struct Judges<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    judging: &'env Judging<'env>,
    most: usize,
    judges: Vec<Judge>,
    sent: usize,
    taken: usize,
}

impl<'scope, 'env> Judges<'scope, 'env> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, judging: &'env Judging<'env>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        // The caller's own thread reads meanwhile.
        let most = processors.saturating_sub(1).clamp(1, MOST);
        Self { scope, judging, most, judges: Vec::new(), sent: 0, taken: 0 }
    }

    /// Whether an answer is to be taken before the next batch: each has one, and one waits.
    pub(super) fn are_busy(&self) -> bool {
        self.sent - self.taken > self.most
    }

    pub(super) fn send(&mut self, batch: Batch) {
        let number = self.sent % self.most;
        if number == self.judges.len() {
            self.judges.push(self.start());
        }
        // One that is gone has left its panic as its answer.
        let _ = self.judges[number].batches.send(batch);
        self.sent += 1;
    }

    /// Waits for the answer to the oldest batch that has none yet.
    pub(super) fn answer(&mut self) -> Option<Answer> {
        if self.sent == self.taken {
            return None;
        }
        let answer = self.judges[self.taken % self.most].answers.recv().ok()?;
        self.taken += 1;
        Some(answer.unwrap_or_else(|panic| resume_unwind(panic)))
    }

    fn start(&self) -> Judge {
        let (batches, given) = channel::<Batch>();
        let (found, answers) = channel();
        let judging = self.judging;
        self.scope.spawn(move || {
            for batch in given {
                let answer = catch_unwind(AssertUnwindSafe(|| judging(batch)));
                if found.send(answer).is_err() {
                    return;
                }
            }
        });
        Judge { batches, answers }
    }
}
