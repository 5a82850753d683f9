//! `Run`.

super::record! {
    /// A run: a piece of work, its input, and how far it has come.
    Run(it: sprongus::runs::Run) {
        /// A ULID.
        id = it.id;
        /// Whose it is; None is a project of its own.
        project_id = it.project_id;
        /// What is to be done: the name a handler is registered under.
        kind = it.kind;
        /// What it is to be done with.
        input = it.input;
        /// Where the output is: `artifact:ID`, or what the report gave.
        output_ref = it.output_ref;
        /// The last failure.
        error = it.error;
        /// Where it stands: awaiting_approval, queued, dispatching, running, succeeded, failed, denied, canceled, timed_out.
        state = it.state.as_str();
        /// The same as a code of the older schema, 0 to 9.
        state_code = i64::from(it.state_code);
        /// Higher is claimed first.
        priority = it.priority;
        /// Not claimed before.
        run_at = it.run_at;
        /// Names the run within its project: a second enqueue with the same key gives the first run.
        idempotency_key = it.idempotency_key;
        /// Executions in this series; 0 before the first claim.
        attempt = it.attempt;
        /// Executions after which a failure is final.
        max_attempts = it.max_attempts;
        /// Rises with each retry by hand.
        series = it.series;
        /// Rises with each claim and never falls: (id, lease) is the fence.
        lease = it.lease;
        /// The longest an attempt may take, in seconds.
        timeout = it.timeout;
        /// The worker that has it, or had it last.
        claimed_by = it.claimed_by;
        /// When it was last claimed.
        claimed_at = it.claimed_at;
        /// When the present or last attempt started.
        started_at = it.started_at;
        /// When it became final.
        finished_at = it.finished_at;
        /// When the lease runs out unless it is extended; on SQLite for display only.
        lease_until = it.lease_until;
        /// What the last heartbeat told.
        progress = it.progress;
        /// Who asked for it.
        requested_by = it.requested_by;
        /// The channel it was asked for in.
        channel_id = it.channel_id;
        /// The conversation within the channel.
        conversation_id = it.conversation_id;
        /// The run that asked for it.
        parent_id = it.parent_id;
        /// Counts transitions.
        version = it.version;
        /// When it was enqueued.
        created_at = it.created_at;
        /// When it last changed.
        updated_at = it.updated_at;
        /// On what enqueue returned: this is an earlier run under the same key.
        deduplicated = it.deduplicated;
    }
}
