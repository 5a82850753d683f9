//! Work that may be taken back while the transaction goes on.

use super::Work;
use crate::error::Result;

impl Work<'_> {
    /// Does something under a savepoint: what it wrote is undone where it is not to be kept. An error ends the transaction.
    pub(crate) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T>,
        keeps: impl FnOnce(&T) -> bool,
    ) -> Result<T> {
        self.exec().batch("SAVEPOINT sprongus_attempt")?;
        let done = work(self)?;
        let undo = if keeps(&done) { "" } else { "ROLLBACK TO SAVEPOINT sprongus_attempt; " };
        self.exec().batch(&format!("{undo}RELEASE SAVEPOINT sprongus_attempt"))?;
        Ok(done)
    }
}
