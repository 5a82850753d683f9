//! The queue on SQLite: a run and its event are a prepared pair in one short transaction.

use std::time::Instant;

use jiff::{Span, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{EVENT, connect, statement};
use crate::by_hand::{ACTOR, ENQUEUED, Held, INPUT, KIND, LEASE, Queue, new_id, now, text};

/// One connection.
pub(crate) struct Hand {
    pub(super) connection: Connection,
    boot: String,
    since: Instant,
}

const RUN: &str = "INSERT INTO sprongus_runs (id, kind, input, state, ready, priority, run_at, max_attempts, created_at, updated_at) \
                   VALUES (?1, ?2, ?3, 'queued', 1, 0, ?4, 3, ?4, ?4)";

const CLAIM: &str = "UPDATE OR FAIL sprongus_runs SET state = 'running', ready = 0, attempt = attempt + 1, lease = lease + 1, \
                     claimed_by = ?1, claimed_at = ?2, started_at = ?2, reported = NULL, lease_us = ?3, lease_until = ?4, \
                     lease_mono = ?5, lease_boot = ?6, timeout_mono = NULL, version = version + 1, updated_at = ?2 \
                     WHERE rowid IN (SELECT rowid FROM sprongus_runs INDEXED BY sprongus_runs_ready \
                     WHERE state = 'queued' AND ready = 1 AND limited = 0 ORDER BY priority DESC, run_at, id LIMIT ?7) \
                     RETURNING id, attempt, lease, version, kind, input";

const COMPLETE: &str = "UPDATE OR FAIL sprongus_runs SET state = 'succeeded', ready = 0, reported = 'succeed', finished_at = ?3, \
                        lease_until = NULL, error = NULL, output_ref = NULL, version = version + 1, updated_at = ?3 \
                        WHERE id = ?1 AND lease = ?2 AND state = 'running'";

impl Hand {
    /// A connection to a file that has the schema.
    pub(crate) fn open(path: &str, synchronous: i64) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        Self { connection: connect(path, synchronous), boot: boot.trim().to_owned(), since: Instant::now() }
    }

    fn commit<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        statement(&self.connection, "BEGIN IMMEDIATE");
        let done = work(self);
        statement(&self.connection, "COMMIT");
        done
    }

    /// The id of the last one.
    fn insert(&self, runs: usize) -> String {
        let (at, mut id) = (now(), String::new());
        let mut insert = self.connection.prepare_cached(RUN).unwrap();
        for _ in 0..runs {
            id = new_id();
            insert.execute(params![id, KIND, INPUT, at]).unwrap();
            self.tell(&id, 1, "run.enqueued", &at, ENQUEUED);
        }
        id
    }

    fn take(&self, most: usize) -> Vec<Held> {
        let at = Timestamp::now();
        let (until, at) = (text(at + Span::new().seconds(LEASE)), text(at));
        let micros = LEASE * 1_000_000;
        let mono = self.since.elapsed().as_micros() as i64 + micros;
        let mut claim = self.connection.prepare_cached(CLAIM).unwrap();
        let claiming = params![ACTOR, at, micros, until, mono, self.boot, most as i64];
        let held: Vec<Held> = claim.query_map(claiming, held).unwrap().map(Result::unwrap).collect();
        for run in &held {
            let payload = format!(r#"{{"attempt":{},"from":"queued","to":"running"}}"#, run.attempt);
            self.tell(&run.id, run.version, "run.started", &at, &payload);
        }
        held
    }

    fn finish(&self, held: &[Held]) {
        let at = now();
        let mut complete = self.connection.prepare_cached(COMPLETE).unwrap();
        for run in held {
            assert_eq!(complete.execute(params![run.id, run.lease, at]).unwrap(), 1);
            let payload = format!(r#"{{"attempt":{},"from":"running","to":"succeeded"}}"#, run.attempt);
            self.tell(&run.id, run.version + 1, "run.succeeded", &at, &payload);
        }
    }

    fn tell(&self, run: &str, seq: i64, kind: &str, at: &str, payload: &str) {
        let event = params![new_id(), run, format!("run:{run}"), seq, kind, at, ACTOR, payload];
        self.connection.prepare_cached(EVENT).unwrap().execute(event).unwrap();
    }
}

/// What a worker needs of a run: the kind and the input are read as well.
fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let (_kind, _input): (String, String) = (row.get(4)?, row.get(5)?);
    Ok(Held { id: row.get(0)?, attempt: row.get(1)?, lease: row.get(2)?, version: row.get(3)? })
}

impl Queue for Hand {
    fn enqueue(&mut self) -> String {
        self.commit(|hand| hand.insert(1))
    }

    fn enqueue_many(&mut self, runs: usize) {
        self.commit(|hand| hand.insert(runs));
    }

    fn get(&mut self, id: &str) -> String {
        let mut select = self.connection.prepare_cached("SELECT * FROM sprongus_runs WHERE id = ?1").unwrap();
        select.query_row([id], |row| row.get("state")).unwrap()
    }

    fn claim(&mut self, most: usize) -> Vec<Held> {
        self.commit(|hand| hand.take(most))
    }

    fn complete(&mut self, held: &[Held]) {
        self.commit(|hand| hand.finish(held));
    }

    fn complete_and_claim(&mut self, done: &Held) -> Option<Held> {
        self.commit(|hand| {
            hand.finish(std::slice::from_ref(done));
            hand.take(1).pop()
        })
    }
}
