//! Documents on PostgreSQL: import and bulk by COPY, export, pages.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use postgres::fallible_iterator::FallibleIterator;
use serde_json::{Map, Value};

use super::{Hand, escaped};
use crate::by_hand::{ACTOR, PROJECT, TABLE, folded, hash, new_id, stored};
use crate::works::{COLUMNS, document, each_row};

impl Hand {
    /// The first 50 entries that meet a condition, in an order; how many there were.
    pub(crate) fn page(&mut self, [condition, order]: [&'static str; 2]) -> usize {
        let sql = format!(
            "SELECT id, version, last_updated, payload::text FROM sprongus_aux_entries \
             WHERE project_id = $1 AND table_name = $2 AND {condition} ORDER BY {order}, id LIMIT 50"
        );
        let statement = self.prepared(&sql);
        let rows = self.client.query(&statement, &[&PROJECT, &TABLE]).unwrap();
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
