//! Every index of the workspace data model is one: a list that it is for goes by its keys, and reads little more than it
//! returns.

use serde_json::{Value as JsonValue, json};
use sprongus::aux_store::{BulkOptions, ListQuery};
use sprongus::presets::{BUILTINS, Builtin, Compiled, Key};
use sprongus::projects::InstallProject;
use sprongus::{Dialect, Executor, LentPostgres, LentSqlite, Options, Store, Tx, Value};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::{analyze, migrated};

const ENTRIES: usize = 2_000;
/// Entries that have a value in common.
const ALIKE: usize = 20;

fn workspace() -> impl Iterator<Item = Builtin> {
    BUILTINS.into_iter().filter(Builtin::is_installed)
}

/// An entry with every field that has a type of its own: values of unique fields differ, others are shared by a few.
fn entry(table: &str, n: usize) -> JsonValue {
    let group = n / ALIKE;
    let time = format!("2026-01-02T{:02}:{:02}:{:02}.000000Z", n / 3_600, n / 60 % 60, n % 60);
    let mut entry = match table {
        "chat_messages" => json!({"threadId": format!("t{group}"), "role": "user", "content": "x"}),
        "chat_threads" => {
            json!({"lastMessageAt": time, "channelId": format!("c{group}"), "conversationId": format!("v{n}")})
        }
        "deployments" => {
            json!({"environment": format!("e{group}"), "repoId": format!("r{group}"), "provider": "x", "externalId": n.to_string()})
        }
        "file_chunks" => json!({"fileId": format!("f{group}"), "ordinal": n % ALIKE, "text": "x"}),
        "infra_resources" => {
            json!({"type": format!("t{group}"), "name": "x", "deploymentId": format!("d{group}"), "provider": "x", "externalId": n.to_string()})
        }
        "project_files" => {
            json!({"name": "x", "sha256": format!("{n:064x}"), "extractionVersion": 1, "path": format!("/f/{n}")})
        }
        "project_skills" => json!({"name": format!("s{n:04}"), "enabled": n.is_multiple_of(2)}),
        "repos" => {
            json!({"url": format!("https://example.org/{n}"), "provider": "x", "owner": format!("o{group}"), "name": format!("n{n}")})
        }
        "sandbox_jobs" => json!({"type": format!("t{}", n % 4)}),
        other => panic!("{other} is no table of the workspace"),
    };
    entry["id"] = json!(format!("e{n:04}"));
    entry["createdAt"] = json!(time);
    entry["runId"] = json!(format!("run{group}"));
    if !["chat_messages", "file_chunks", "project_skills"].contains(&table) {
        entry["status"] = json!(format!("s{}", group % 10));
    }
    entry
}

/// The tables that others belong to come first.
fn fill(store: &Store) {
    store.projects().install(&InstallProject::default()).unwrap();
    let write = |table: &str, items: Vec<JsonValue>| {
        let items = items.into_iter().map(Ok);
        store.aux("p", table).bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    };
    let groups = 0..ENTRIES / ALIKE;
    write("chat_threads", groups.clone().map(|n| json!({"id": format!("t{n}")})).collect());
    write(
        "project_files",
        groups.map(|n| json!({"id": format!("f{n}"), "name": "x", "sha256": format!("a{n:063x}")})).collect(),
    );
    for table in workspace() {
        write(table.label, (0..ENTRIES).map(|n| entry(table.label, n)).collect());
    }
}

/// The lists that a key is for: its fields as wanted, and all but the last as wanted in the order of the last.
fn lists(table: &str, key: &Key) -> Vec<ListQuery> {
    let wanted = entry(table, 777);
    let names: Vec<String> = key.fields.iter().map(ToString::to_string).collect();
    let filter = |names: &[String]| {
        let fields = names.iter().map(|name| (name.clone(), wanted.get(name).cloned().unwrap_or_default()));
        Some(JsonValue::Object(fields.collect()))
    };
    let (last, first) = names.split_last().unwrap();
    let list = |names: &[String], sort: Vec<String>| ListQuery { filter: filter(names), sort, ..ListQuery::default() };
    let mut lists = vec![list(&names, Vec::new())];
    if !first.is_empty() {
        lists.push(list(first, vec![format!("-{last}")]));
        lists.push(list(first, vec![last.clone()]));
    }
    lists
}

/// Asks for each list.
fn ask(tx: &Tx<'_>, mut each: impl FnMut(&str, &ListQuery, &dyn Fn() -> usize)) {
    let mut asked = 0;
    for table in workspace() {
        let preset = Compiled::new(&table.definition()).unwrap();
        for key in preset.keywords().unique.iter().chain(&preset.keywords().index) {
            for query in lists(table.label, key) {
                let list = || tx.aux("p", table.label).list(&query).unwrap().len();
                each(&format!("{} by {}", table.label, key.name()), &query, &list);
                asked += 1;
            }
        }
    }
    assert!(asked > 30, "{asked} lists");
}

fn by_keys(inner: impl Executor) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_aux_" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    ask(&tx, |name, query, list| {
        plans.lock().unwrap().clear();
        assert!(list() > 0, "{name}: {:?} finds something", query.filter);
        let plans = plans.lock().unwrap();
        assert!(
            plans.iter().any(|(sql, _)| sql.contains("kept")),
            "{name}: {:?} {:?} goes by keys",
            query.filter,
            query.sort
        );
        for (sql, plan) in plans.iter() {
            let walks =
                |line: &String| line.starts_with("SCAN sprongus_aux_") || line.contains("Seq Scan on sprongus_aux_");
            assert!(!plan.iter().any(walks), "{name}: {sql}\n{}", plan.join("\n"));
        }
    });
}

#[test]
fn sqlite_lists_the_workspace_by_keys() {
    let (_folder, file) = temp_file("workspace.db");
    fill(&Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    let own = host.transaction().unwrap();
    by_keys(LentSqlite::new(&own).unwrap());
}

#[test]
fn postgres_lists_the_workspace_by_keys() {
    let mut host = migrated("workspace", fill);
    host.batch_execute(analyze(Dialect::Postgres)).unwrap();
    by_keys(LentPostgres::new(&mut host.transaction().unwrap()));
    let mut own = host.transaction().unwrap();
    let tx = Tx::attach(LentPostgres::new(&mut own), Options::default()).unwrap();
    let count = || {
        let sql = "SELECT sum(pg_stat_get_xact_tuples_returned(oid))::bigint FROM pg_class \
                   WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')";
        match tx.query(sql, &[]).unwrap()[0].values()[0] {
            Value::Int(rows) => rows,
            ref other => panic!("a count is {other:?}"),
        }
    };
    ask(&tx, |name, query, list| {
        list();
        let before = count();
        let found = list();
        let read = count() - before;
        assert!(read < 700, "{name}: {:?} {:?} read {read} rows for {found}", query.filter, query.sort);
    });
}
