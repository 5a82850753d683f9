//! Whether those who wait hear of the commits of other processes.

use super::Finding;
use crate::db::Hearing;
use crate::error::Result;
use crate::session::Session;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    Ok(match session.core().watch.hearing() {
        Hearing::Well => Vec::new(),
        Hearing::Deaf => vec![Finding::advice(
            "no_listen",
            "without the statement cache the store takes its connections for a pooler's, and does not LISTEN: who waits for \
             another process's commits polls",
            "open the store with listen_url, a URL that leads to the server itself",
        )],
        Hearing::Troubled(trouble) => vec![Finding::warning(
            "listen_failed",
            format!("the connection that listens for other processes' commits is down, so who waits polls: {trouble}"),
            "see that listen_url (else the store's URL) leads to this database, and leaves room for one more connection",
        )],
    })
}
