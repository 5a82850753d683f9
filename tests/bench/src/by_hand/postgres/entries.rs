//! Single documents on PostgreSQL: one statement a call.

use serde_json::{Map, Value};

use super::Hand;
use crate::by_hand::{ACTOR, Entries, PROJECT, TABLE, new_id, stored};

const CREATE: &str = "WITH entry AS (INSERT INTO sprongus_aux_entries (project_id, table_name, id, payload, hash, search_text, \
     version, last_updated, actor, change_summary) VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, 1, statement_timestamp(), $7, 'created') \
     RETURNING id, version) INSERT INTO sprongus_events (id, project_id, subject, seq, type, at, actor, payload) \
     SELECT $8, $1, 'aux:' || $1 || '/' || $2 || '/' || id, version, 'aux.created', statement_timestamp(), $7, \
     jsonb_build_object('changeSummary', 'created', 'version', version) FROM entry";

const REPLACE: &str = "WITH kept AS (INSERT INTO sprongus_aux_versions (project_id, table_name, id, version, snapshot, change_summary, \
     actor, at) SELECT project_id, table_name, id, version, payload, change_summary, actor, last_updated FROM sprongus_aux_entries \
     WHERE project_id = $1 AND table_name = $2 AND id = $3), entry AS (UPDATE sprongus_aux_entries SET payload = $4::text::jsonb, \
     hash = $5, search_text = $6, version = version + 1, last_updated = statement_timestamp(), actor = $7, \
     change_summary = 'updated: note' WHERE project_id = $1 AND table_name = $2 AND id = $3 RETURNING id, version) \
     INSERT INTO sprongus_events (id, project_id, subject, seq, type, at, actor, payload) \
     SELECT $8, $1, 'aux:' || $1 || '/' || $2 || '/' || id, version, 'aux.updated', statement_timestamp(), $7, \
     jsonb_build_object('changeSummary', 'updated: note', 'version', version) FROM entry";

impl Hand {
    fn write(&mut self, sql: &str, document: Map<String, Value>) {
        let (id, text, hash, folded) = stored(document);
        let statement = self.prepared(sql);
        let row: [&(dyn postgres::types::ToSql + Sync); 8] =
            [&PROJECT, &TABLE, &id, &text, &hash, &folded, &ACTOR, &new_id()];
        assert_eq!(self.client.execute(&statement, &row).unwrap(), 1);
    }
}

impl Entries for Hand {
    fn create(&mut self, document: Map<String, Value>) {
        self.write(CREATE, document);
    }

    fn replace(&mut self, document: Map<String, Value>) {
        self.write(REPLACE, document);
    }

    fn entry(&mut self, id: &str) -> usize {
        let statement = self.prepared(
            "SELECT payload::text, version, last_updated FROM sprongus_aux_entries \
             WHERE project_id = $1 AND table_name = $2 AND id = $3",
        );
        self.client.query_one(&statement, &[&PROJECT, &TABLE, &id]).unwrap().get::<_, String>(0).len()
    }
}
