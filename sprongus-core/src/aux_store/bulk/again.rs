//! Rows of a large bulk write that others came before: judged again.

use super::prepare;
use super::spool::Judged;
use super::stepped::Stepped;
use crate::aux_store::rows::object;
use crate::error::Result;
use crate::json::Json;

impl Stepped<'_> {
    /// Rows whose entries others have changed since they were judged are judged over what those are now, step by step. What is
    /// still amiss then is left to the last transaction.
    pub(super) fn rows_again(&mut self) -> Result<()> {
        let mut amiss = std::mem::take(&mut self.amiss);
        let mut rows = self.prepared.spool.iter()?;
        loop {
            let mut chunk = self.chunk(&mut rows)?;
            if chunk.is_empty() {
                break;
            }
            chunk.retain(|row| amiss.contains(&row.id));
            for some in chunk.chunks(500) {
                let judged = self.judge_again(some)?;
                for row in &judged {
                    amiss.remove(&row.id);
                }
                self.rows(&judged)?;
            }
        }
        self.amiss.append(&mut amiss);
        Ok(())
    }

    /// The rows as they are judged now, but for bad ones.
    fn judge_again(&self, rows: &[Judged]) -> Result<Vec<Judged>> {
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let bases = prepare::bases(self.session, self.place, &ids)?;
        let mut again = Vec::with_capacity(rows.len());
        for row in rows {
            let base = bases.get(&row.id);
            let given = Json::from_canonical(row.given.clone().unwrap_or_else(|| row.payload.clone()));
            let (version, map) = (base.map_or(0, |base| base.version), base.map(|base| object(&base.payload)));
            let (rules, mode) = (&self.prepared.rules, self.options.mode);
            match prepare::judge(rules, row.row, &row.id, object(&given), map.as_ref(), version, mode) {
                Ok((judged, _)) => {
                    let same = base.is_some_and(|base| base.payload.as_str() == judged.payload);
                    again.push(Judged { same, ..judged });
                }
                Err(error) if prepare::is_of_row(error.code()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(again)
    }
}
