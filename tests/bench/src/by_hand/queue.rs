//! What is asked of a queue: the same of ours and of the one by hand.

/// A run that was claimed, as its report needs it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) attempt: i64,
    pub(crate) lease: i64,
    pub(crate) version: i64,
}

/// Each call is one commit, but for what its line says.
pub(crate) trait Queue {
    /// The id of the new run.
    fn enqueue(&mut self) -> String;

    fn enqueue_many(&mut self, runs: usize);

    /// One run by its id, all of it; its state.
    fn get(&mut self, id: &str) -> String;

    /// The first ones that are due; fewer where there are no more.
    fn claim(&mut self, most: usize) -> Vec<Held>;

    /// They succeeded, without an output.
    fn complete(&mut self, held: &[Held]);

    /// One succeeded, and the next is taken, if there is one: in one commit where the queue can.
    fn complete_and_claim(&mut self, done: &Held) -> Option<Held>;
}
