//! Whose connections a call uses.

/// The host's calls and a worker's loop have pools of their own, so neither starves the other (DESIGN.md §2 "Waiting and working").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Calls of the host.
    Host,
    /// Claims and reports of workers, and what their handlers tell of their runs.
    Worker,
    /// Workers extending leases: the last to be kept waiting.
    Leases,
}

/// Whose connections a call uses, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat<'s> {
    pub(crate) lane: Lane,
    /// The one project that row-level security shows; none: whatever the role sees (PostgreSQL).
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "row security is PostgreSQL's"))]
    pub(crate) project: Option<&'s str>,
}

impl From<Lane> for Seat<'_> {
    fn from(lane: Lane) -> Self {
        Self { lane, project: None }
    }
}
