//! `Accepted`.

super::record! {
    /// What became of a message from outside.
    Accepted(it: sprongus::inbox::Accepted) {
        /// The run of the first time, if it had one.
        run = it.run;
        /// Whether this was the first time.
        first = it.first;
    }
}
