//! By hand with the `postgres` crate: one prepared statement an enqueue, COPY for the import.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls, Statement};
use serde_json::{Map, Value};

use super::{ACTOR, ENQUEUED, INPUT, KIND, PROJECT, TABLE, folded, hash, new_id, stored};
use crate::works::{COLUMNS, document, each_row};

/// A connection to an empty database that is given that schema.
pub(crate) struct Hand {
    client: Client,
    enqueue: Option<Statement>,
    get: Option<Statement>,
    /// By their conditions.
    pages: HashMap<&'static str, Statement>,
}

const ENQUEUE: &str = "WITH run AS (INSERT INTO sprongus_runs (id, kind, input, state, ready, priority, run_at, max_attempts, created_at, updated_at) \
     VALUES ($1, $2, $3::text::jsonb, 'queued', TRUE, 0, statement_timestamp(), 3, statement_timestamp(), statement_timestamp())) \
     INSERT INTO sprongus_events (id, run_id, subject, seq, type, at, actor, payload) \
     VALUES ($4, $1, $5, 1, 'run.enqueued', statement_timestamp(), $6, $7::text::jsonb)";

impl Hand {
    pub(crate) fn open(url: &str, schema: &str) -> Self {
        let mut client = Client::connect(url, NoTls).unwrap();
        client.batch_execute(schema).unwrap();
        Self { client, enqueue: None, get: None, pages: HashMap::new() }
    }

    /// One run and its event in one statement; its id.
    pub(crate) fn enqueue(&mut self) -> String {
        let client = &mut self.client;
        let statement = self.enqueue.get_or_insert_with(|| client.prepare(ENQUEUE).unwrap());
        let (id, event) = (new_id(), new_id());
        let subject = format!("run:{id}");
        client.execute(&*statement, &[&id, &KIND, &INPUT, &event, &subject, &ACTOR, &ENQUEUED]).unwrap();
        id
    }

    /// One run by its id; its state.
    pub(crate) fn get(&mut self, id: &str) -> String {
        let client = &mut self.client;
        let statement =
            self.get.get_or_insert_with(|| client.prepare("SELECT * FROM sprongus_runs WHERE id = $1").unwrap());
        client.query_one(&*statement, &[&id]).unwrap().get("state")
    }

    /// The first 50 entries that meet a condition, in an order; how many there were.
    pub(crate) fn page(&mut self, [condition, order]: [&'static str; 2]) -> usize {
        let sql = format!(
            "SELECT id, version, last_updated, payload::text FROM sprongus_aux_entries \
             WHERE project_id = $1 AND table_name = $2 AND {condition} ORDER BY {order}, id LIMIT 50"
        );
        let client = &mut self.client;
        let statement = self.pages.entry(condition).or_insert_with(|| client.prepare(&sql).unwrap());
        let rows = client.query(&*statement, &[&PROJECT, &TABLE]).unwrap();
        let read = |row: &postgres::Row| row.get::<_, String>(0).len() + row.get::<_, String>(3).len();
        rows.iter().map(read).filter(|length| *length > 0).count()
    }

    /// The file as it is into a table of 20 columns: COPY reads the CSV itself. No index but the key.
    pub(crate) fn import_plain(&mut self, csv: &Path) {
        let kinds = |kind| match kind {
            "integer" => "BIGINT",
            "number" => "DOUBLE PRECISION",
            "boolean" => "BOOLEAN",
            _ => "TEXT",
        };
        let columns: Vec<String> = COLUMNS.iter().map(|(name, kind)| format!("\"{name}\" {}", kinds(kind))).collect();
        self.client.batch_execute(&format!("CREATE TABLE works ({}, PRIMARY KEY (id))", columns.join(", "))).unwrap();
        let mut copy = self.client.copy_in("COPY works FROM STDIN (FORMAT csv, HEADER)").unwrap();
        std::io::copy(&mut std::fs::File::open(csv).unwrap(), &mut copy).unwrap();
        copy.finish().unwrap();
    }

    /// The file into the library's own tables by COPY: a document, its hash and its search text a row, one event.
    pub(crate) fn import_same(&mut self, csv: &Path) {
        self.copy_same(|give| {
            each_row(csv, |record| {
                let document = document(record);
                give(&record[0], &document, &hash(&document), &folded(record));
            });
        });
    }

    /// Documents into the library's own tables: as [`import_same`](Self::import_same).
    pub(crate) fn copy_documents(&mut self, rows: Vec<Map<String, Value>>) {
        self.copy_same(|give| {
            for row in rows {
                let (id, document, hash, folded) = stored(row);
                give(&id, &document, &hash, &folded);
            }
        });
    }

    fn copy_same(&mut self, rows: impl FnOnce(&mut dyn FnMut(&str, &str, &[u8], &str))) {
        let at: String = self.client.query_one("SELECT statement_timestamp()::text", &[]).unwrap().get(0);
        let mut transaction = self.client.transaction().unwrap();
        let columns = "project_id, table_name, id, payload, hash, search_text, version, last_updated, actor";
        let mut copy = transaction.copy_in(&format!("COPY sprongus_aux_entries ({columns}) FROM STDIN")).unwrap();
        let (mut line, mut count) = (String::new(), 0);
        rows(&mut |id, document, hash, folded| {
            line.clear();
            let (id, text, document) = (escaped(id), escaped(folded), escaped(document));
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(line, "{PROJECT}\t{TABLE}\t{id}\t{document}\t\\\\x{hash}\t{text}\t1\t{at}\t{ACTOR}").unwrap();
            copy.write_all(line.as_bytes()).unwrap();
            count += 1;
        });
        copy.finish().unwrap();
        let event = "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) \
                     VALUES ($1, $2, 1, 'aux.imported', statement_timestamp(), $3, $4::text::jsonb)";
        let (subject, payload) = (format!("aux:{PROJECT}/{TABLE}"), format!(r#"{{"created":{count}}}"#));
        transaction.execute(event, &[&new_id(), &subject, &ACTOR, &payload]).unwrap();
        transaction.commit().unwrap();
    }

    /// The library's own table by id into a CSV: each document is parsed, its fields are written.
    pub(crate) fn export_same(&mut self, output: &Path) {
        let mut csv = csv::Writer::from_path(output).unwrap();
        csv.write_record(COLUMNS.map(|column| column.0)).unwrap();
        let sql =
            "SELECT id, payload::text FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 ORDER BY id";
        let mut rows = self.client.query_raw(sql, [PROJECT, TABLE]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            crate::works::write_document(&mut csv, row.get(0), row.get(1));
        }
        csv.flush().unwrap();
    }

    /// The plain table by id into a CSV, which COPY writes itself.
    pub(crate) fn export_plain(&mut self, output: &Path) {
        let sql = "COPY (SELECT * FROM works ORDER BY id) TO STDOUT (FORMAT csv, HEADER)";
        std::io::copy(&mut self.client.copy_out(sql).unwrap(), &mut std::fs::File::create(output).unwrap()).unwrap();
    }
}

/// As COPY's text format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}
