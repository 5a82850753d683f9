//! `Step`, `KindLimit`, `RunStats`.

super::record! {
    /// A step of a run whose result is stored.
    Step(it: sprongus::runs::StepResult) {
        /// Its name, once per run.
        name = it.name;
        /// What came out of it.
        output = it.output;
        /// The attempt that finished it.
        attempt = it.attempt;
        /// When it was stored.
        at = it.at;
    }
}

super::record! {
    /// The limits of a kind, for all workers of all hosts together.
    KindLimit(it: sprongus::runs::KindLimit) {
        /// The kind.
        kind = it.kind;
        /// At most so many dispatching or running at once.
        concurrency = it.concurrency;
        /// Tokens of the bucket, one a claim.
        rate = it.rate;
        /// The time in which the bucket is refilled, in seconds.
        per = it.per;
    }
}

super::record! {
    /// The figures of the queue.
    RunStats(it: sprongus::runs::RunStats) {
        /// How many runs there are in each state: the live ones exactly, the others over the window.
        by_state = it.by_state;
        /// The same by kind.
        by_kind = it.by_kind;
        /// For how long the oldest due run has waited, in seconds.
        oldest_due_age = it.oldest_due_age;
        /// From due to started: "p50", "p95", "p99", in seconds; empty where nothing started.
        wait = it.wait;
        /// From started to ended, likewise.
        run = it.run;
        /// Succeeded of all that ended by themselves (succeeded, failed, timed out).
        success_rate = it.success_rate;
        /// Seconds looked back.
        window = it.window;
        /// Whether there was more than was looked at.
        sampled = it.sampled;
    }
}
