//! How many runs of each limited kind a claim may take: asked beforehand, and counted exactly under the lock of the limit.

use super::bucket::Bucket;
use super::row::{Stored, columns};
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::options::Options;
use crate::runs::Run;
use crate::runs::binds::Binds;
use crate::runs::claim::Claiming;
use crate::runs::lane::{self, BY_AGE, BY_KIND, IN_FORCE, exactly, queued};
use crate::runs::lease::{LEASED, by_index};
use crate::runs::outlook::Moment;
use crate::runs::sweep::Looking;
use crate::session::Work;

/// More kinds than runs are wanted are locked, for a rival may have used the room of the first ones up.
const SPARE: i64 = 8;
/// The most kinds of one claim: SQLite merges at most 500 ranges.
const MOST: i64 = 200;

/// SQL: how far from full the bucket of `l` is at most while it holds a token.
const SHORT_OF_ONE: &str = "(l.per_us - l.per_us / l.rate)";

/// What a claim may take of a limited kind; its limit is locked until the claim is committed.
pub(in crate::runs) struct Room {
    stored: Stored,
    bucket: Option<Bucket>,
    /// At least 1, but where the bucket is only to be written anew.
    pub(in crate::runs) most: i64,
}

impl Room {
    pub(in crate::runs) fn kind(&self) -> &str {
        &self.stored.kind
    }
}

/// SQL of a value that is not null where a limited kind of the claim's has ready runs, and room as far as can be seen.
pub(in crate::runs) fn there_is_room(
    dialect: Dialect,
    binds: &mut Binds<'_>,
    claiming: &Claiming<'_>,
    options: &Options,
) -> String {
    let open = open(dialect, binds, claiming, options);
    format!("(SELECT 1 FROM sprongus_kind_limits AS l WHERE {open} LIMIT 1)")
}

/// When a bucket of the claim's limited kinds that is empty, with ready runs waiting, will hold a token.
pub(in crate::runs) fn next_token(looking: &mut Looking<'_>) -> Moment {
    let (dialect, claiming) = (looking.dialect, looking.claiming);
    let of_kinds = claiming.of_kinds(dialect, "l.kind", &mut looking.binds);
    let ready = first_ready(dialect, claiming.project_rows(&mut looking.binds), "1");
    let (token, still) = match dialect {
        Dialect::Postgres => {
            let token = format!("l.full_at - {SHORT_OF_ONE} * interval '1 microsecond'");
            let now = looking.now();
            (token.clone(), format!("{token} > {now}"))
        }
        Dialect::Sqlite => {
            let clock = &looking.session.options().clock;
            let (boot, mono) = (clock.boot_id().to_string(), clock.monotonic());
            let token = format!("l.full_mono - {SHORT_OF_ONE}");
            let (boot, mono) = (looking.binds.add(boot), looking.binds.add(mono));
            (token.clone(), format!("l.full_boot = {boot} AND {token} > {mono}"))
        }
    };
    let sql = format!(
        "(SELECT min({token}) FROM sprongus_kind_limits AS l WHERE l.rate IS NOT NULL AND {still}{of_kinds} \
         AND {ready} IS NOT NULL)"
    );
    match dialect {
        Dialect::Postgres => Moment::Wall(sql),
        Dialect::Sqlite => Moment::Monotonic(sql),
    }
}

/// Locks the limits of the claim's kinds that seem to have room, those of the first runs first, and counts.
///
/// PostgreSQL: a limit that a rival has locked is passed over, so that no claim waits for another, or for a host's
/// transaction. What runs is counted by a second statement, whose snapshot is taken with the locks held.
pub(in crate::runs) fn room_for(work: &mut Work<'_>, claiming: &Claiming<'_>) -> Result<Vec<Room>> {
    let dialect = work.dialect();
    let mut binds = Binds::default();
    let open = open(dialect, &mut binds, claiming, work.options());
    let head = head(dialect, claiming.project_rows(&mut binds));
    let limit = binds.add((claiming.request.limit + SPARE).min(MOST));
    let lock = if dialect == Dialect::Postgres { " FOR UPDATE OF l SKIP LOCKED" } else { "" };
    let sql = format!(
        "SELECT l.kind FROM sprongus_kind_limits AS l {head} WHERE {open} \
         ORDER BY head.priority DESC, head.run_at, head.id LIMIT {limit}{lock}"
    );
    let locked: Vec<String> = work.query(&sql, binds.values())?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    if locked.is_empty() { Ok(Vec::new()) } else { count(work, locked) }
}

fn count(work: &mut Work<'_>, locked: Vec<String>) -> Result<Vec<Room>> {
    let mut binds = Binds::default();
    let columns = columns(&mut binds, work);
    let running = running(work.dialect());
    let kinds = binds.list(locked);
    let sql = format!(
        "SELECT {columns}, CASE WHEN l.concurrency IS NULL THEN 0 ELSE {running} END \
         FROM sprongus_kind_limits AS l WHERE l.kind IN {kinds} AND {IN_FORCE} ORDER BY l.kind"
    );
    let rows = work.query(&sql, binds.values())?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let room = room(Stored::read(row)?, row.int(8)?, work.options());
        if room.most > 0 || room.stored.stepped(work.options()) {
            all.push(room);
        }
    }
    Ok(all)
}

fn room(stored: Stored, running: i64, options: &Options) -> Room {
    let bucket = stored.bucket(options);
    let places = stored.concurrency.map_or(i64::MAX, |concurrency| concurrency - running);
    let tokens = bucket.map_or(i64::MAX, Bucket::tokens);
    Room { stored, bucket, most: places.min(tokens).max(0) }
}

/// Takes the tokens of the runs that were claimed.
pub(in crate::runs) fn spend(work: &mut Work<'_>, rooms: &[Room], runs: &[Run]) -> Result<()> {
    for room in rooms {
        let taken = runs.iter().filter(|run| run.kind == room.kind()).count();
        if taken > 0 || room.stored.stepped(work.options()) {
            spend_of(work, room, i64::try_from(taken).unwrap_or(i64::MAX))?;
        }
    }
    Ok(())
}

fn spend_of(work: &mut Work<'_>, room: &Room, taken: i64) -> Result<()> {
    let mut binds = Binds::default();
    let debt = room.bucket.map(|bucket| bucket.take(taken).debt());
    let mut sets = room.stored.full.after(&mut binds, work, debt);
    if work.dialect() == Dialect::Postgres {
        sets.push_str(", turn = turn + 1");
    }
    let kind = binds.add(room.kind());
    work.execute(&format!("UPDATE sprongus_kind_limits SET {sets} WHERE kind = {kind}"), binds.values()).map(drop)
}

/// The condition on a limit `l`: of one of the claim's kinds, with ready runs of its projects, and room as far as can be seen.
fn open(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, options: &Options) -> String {
    let of_kinds = claiming.of_kinds(dialect, "l.kind", binds);
    let ready = first_ready(dialect, claiming.project_rows(binds), "1");
    let tokens = tokens(dialect, binds, options);
    let running = running(dialect);
    format!(
        "{IN_FORCE}{of_kinds} AND {ready} IS NOT NULL AND (l.rate IS NULL OR l.full_at IS NULL OR {tokens}) \
         AND (l.concurrency IS NULL OR {running} < l.concurrency)"
    )
}

/// The first ready run of the kind of `l`, of these projects where they are given.
fn first_ready(dialect: Dialect, projects: Option<String>, columns: &str) -> String {
    let Some(projects) = projects else {
        let (table, queued) = (by_index(dialect, lane::by_kind(true)), queued(dialect, true));
        let of_kind = exactly(dialect, "kind", "l.kind");
        return format!("(SELECT {columns} FROM {table} WHERE {queued} AND {of_kind} ORDER BY {BY_KIND} LIMIT 1)");
    };
    let (table, queued) = (by_index(dialect, lane::by_project(true)), lane::of_projects(dialect, true));
    let key = lane::project_key(dialect);
    let of_kind = exactly(dialect, key, &format!("(p.project || {} || l.kind)", lane::between(dialect)));
    let order = lane::of_one(dialect, key);
    let first = |columns: &str| {
        format!("(SELECT {columns} FROM {table} WHERE {queued} AND {of_kind} ORDER BY {order} LIMIT 1)")
    };
    let run = match dialect {
        Dialect::Sqlite => format!("CROSS JOIN sprongus_runs AS run ON run.id = {}", first("id")),
        Dialect::Postgres => format!("CROSS JOIN LATERAL {} AS run", first("priority, run_at, id")),
    };
    format!("(WITH p (project) AS (VALUES {projects}) SELECT {columns} FROM p {run} ORDER BY {BY_AGE} LIMIT 1)")
}

/// The join with that run, one by one: any other way would read the whole table.
fn head(dialect: Dialect, projects: Option<String>) -> String {
    match dialect {
        Dialect::Sqlite => {
            format!("CROSS JOIN sprongus_runs AS head ON head.id = {}", first_ready(dialect, projects, "id"))
        }
        Dialect::Postgres => {
            let first = first_ready(dialect, projects, "priority, run_at, id");
            format!("CROSS JOIN LATERAL {first} AS head")
        }
    }
}

/// How many runs of the kind of `l` are dispatching or running.
fn running(dialect: Dialect) -> String {
    format!("(SELECT count(*) FROM {} WHERE {LEASED} AND kind = l.kind)", by_index(dialect, "leased_kind"))
}

/// Whether the bucket of `l` holds a token, or is to be written anew because a clock was set back.
fn tokens(dialect: Dialect, binds: &mut Binds<'_>, options: &Options) -> String {
    let (full_at, now, micro) = match dialect {
        Dialect::Postgres => ("l.full_at", binds.now_for(dialect, options), " * interval '1 microsecond'"),
        Dialect::Sqlite => ("l.full_mono", binds.add(options.clock.monotonic()), ""),
    };
    let one = format!("{full_at} <= {now} + {SHORT_OF_ONE}{micro}");
    let stepped = format!("{full_at} > {now} + l.per_us{micro}");
    match dialect {
        Dialect::Postgres => format!("{one} OR {stepped}"),
        Dialect::Sqlite => {
            let boot = binds.add(Value::from(options.clock.boot_id().to_string()));
            format!("{one} OR {stepped} OR l.full_boot <> {boot}")
        }
    }
}
