//! The queue on PostgreSQL: one statement a call, so one round trip.

use std::fmt::Write as _;
use std::io::Write;

use postgres::Row;

use super::{Hand, escaped};
use crate::by_hand::{ACTOR, ENQUEUED, Held, INPUT, KIND, LEASE, Queue, new_id};

const ENQUEUE: &str = "WITH run AS (INSERT INTO sprongus_runs (id, kind, input, state, ready, priority, run_at, max_attempts, created_at, updated_at) \
     VALUES ($1, $2, $3::text::jsonb, 'queued', TRUE, 0, statement_timestamp(), 3, statement_timestamp(), statement_timestamp())) \
     INSERT INTO sprongus_events (id, run_id, subject, seq, type, at, actor, payload) \
     VALUES ($4, $1, $5, 1, 'run.enqueued', statement_timestamp(), $6, $7::text::jsonb)";

const ENQUEUE_MANY: &str = "WITH given AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS given (id, event, input)), \
     run AS (INSERT INTO sprongus_runs (id, kind, input, state, ready, priority, run_at, max_attempts, created_at, updated_at) \
     SELECT id, $4, input::jsonb, 'queued', TRUE, 0, statement_timestamp(), 3, statement_timestamp(), statement_timestamp() FROM given) \
     INSERT INTO sprongus_events (id, run_id, subject, seq, type, at, actor, payload) \
     SELECT event, id, 'run:' || id, 1, 'run.enqueued', statement_timestamp(), $5, $6::text::jsonb FROM given";

/// The events of the rows of `told`; the ids of the events are an array.
const TELL: &str = "INSERT INTO sprongus_events (id, run_id, subject, seq, type, at, actor, payload) \
     SELECT ($1::text[])[row_number() OVER ()], id, 'run:' || id, version, kind, statement_timestamp(), $2::text, \
     jsonb_build_object('attempt', attempt, 'from', past, 'to', present) FROM told";

/// The limit is written out: the planner is to know it.
fn take(most: usize) -> String {
    format!(
        "picked AS MATERIALIZED (SELECT id FROM sprongus_runs WHERE state = 'queued' AND ready AND NOT limited \
         ORDER BY priority DESC, run_at, id LIMIT {most} FOR UPDATE SKIP LOCKED), \
         run AS (UPDATE sprongus_runs SET state = 'running', ready = FALSE, attempt = attempt + 1, lease = lease + 1, \
         claimed_by = $2::text, claimed_at = statement_timestamp(), started_at = statement_timestamp(), reported = NULL, \
         lease_us = {LEASE} * 1000000, lease_until = clock_timestamp() + interval '{LEASE} s', timeout_at = NULL, \
         version = version + 1, updated_at = statement_timestamp() WHERE id = ANY (ARRAY (SELECT id FROM picked)) \
         RETURNING id, attempt, lease, version, sprongus_runs.kind, input::text)"
    )
}

/// `state || ''` keeps the planner from the index on the state, and from all that is in it.
const COMPLETE: &str = "UPDATE sprongus_runs SET state = 'succeeded', ready = FALSE, reported = 'succeed', \
     finished_at = statement_timestamp(), lease_until = NULL, error = NULL, output_ref = NULL, version = version + 1, \
     updated_at = statement_timestamp() WHERE id = $3 AND lease = $4 AND state || '' = 'running' \
     RETURNING id, version, attempt";
const COMPLETE_MANY: &str = "UPDATE sprongus_runs SET state = 'succeeded', ready = FALSE, reported = 'succeed', \
     finished_at = statement_timestamp(), lease_until = NULL, error = NULL, output_ref = NULL, version = version + 1, \
     updated_at = statement_timestamp() FROM unnest($3::text[], $4::bigint[]) AS given (run, under) \
     WHERE id = ANY ($3) AND id = run AND lease = under AND state || '' = 'running' RETURNING id, version, attempt";

const STARTED: &str =
    "SELECT id, version, attempt, 'run.started' AS kind, 'queued' AS past, 'running' AS present FROM run";
const ENDED: &str =
    "SELECT id, version, attempt, 'run.succeeded' AS kind, 'running' AS past, 'succeeded' AS present FROM done";
const HELD: &str = "SELECT id, attempt, lease, version, kind, input FROM run";

impl Hand {
    /// Many by COPY, of runs and of events, in one transaction.
    pub(crate) fn copy_many(&mut self, runs: usize) {
        let statement = self.prepared("SELECT statement_timestamp()::text");
        let mut transaction = self.client.transaction().unwrap();
        let at: String = transaction.query_one(&statement, &[]).unwrap().get(0);
        let ids: Vec<String> = (0..runs).map(|_| new_id()).collect();
        let (input, enqueued) = (escaped(INPUT), escaped(ENQUEUED));
        let (mut queued, mut events) = (String::new(), String::new());
        for id in &ids {
            writeln!(queued, "{id}\t{KIND}\t{input}\tqueued\tt\t0\t{at}\t3\t{at}\t{at}").unwrap();
            writeln!(events, "{}\t{id}\trun:{id}\t1\trun.enqueued\t{at}\t{ACTOR}\t{enqueued}", new_id()).unwrap();
        }
        for (table, columns, lines) in [
            ("runs", "id, kind, input, state, ready, priority, run_at, max_attempts, created_at, updated_at", queued),
            ("events", "id, run_id, subject, seq, type, at, actor, payload", events),
        ] {
            let mut copy = transaction.copy_in(&format!("COPY sprongus_{table} ({columns}) FROM STDIN")).unwrap();
            copy.write_all(lines.as_bytes()).unwrap();
            copy.finish().unwrap();
        }
        transaction.commit().unwrap();
    }
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|_| new_id()).collect()
}

/// What a worker needs of a run: the kind and the input are read as well.
fn held(row: &Row) -> Held {
    let (_kind, _input): (String, String) = (row.get(4), row.get(5));
    Held { id: row.get(0), attempt: row.get(1), lease: row.get(2), version: row.get(3) }
}

impl Queue for Hand {
    fn enqueue(&mut self) -> String {
        let statement = self.prepared(ENQUEUE);
        let (id, event) = (new_id(), new_id());
        let subject = format!("run:{id}");
        self.client.execute(&statement, &[&id, &KIND, &INPUT, &event, &subject, &ACTOR, &ENQUEUED]).unwrap();
        id
    }

    fn enqueue_many(&mut self, runs: usize) {
        let statement = self.prepared(ENQUEUE_MANY);
        let (runs, events, inputs) = (ids(runs), ids(runs), vec![INPUT; runs]);
        self.client.execute(&statement, &[&runs, &events, &inputs, &KIND, &ACTOR, &ENQUEUED]).unwrap();
    }

    fn get(&mut self, id: &str) -> String {
        let statement = self.prepared("SELECT * FROM sprongus_runs WHERE id = $1");
        self.client.query_one(&statement, &[&id]).unwrap().get("state")
    }

    fn claim(&mut self, most: usize) -> Vec<Held> {
        let statement = self.prepared(&format!("WITH {}, told AS ({STARTED}), event AS ({TELL}) {HELD}", take(most)));
        self.client.query(&statement, &[&ids(most), &ACTOR]).unwrap().iter().map(held).collect()
    }

    fn complete(&mut self, held: &[Held]) {
        let told = match held {
            [one] => {
                let statement = self.prepared(&format!("WITH done AS ({COMPLETE}), told AS ({ENDED}) {TELL}"));
                self.client.execute(&statement, &[&ids(1), &ACTOR, &one.id, &one.lease]).unwrap()
            }
            many => {
                let statement = self.prepared(&format!("WITH done AS ({COMPLETE_MANY}), told AS ({ENDED}) {TELL}"));
                let runs: Vec<&str> = many.iter().map(|run| &*run.id).collect();
                let leases: Vec<i64> = many.iter().map(|run| run.lease).collect();
                self.client.execute(&statement, &[&ids(many.len()), &ACTOR, &runs, &leases]).unwrap()
            }
        };
        assert_eq!(told as usize, held.len());
    }

    fn complete_and_claim(&mut self, done: &Held) -> Option<Held> {
        let statement = self.prepared(&format!(
            "WITH done AS ({COMPLETE}), {}, told AS ({ENDED} UNION ALL {STARTED}), event AS ({TELL}) {HELD}",
            take(1)
        ));
        self.client.query(&statement, &[&ids(2), &ACTOR, &done.id, &done.lease]).unwrap().first().map(held)
    }
}
