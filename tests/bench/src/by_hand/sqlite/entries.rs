//! Single documents on SQLite.

use rusqlite::params;
use serde_json::{Map, Value};

use super::{Hand, statement};
use crate::by_hand::{ACTOR, Entries, PROJECT, TABLE, new_id, now, stored};

const CREATE: &str = "INSERT INTO sprongus_aux_entries (project_id, table_name, id, payload, hash, search_text, version, \
                      last_updated, actor, change_summary) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, 'created')";

const KEEP: &str = "INSERT INTO sprongus_aux_versions (project_id, table_name, id, version, snapshot, change_summary, actor, at) \
                    SELECT project_id, table_name, id, version, payload, change_summary, actor, last_updated \
                    FROM sprongus_aux_entries WHERE project_id = ?1 AND table_name = ?2 AND id = ?3";

const REPLACE: &str = "UPDATE sprongus_aux_entries SET payload = ?4, hash = ?5, search_text = ?6, version = version + 1, \
                       last_updated = ?7, actor = ?8, change_summary = 'updated: note' \
                       WHERE project_id = ?1 AND table_name = ?2 AND id = ?3 RETURNING version";

const EVENT: &str = "INSERT INTO sprongus_events (id, project_id, subject, seq, type, at, actor, payload) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

impl Hand {
    fn tell_of_entry(&self, id: &str, version: i64, kind: &str, at: &str, summary: &str) {
        let payload = format!(r#"{{"changeSummary":"{summary}","version":{version}}}"#);
        let subject = format!("aux:{PROJECT}/{TABLE}/{id}");
        let event = params![new_id(), PROJECT, subject, version, kind, at, ACTOR, payload];
        self.connection.prepare_cached(EVENT).unwrap().execute(event).unwrap();
    }
}

impl Entries for Hand {
    fn create(&mut self, document: Map<String, Value>) {
        let (id, text, hash, folded) = stored(document);
        let at = now();
        statement(&self.connection, "BEGIN IMMEDIATE");
        let row = params![PROJECT, TABLE, id, text, hash, folded, at, ACTOR];
        self.connection.prepare_cached(CREATE).unwrap().execute(row).unwrap();
        self.tell_of_entry(&id, 1, "aux.created", &at, "created");
        statement(&self.connection, "COMMIT");
    }

    fn replace(&mut self, document: Map<String, Value>) {
        let (id, text, hash, folded) = stored(document);
        let at = now();
        statement(&self.connection, "BEGIN IMMEDIATE");
        self.connection.prepare_cached(KEEP).unwrap().execute(params![PROJECT, TABLE, id]).unwrap();
        let row = params![PROJECT, TABLE, id, text, hash, folded, at, ACTOR];
        let version = self.connection.prepare_cached(REPLACE).unwrap().query_row(row, |row| row.get(0)).unwrap();
        self.tell_of_entry(&id, version, "aux.updated", &at, "updated: note");
        statement(&self.connection, "COMMIT");
    }

    fn entry(&mut self, id: &str) -> usize {
        let sql = "SELECT payload, version, last_updated FROM sprongus_aux_entries \
                   WHERE project_id = ?1 AND table_name = ?2 AND id = ?3";
        let mut select = self.connection.prepare_cached(sql).unwrap();
        let (payload, _, _) = select
            .query_row(params![PROJECT, TABLE, id], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
            })
            .unwrap();
        payload.len()
    }
}
