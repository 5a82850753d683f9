//! Moves ready runs that stand in the wrong lane: those queued before a limit was set or lifted, or while it was.

use super::super::Runs;
use super::super::binds::Binds;
use super::super::lane::{BY_KIND, IN_FORCE, by_kind, exactly, queued};
use super::super::lease::by_index;
use super::super::outlook::Moment;
use super::super::sweep::{Chore, Looking};
use crate::db::{Dialect, Row};
use crate::error::Result;
use crate::session::Work;

/// The runs moved by one statement.
const STEP: i64 = 1_000;
/// The kinds that a claim sorts on its way.
const KINDS: i64 = 4;

pub(in crate::runs) const CHORE: Chore = Chore {
    name: "sorting runs of limited kinds",
    look,
    next: |looking| {
        let look = look(looking);
        Moment::at_once(looking, &look)
    },
    work: |runs, claimer| {
        runs.session.write(|work| {
            let mut looking = Looking::new(&runs.session, work.dialect(), claimer.claiming);
            let misplaced = misplaced(&mut looking);
            let sql =
                format!("SELECT l.kind, {IN_FORCE} FROM sprongus_kind_limits AS l WHERE {misplaced} LIMIT {KINDS}");
            let kinds: Vec<Row> = work.query(&sql, looking.binds.values())?;
            kinds.iter().try_for_each(|row| step(work, &row.text(0)?, row.bool(1)?).map(drop))
        })
    },
};

fn look(looking: &mut Looking<'_>) -> String {
    let misplaced = misplaced(looking);
    format!("(SELECT 1 FROM sprongus_kind_limits AS l WHERE {misplaced} LIMIT 1)")
}

/// The condition on a limit `l`, in force or lifted: of one of the claim's kinds, with a ready run in the wrong lane.
fn misplaced(looking: &mut Looking<'_>) -> String {
    let of_kinds = looking.claiming.of_kinds(looking.dialect, "l.kind", &mut looking.binds);
    let dialect = looking.dialect;
    let first = |limited| {
        let (table, queued, of_kind) =
            (lane_index(dialect, limited), queued(dialect, limited), exactly(dialect, "kind", "l.kind"));
        format!(
            "(SELECT 1 FROM {table} WHERE {queued} AND {of_kind} ORDER BY {BY_KIND} LIMIT 1) \
             IS NOT NULL"
        )
    };
    format!("CASE WHEN {IN_FORCE} THEN {} ELSE {} END{of_kinds}", first(false), first(true))
}

fn lane_index(dialect: Dialect, limited: bool) -> String {
    by_index(dialect, by_kind(limited))
}

impl Runs<'_> {
    /// Moves all ready runs of a kind to the lane that is right, in steps that commit each for itself.
    pub(super) fn sort_kind(&self, kind: &str, limited: bool) -> Result<()> {
        while self.session.write_one(|work| step(work, kind, limited))? == STEP.unsigned_abs() {}
        Ok(())
    }
}

/// Moves up to a thousand ready runs of a kind to the lane that is right; their number.
fn step(work: &mut Work<'_>, kind: &str, limited: bool) -> Result<u64> {
    let dialect = work.dialect();
    let mut binds = Binds::default();
    let kind = binds.add(kind);
    let (table, wrong, of_kind) =
        (lane_index(dialect, !limited), queued(dialect, !limited), exactly(dialect, "kind", &kind));
    let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    let some = format!("SELECT id FROM {table} WHERE {wrong} AND {of_kind} ORDER BY {BY_KIND} LIMIT {STEP}{lock}");
    let set = format!("UPDATE sprongus_runs SET limited = {limited}");
    let sql = match dialect {
        Dialect::Sqlite => format!("{set} WHERE id IN ({some})"),
        Dialect::Postgres => {
            format!("WITH misplaced AS MATERIALIZED ({some}) {set} WHERE id = ANY (ARRAY (SELECT id FROM misplaced))")
        }
    };
    work.execute(&sql, binds.values())
}
