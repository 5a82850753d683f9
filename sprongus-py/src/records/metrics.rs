//! `WorkerMetrics`.

super::record! {
    /// The figures of one worker since it was made. How deep the queue is, `Runs.stats` knows.
    WorkerMetrics(it: sprongus::worker::WorkerMetrics) {
        /// The worker's name.
        worker_id = it.worker_id;
        /// Runs claimed, each attempt for itself.
        claimed = it.claimed;
        /// Attempts reported as a success.
        succeeded = it.succeeded;
        /// Attempts that ended their run as failed.
        failed = it.failed;
        /// Attempts that failed and are tried again.
        retried = it.retried;
        /// Attempts that put their run off.
        snoozed = it.snoozed;
        /// Attempts that ended to wait for an approval.
        awaiting = it.awaiting;
        /// Attempts that took longer than their run's timeout.
        timed_out = it.timed_out;
        /// Attempts whose run was canceled.
        canceled = it.canceled;
        /// Attempts whose lease went to somebody else, or whose run is gone.
        lease_lost = it.lease_lost;
        /// Runs claimed and given back: not begun in time, or interrupted by a stop.
        given_back = it.given_back;
        /// Handlers that broke in the library itself; counted as retried or failed too.
        panicked = it.panicked;
        /// Handlers running now.
        running = it.running;
        /// Runs claimed that wait for a thread now.
        waiting = it.waiting;
        /// Handlers that have ended and whose report is not durable yet.
        reporting = it.reporting;
        /// From due to begun: "count", and "mean", "p50", "p95", "p99", "max" in seconds.
        wait = it.wait;
        /// In the handler, likewise.
        run = it.run;
        /// From the handler's end until the report was durable, likewise.
        report = it.report;
    }
}
