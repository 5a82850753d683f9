//! A bulk write whose process is gone (decision 0014).

use serde_json::json;
use sprongus::aux_store::{BulkOptions, ImportOptions, Mode};
use sprongus_conformance::{Backend, Env, Face};

use super::{codes, finding, of_the_store, report};
use crate::aux_entries::bind;

pub(super) fn died(env: &Env) {
    let store = env.open();
    bind(Face::Store(&store), "works", json!({"type": "object"}));
    let works = store.aux("p", "works");
    works.create(json!({}), Some("kept")).unwrap();
    works.create(json!({}), Some("unseen")).unwrap();
    if env.backend() == Backend::Postgres {
        // There a bulk write is one transaction: nothing of it is left.
        return assert_eq!(codes(&of_the_store(report(&store))), Vec::<&str>::new());
    }
    let die = || {
        for sql in [
            "INSERT INTO sprongus_aux_batches (project_id, table_name, owner, boot, alive) VALUES ('p', 'works', 'gone', 'another', 0)",
            "INSERT INTO sprongus_aux_entries (project_id, table_name, id, payload, hash, version, last_updated, actor, batch) \
             SELECT project_id, table_name, 'left', payload, hash, version, last_updated, actor, (SELECT max(id) FROM sprongus_aux_batches) \
             FROM sprongus_aux_entries WHERE id = 'unseen'",
        ] {
            store.execute(sql, &[]).unwrap();
        }
        let found = of_the_store(report(&store));
        assert_eq!(codes(&found), ["unfinished_bulk"]);
        assert!(finding(&found, "unfinished_bulk").message.ends_with("works of the project p"));
        assert!(finding(&found, "unfinished_bulk").fix.starts_with("bulk_upsert no rows, or any, into the table"));
        assert_eq!(works.count(None, None).unwrap(), 2, "what it wrote is not seen");
    };
    let gone = || {
        assert_eq!(of_the_store(report(&store)).findings, []);
        let left = store.query("SELECT count(*) FROM sprongus_aux_entries WHERE id = 'left'", &[]).unwrap();
        assert_eq!(left[0].values(), [sprongus::Value::Int(0)], "and it is undone");
    };
    die();
    works.bulk_upsert(std::iter::empty(), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    gone();
    // An import of a few rows that replaces the table has not to wait for the dead.
    die();
    let folder = sprongus_testkit::temp_dir();
    let file = folder.path().join("works.jsonl");
    std::fs::write(&file, "{\"id\": \"kept\"}\n{\"id\": \"unseen\"}\n").unwrap();
    let whole = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    works.import(&file, &ImportOptions { bulk: whole, ..ImportOptions::default() }, &mut |_, _| Ok(())).unwrap();
    gone();
}
