//! What is in the queue's tables before a workload is measured.

use postgres::{Client, NoTls};

use crate::by_hand::Queue;
use crate::ground::On;

/// The state of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Empty,
    /// So many finished runs, each with its last event: the ones before were pruned.
    Finished(usize),
    /// So many runs that are due tomorrow.
    Tomorrow(usize),
    /// PostgreSQL: another session's transaction is open, and runs have come and gone since.
    OldTransaction,
}

/// Runs that came and went while the transaction was open.
const CHURNED: usize = 5_000;

impl State {
    /// As a heading has it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Empty => "an empty queue".to_owned(),
            Self::Finished(runs) => format!("{runs} finished runs in the table"),
            Self::Tomorrow(runs) => format!("{runs} runs due tomorrow"),
            Self::OldTransaction => {
                format!("another session's transaction open, {CHURNED} runs have come and gone since")
            }
        }
    }
}

/// Rows made by the database itself.
pub(crate) fn fill(on: On, url: &str, state: State) {
    let (runs, columns, due) = match state {
        State::Empty | State::OldTransaction => return,
        State::Finished(runs) => (runs, "'succeeded'", -1),
        State::Tomorrow(runs) => (runs, "'queued'", 1),
    };
    let finished = due < 0;
    let (numbers, id, day, no, json, after) = match on.dialect() {
        sprongus::Dialect::Postgres => (
            format!("WITH numbers AS (SELECT * FROM generate_series(1, {runs}) AS given (n))"),
            "to_char(n, 'FM00000000000000000000000000')",
            format!("statement_timestamp() + interval '{due} day'"),
            "FALSE",
            "::jsonb",
            "VACUUM ANALYZE sprongus_runs; VACUUM ANALYZE sprongus_events;",
        ),
        sprongus::Dialect::Sqlite => (
            format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {runs})"),
            "printf('%026d', n)",
            format!("strftime('%Y-%m-%dT%H:%M:%S.000000Z', 'now', '{due} day')"),
            "0",
            "",
            "PRAGMA wal_checkpoint(TRUNCATE);",
        ),
    };
    let (times, attempt, version) = if finished { (day.as_str(), 1, 3) } else { ("NULL", 0, 1) };
    let kind = if finished { "run.succeeded" } else { "run.enqueued" };
    on.run(
        url,
        &format!(
            "{numbers} INSERT INTO sprongus_runs (id, kind, input, state, ready, priority, run_at, attempt, max_attempts, \
             lease, claimed_by, started_at, finished_at, version, created_at, updated_at) SELECT {id}, 'mail.send', \
             '{{\"to\":\"orders@example.org\"}}'{json}, {columns}, {no}, 0, {day}, {attempt}, 3, {attempt}, 'bench', {times}, \
             {times}, {version}, {day}, {day} FROM numbers; \
             {numbers} INSERT INTO sprongus_events (id, run_id, subject, seq, type, at, actor, payload) SELECT {id}, {id}, \
             'run:' || {id}, {version}, '{kind}', {day}, 'bench', '{{\"attempt\":{attempt}}}'{json} FROM numbers; "
        ),
    );
    after.split_inclusive(';').for_each(|one| on.run(url, one));
}

/// A session with a transaction open that holds back what others see as gone.
pub(crate) fn hold(url: &str) -> Client {
    let mut client = Client::connect(url, NoTls).unwrap();
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current()").unwrap();
    client
}

/// Runs come and go; what they leave behind cannot be cleared away.
pub(crate) fn churn(queue: &mut dyn Queue) {
    for _ in 0..CHURNED / 1_000 {
        queue.enqueue_many(1_000);
        (0..10).for_each(|_| {
            let held = queue.claim(100);
            queue.complete(&held);
        });
    }
}
