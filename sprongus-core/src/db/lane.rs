//! Whose connections a call uses.

/// The host's calls and a worker's loop have pools of their own, so neither starves the other (DESIGN.md §2 "Waiting and working").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Calls of the host.
    Host,
    /// Claims, reports and heartbeats of workers.
    Worker,
}
