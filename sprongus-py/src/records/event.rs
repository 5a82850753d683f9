//! `Event`.

super::record! {
    /// Something that was committed.
    Event(it: sprongus::Event) {
        /// A ULID.
        id = it.id;
        /// The run it is about, if it is about one.
        run_id = it.run_id;
        /// `run:ID`, `aux:PROJECT/TABLE/ID`, `preset:LABEL@2`, …
        subject = it.subject;
        /// 1..n within its subject; without gaps in a run.
        seq = it.seq;
        /// `run.enqueued`, `aux.created`, …
        r#type = it.kind;
        /// When it was committed: the database's clock.
        at = it.at;
        /// Who did it: the worker, the handle's actor, else the user of the operating system.
        actor = it.actor;
        /// For a run's transition: `from`, `to`, `attempt` and what is particular to it.
        payload = it.payload;
        /// The name of the older schema, where it had one for this type.
        older_name = it.older_name();
    }
}
